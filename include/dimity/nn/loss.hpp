// Losses, not reduced: one value for each sample (cross_entropy) or element (the others). Take mean() or sum() of them.
#pragma once

#include <dimity/expr/operators.hpp>
#include <dimity/expr/reductions.hpp>

namespace DIMITY_NAMESPACE {
namespace detail {

template <class Logits, class Labels>
struct cross_entropy_check {
  static constexpr bool same_rank = Logits::rank == Labels::rank + 1;
  static constexpr int mismatch() {
    for (int i = 0; same_rank && i < Labels::rank; ++i)
      if (!may_be_equal(Logits::at(i), Labels::at(i))) return i;
    return -1;
  }
  static constexpr extent_t logits = mismatch() < 0 ? 1 : Logits::at(mismatch()), labels = mismatch() < 0 ? 1 : Labels::at(mismatch());
};
template <class Logits, class Labels>
struct cross_entropy_shapes {
  using check = cross_entropy_check<Logits, Labels>;
  static_assert(Logits::rank == Labels::rank + 1, "[dimity.shape.13] cross_entropy: labels have the shape of the logits without the last axis");
  static_assert(check::logits == check::labels, "[dimity.shape.13] cross_entropy: labels have the shape of the logits without the last axis");
};

struct cross_entropy_operation {
  static constexpr ref emit(builder& g, ref logits, ref labels) {
    for (int i = 0; i < labels.rank(); ++i) g.unify(logits.extent(i), labels.extent(i));
    ref const x = as_floating(logits);
    int const last = x.rank() - 1;
    std::uint32_t const mask = 1u << last;
    axis_map map;
    for (int i = 0; i < last; ++i) map.set(i, i);
    ref const hit = equal(broadcast(labels, x.shape(), map), iota(g, labels.type(), x.shape(), last));
    ref const m = stable_maximum(x, mask);
    ref const shifted = x - m;
    ref const log_total = unary(primitive::log, reduce(primitive::sum, unary(primitive::exp, shifted), mask));
    return log_total - reduce(primitive::sum, select(hit, shifted, full_like(shifted, 0)), mask);
  }
};
struct soft_cross_entropy_operation {
  static constexpr ref emit(builder& g, ref logits, ref target) {
    ref const x = as_floating(logits);
    std::uint32_t const mask = 1u << (x.rank() - 1);
    return -reduce(primitive::sum, target * log_softmax_operation_of(g, x, mask), mask);
  }
  static constexpr ref log_softmax_operation_of(builder&, ref x, std::uint32_t mask) {
    ref const shifted = x - stable_maximum(x, mask);
    return shifted - unary(primitive::log, reduce_kept(primitive::sum, unary(primitive::exp, shifted), mask));
  }
};
struct squared_error_operation {
  static constexpr ref emit(builder&, ref a, ref b) { return unary(primitive::square, a - b); }
};
struct absolute_error_operation {
  static constexpr ref emit(builder&, ref a, ref b) { return unary(primitive::abs, a - b); }
};
/// max(z, 0) - z t + log(1 + exp(-|z|)), which neither overflows nor cancels.
struct binary_cross_entropy_operation {
  static constexpr ref emit(builder&, ref z, ref t) { return unary(primitive::softplus, z) - z * t; }
};

}  // namespace detail

namespace nn {

/// -log softmax(logits)[label]: logits [.., C] and integer labels [..] in [0, C) give losses [..]. With floating-point targets of the logits' shape
/// (probabilities) the cross entropy of the two distributions. A label outside gives log(sum(exp(logits - max))), and no gradient of its own.
template <operand Logits, operand Labels>
constexpr auto cross_entropy(Logits&& logits, Labels&& labels) {
  using x = detail::shape_of<Logits>;
  using t = detail::shape_of<Labels>;
  if constexpr (std::is_same_v<x, t> && is_floating(dtype_of<detail::element_of<Labels>>)) {
    return detail::apply<detail::soft_cross_entropy_operation>(static_cast<Logits&&>(logits), static_cast<Labels&&>(labels));
  } else {
    using check = detail::cross_entropy_check<x, t>;
    (void)sizeof(detail::cross_entropy_shapes<x, t>);
    if constexpr (check::same_rank && check::logits == check::labels)
      return detail::apply<detail::cross_entropy_operation>(static_cast<Logits&&>(logits), static_cast<Labels&&>(labels));
    else return detail::failed<detail::element_of<Logits>, t>{};
  }
}
/// (prediction - target)^2, elementwise.
template <operand A, class B>
  requires detail::elementwise_pair<A, B>
constexpr auto mse(A&& prediction, B&& target) {
  (void)sizeof(detail::broadcast_shapes<detail::shape_or_scalar<A>, detail::shape_or_scalar<B>>);
  return detail::apply_pair<detail::squared_error_operation>(static_cast<A&&>(prediction), static_cast<B&&>(target));
}
/// |prediction - target|, elementwise.
template <operand A, class B>
  requires detail::elementwise_pair<A, B>
constexpr auto l1(A&& prediction, B&& target) {
  (void)sizeof(detail::broadcast_shapes<detail::shape_or_scalar<A>, detail::shape_or_scalar<B>>);
  return detail::apply_pair<detail::absolute_error_operation>(static_cast<A&&>(prediction), static_cast<B&&>(target));
}
/// -t log(sigmoid(z)) - (1 - t) log(1 - sigmoid(z)), elementwise, from logits z and targets t in [0, 1].
template <operand A, class B>
  requires detail::elementwise_pair<A, B>
constexpr auto binary_cross_entropy_with_logits(A&& logits, B&& target) {
  (void)sizeof(detail::broadcast_shapes<detail::shape_or_scalar<A>, detail::shape_or_scalar<B>>);
  return detail::apply_pair<detail::binary_cross_entropy_operation>(static_cast<A&&>(logits), static_cast<B&&>(target));
}

}  // namespace nn
}  // namespace DIMITY_NAMESPACE
