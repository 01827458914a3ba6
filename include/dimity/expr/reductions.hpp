// Reductions over any set of axes: `sum(x)`, `sum(x, axis<0>)`, `sum(x, axis<0, -1>, keep_dims)`. Without axes over everything. NumPy's semantics: sums and
// products of integers accumulate in 64 bits, means and variances of integers are float64, empty sums are 0 and empty products 1.
#pragma once

#include <dimity/expr/expression.hpp>
#include <dimity/expr/rules.hpp>

namespace DIMITY_NAMESPACE {
namespace detail {

/// Of axes that exist: callers check them.
template <class Shape, int... Axes>
constexpr std::uint32_t axis_mask() {
  if constexpr (sizeof...(Axes) == 0) return (1u << Shape::rank) - 1u;
  else return ((1u << (normalize_axis(Axes, Shape::rank) & 7)) | ...);
}

constexpr amount reduced_count(ref x, std::uint32_t mask) {
  amount n = 1;
  for (int i = 0; i < x.rank(); ++i)
    if (mask >> i & 1u) n *= x.extent(i);
  return n;
}
constexpr ref as_floating(ref x) { return cast(x, floating_result(x.type())); }
constexpr ref reduce_to(primitive op, ref x, std::uint32_t mask, bool keep) { return keep ? reduce_kept(op, x, mask) : reduce(op, x, mask); }
constexpr ref mean_of(ref x, std::uint32_t mask, bool keep) {
  return reduce_to(primitive::sum, x, mask, keep) / count_of(*x.g, x.type(), reduced_count(x, mask));
}
/// Two passes over the row, as NumPy: the mean first, then the squares of what is left. `correction` is subtracted from the count.
constexpr ref variance_of(ref x, std::uint32_t mask, bool keep, int correction) {
  ref const centred = x - mean_of(x, mask, true);
  return reduce_to(primitive::sum, unary(primitive::square, centred), mask, keep) / count_of(*x.g, x.type(), x.g->extents->difference(reduced_count(x, mask), correction));
}
/// The maximum, with infinities replaced by 0 so that x - max has no inf - inf. No derivative flows through it: it cancels.
constexpr ref stable_maximum(ref x, std::uint32_t mask) {
  ref const m = reduce_kept(primitive::max, x, mask);
  ref const finite = select(unary(primitive::isfinite, m), m, full_like(m, 0));
  return append(*x.g, primitive::copy, finite.type(), finite.shape(), finite.id, -1, -1, 1);
}

template <primitive P, std::uint32_t Mask, bool Keep>
struct reduce_operation {
  static constexpr ref emit(builder&, ref a) {
    if (P == primitive::sum || P == primitive::prod) a = cast(a, sum_result(a.type()));
    if (P == primitive::any || P == primitive::all) a = cast(a, dtype::boolean);
    if (P == primitive::max || P == primitive::min) a.g->extents->require_at_least(reduced_count(a, Mask), 1);
    if ((P == primitive::max || P == primitive::min) && a.type() == dtype::boolean) return reduce_to(P == primitive::max ? primitive::any : primitive::all, a, Mask, Keep);
    return reduce_to(P, a, Mask, Keep);
  }
};
template <std::uint32_t Mask, bool Keep>
struct mean_operation {
  static constexpr ref emit(builder&, ref a) { return mean_of(as_floating(a), Mask, Keep); }
};
template <std::uint32_t Mask, bool Keep, int Correction, bool Root>
struct variance_operation {
  static constexpr ref emit(builder&, ref a) {
    ref const v = variance_of(as_floating(a), Mask, Keep, Correction);
    return Root ? unary(primitive::sqrt, v) : v;
  }
};
template <std::uint32_t Mask, bool Keep>
struct norm_operation {
  static constexpr ref emit(builder&, ref a) { return unary(primitive::sqrt, reduce_to(primitive::sum, unary(primitive::square, as_floating(a)), Mask, Keep)); }
};
template <std::uint32_t Mask, bool Keep>
struct logsumexp_operation {
  static constexpr ref emit(builder&, ref a) {
    ref const x = as_floating(a);
    ref const m = stable_maximum(x, Mask);
    ref const s = unary(primitive::log, reduce_kept(primitive::sum, unary(primitive::exp, x - m), Mask)) + m;
    return Keep ? s : reshape(s, without_axes(x.shape(), Mask));
  }
};
template <std::uint32_t Mask>
struct softmax_operation {
  static constexpr ref emit(builder&, ref a) {
    ref const x = as_floating(a);
    ref const e = unary(primitive::exp, x - stable_maximum(x, Mask));
    return e / reduce_kept(primitive::sum, e, Mask);
  }
};
template <std::uint32_t Mask>
struct log_softmax_operation {
  static constexpr ref emit(builder&, ref a) {
    ref const x = as_floating(a);
    ref const shifted = x - stable_maximum(x, Mask);
    return shifted - unary(primitive::log, reduce_kept(primitive::sum, unary(primitive::exp, shifted), Mask));
  }
};
template <primitive P, int Axis, bool Keep>
struct arg_operation {
  static constexpr ref emit(builder& g, ref a) {
    int const axis = normalize_axis(Axis, a.rank());
    g.extents->require_at_least(a.extent(axis), 1);
    shape_value const s = without_axes(a.shape(), 1u << axis);
    ref const r = append(g, P, dtype::int64, s, a.id, -1, -1, axis);
    return Keep ? reshape(r, with_kept_axes(a.shape(), 1u << axis)) : r;
  }
};
template <primitive P>
struct flat_arg_operation {
  static constexpr ref emit(builder& g, ref a) {
    shape_value flat;
    flat.push(a.shape().size());
    g.extents->require_at_least(flat.extent[0], 1);
    return append(g, P, dtype::int64, {}, reshape(a, flat).id, -1, -1, 0);
  }
};
template <primitive P, int Axis>
struct cumulative_operation {
  static constexpr ref emit(builder&, ref a) {
    a = cast(a, sum_result(a.type()));
    return a.rank() == 0 ? a : cumulative(P, a, normalize_axis(Axis, a.rank()));
  }
};

template <class X, int... A>
constexpr extent_t reduced_count_of() {
  using S = shape_of<X>;
  constexpr std::uint32_t mask = axis_mask<S, A...>();
  extent_t n = 1;
  for (int i = 0; i < S::rank; ++i)
    if (mask >> i & 1u) n *= S::at(i) < 0 ? 1 : S::at(i);  // one chosen at run time is assumed to be positive
  return n;
}

/// What stands for a reduction after a mistake: extents of 1 fit whatever comes next.
template <class T, extent_t... E>
constexpr auto failed_reduction(shape<E...>) {
  return failed<T, shape<(static_cast<void>(E), extent_t{1})...>>{};
}
/// The operation along axes that exist.
template <class Operation, int... A, class X>
constexpr auto apply_along(X&& x) {
  if constexpr ((has_axis<shape_of<X>, A> && ...)) return apply<Operation>(static_cast<X&&>(x));
  else return failed_reduction<element_of<X>>(shape_of<X>{});
}
/// The same, for operations that need an element to begin with.
template <class Operation, int... A, class X>
constexpr auto apply_along_elements(X&& x) {
  if constexpr ((has_axis<shape_of<X>, A> && ...) && reduced_count_of<X, A...>() > 0) return apply<Operation>(static_cast<X&&>(x));
  else return failed_reduction<element_of<X>>(shape_of<X>{});
}

}  // namespace detail

/// The sum. Several accumulators in a fixed tree: as accurate as pairwise summation, the same result every time.
template <operand X>
constexpr auto sum(X&& x) {
  return detail::apply<detail::reduce_operation<detail::primitive::sum, detail::axis_mask<detail::shape_of<X>>(), false>>(static_cast<X&&>(x));
}
template <operand X>
constexpr auto sum(X&& x, keep_dims_t) {
  return detail::apply<detail::reduce_operation<detail::primitive::sum, detail::axis_mask<detail::shape_of<X>>(), true>>(static_cast<X&&>(x));
}
template <operand X, int... A>
constexpr auto sum(X&& x, axis_set<A...>) {
  ((void)sizeof(detail::axis_of_shape<detail::shape_of<X>, A>), ...);
  (void)sizeof(detail::distinct_axes<detail::shape_of<X>, A...>);
  return detail::apply_along<detail::reduce_operation<detail::primitive::sum, detail::axis_mask<detail::shape_of<X>, A...>(), false>, A...>(static_cast<X&&>(x));
}
template <operand X, int... A>
constexpr auto sum(X&& x, axis_set<A...>, keep_dims_t) {
  ((void)sizeof(detail::axis_of_shape<detail::shape_of<X>, A>), ...);
  (void)sizeof(detail::distinct_axes<detail::shape_of<X>, A...>);
  return detail::apply_along<detail::reduce_operation<detail::primitive::sum, detail::axis_mask<detail::shape_of<X>, A...>(), true>, A...>(static_cast<X&&>(x));
}
/// The product.
template <operand X>
constexpr auto prod(X&& x) {
  return detail::apply<detail::reduce_operation<detail::primitive::prod, detail::axis_mask<detail::shape_of<X>>(), false>>(static_cast<X&&>(x));
}
template <operand X>
constexpr auto prod(X&& x, keep_dims_t) {
  return detail::apply<detail::reduce_operation<detail::primitive::prod, detail::axis_mask<detail::shape_of<X>>(), true>>(static_cast<X&&>(x));
}
template <operand X, int... A>
constexpr auto prod(X&& x, axis_set<A...>) {
  ((void)sizeof(detail::axis_of_shape<detail::shape_of<X>, A>), ...);
  (void)sizeof(detail::distinct_axes<detail::shape_of<X>, A...>);
  return detail::apply_along<detail::reduce_operation<detail::primitive::prod, detail::axis_mask<detail::shape_of<X>, A...>(), false>, A...>(static_cast<X&&>(x));
}
template <operand X, int... A>
constexpr auto prod(X&& x, axis_set<A...>, keep_dims_t) {
  ((void)sizeof(detail::axis_of_shape<detail::shape_of<X>, A>), ...);
  (void)sizeof(detail::distinct_axes<detail::shape_of<X>, A...>);
  return detail::apply_along<detail::reduce_operation<detail::primitive::prod, detail::axis_mask<detail::shape_of<X>, A...>(), true>, A...>(static_cast<X&&>(x));
}
/// The largest element; nan if there is one. Equal maxima share the derivative.
template <operand X>
constexpr auto max(X&& x) {
  (void)sizeof(detail::reduced_extent<detail::shape_of<X>, detail::reduced_count_of<X>()>);
  return detail::apply_along_elements<detail::reduce_operation<detail::primitive::max, detail::axis_mask<detail::shape_of<X>>(), false>>(static_cast<X&&>(x));
}
template <operand X>
constexpr auto max(X&& x, keep_dims_t) {
  (void)sizeof(detail::reduced_extent<detail::shape_of<X>, detail::reduced_count_of<X>()>);
  return detail::apply_along_elements<detail::reduce_operation<detail::primitive::max, detail::axis_mask<detail::shape_of<X>>(), true>>(static_cast<X&&>(x));
}
template <operand X, int... A>
constexpr auto max(X&& x, axis_set<A...>) {
  ((void)sizeof(detail::axis_of_shape<detail::shape_of<X>, A>), ...);
  (void)sizeof(detail::distinct_axes<detail::shape_of<X>, A...>);
  (void)sizeof(detail::reduced_extent<detail::shape_of<X>, detail::reduced_count_of<X, A...>()>);
  return detail::apply_along_elements<detail::reduce_operation<detail::primitive::max, detail::axis_mask<detail::shape_of<X>, A...>(), false>, A...>(static_cast<X&&>(x));
}
template <operand X, int... A>
constexpr auto max(X&& x, axis_set<A...>, keep_dims_t) {
  ((void)sizeof(detail::axis_of_shape<detail::shape_of<X>, A>), ...);
  (void)sizeof(detail::distinct_axes<detail::shape_of<X>, A...>);
  (void)sizeof(detail::reduced_extent<detail::shape_of<X>, detail::reduced_count_of<X, A...>()>);
  return detail::apply_along_elements<detail::reduce_operation<detail::primitive::max, detail::axis_mask<detail::shape_of<X>, A...>(), true>, A...>(static_cast<X&&>(x));
}
/// The smallest element; nan if there is one.
template <operand X>
constexpr auto min(X&& x) {
  (void)sizeof(detail::reduced_extent<detail::shape_of<X>, detail::reduced_count_of<X>()>);
  return detail::apply_along_elements<detail::reduce_operation<detail::primitive::min, detail::axis_mask<detail::shape_of<X>>(), false>>(static_cast<X&&>(x));
}
template <operand X>
constexpr auto min(X&& x, keep_dims_t) {
  (void)sizeof(detail::reduced_extent<detail::shape_of<X>, detail::reduced_count_of<X>()>);
  return detail::apply_along_elements<detail::reduce_operation<detail::primitive::min, detail::axis_mask<detail::shape_of<X>>(), true>>(static_cast<X&&>(x));
}
template <operand X, int... A>
constexpr auto min(X&& x, axis_set<A...>) {
  ((void)sizeof(detail::axis_of_shape<detail::shape_of<X>, A>), ...);
  (void)sizeof(detail::distinct_axes<detail::shape_of<X>, A...>);
  (void)sizeof(detail::reduced_extent<detail::shape_of<X>, detail::reduced_count_of<X, A...>()>);
  return detail::apply_along_elements<detail::reduce_operation<detail::primitive::min, detail::axis_mask<detail::shape_of<X>, A...>(), false>, A...>(static_cast<X&&>(x));
}
template <operand X, int... A>
constexpr auto min(X&& x, axis_set<A...>, keep_dims_t) {
  ((void)sizeof(detail::axis_of_shape<detail::shape_of<X>, A>), ...);
  (void)sizeof(detail::distinct_axes<detail::shape_of<X>, A...>);
  (void)sizeof(detail::reduced_extent<detail::shape_of<X>, detail::reduced_count_of<X, A...>()>);
  return detail::apply_along_elements<detail::reduce_operation<detail::primitive::min, detail::axis_mask<detail::shape_of<X>, A...>(), true>, A...>(static_cast<X&&>(x));
}
/// True if any element is true (non-zero).
template <operand X>
constexpr auto any(X&& x) {
  return detail::apply<detail::reduce_operation<detail::primitive::any, detail::axis_mask<detail::shape_of<X>>(), false>>(static_cast<X&&>(x));
}
template <operand X>
constexpr auto any(X&& x, keep_dims_t) {
  return detail::apply<detail::reduce_operation<detail::primitive::any, detail::axis_mask<detail::shape_of<X>>(), true>>(static_cast<X&&>(x));
}
template <operand X, int... A>
constexpr auto any(X&& x, axis_set<A...>) {
  ((void)sizeof(detail::axis_of_shape<detail::shape_of<X>, A>), ...);
  (void)sizeof(detail::distinct_axes<detail::shape_of<X>, A...>);
  return detail::apply_along<detail::reduce_operation<detail::primitive::any, detail::axis_mask<detail::shape_of<X>, A...>(), false>, A...>(static_cast<X&&>(x));
}
template <operand X, int... A>
constexpr auto any(X&& x, axis_set<A...>, keep_dims_t) {
  ((void)sizeof(detail::axis_of_shape<detail::shape_of<X>, A>), ...);
  (void)sizeof(detail::distinct_axes<detail::shape_of<X>, A...>);
  return detail::apply_along<detail::reduce_operation<detail::primitive::any, detail::axis_mask<detail::shape_of<X>, A...>(), true>, A...>(static_cast<X&&>(x));
}
/// True if all elements are true (non-zero).
template <operand X>
constexpr auto all(X&& x) {
  return detail::apply<detail::reduce_operation<detail::primitive::all, detail::axis_mask<detail::shape_of<X>>(), false>>(static_cast<X&&>(x));
}
template <operand X>
constexpr auto all(X&& x, keep_dims_t) {
  return detail::apply<detail::reduce_operation<detail::primitive::all, detail::axis_mask<detail::shape_of<X>>(), true>>(static_cast<X&&>(x));
}
template <operand X, int... A>
constexpr auto all(X&& x, axis_set<A...>) {
  ((void)sizeof(detail::axis_of_shape<detail::shape_of<X>, A>), ...);
  (void)sizeof(detail::distinct_axes<detail::shape_of<X>, A...>);
  return detail::apply_along<detail::reduce_operation<detail::primitive::all, detail::axis_mask<detail::shape_of<X>, A...>(), false>, A...>(static_cast<X&&>(x));
}
template <operand X, int... A>
constexpr auto all(X&& x, axis_set<A...>, keep_dims_t) {
  ((void)sizeof(detail::axis_of_shape<detail::shape_of<X>, A>), ...);
  (void)sizeof(detail::distinct_axes<detail::shape_of<X>, A...>);
  return detail::apply_along<detail::reduce_operation<detail::primitive::all, detail::axis_mask<detail::shape_of<X>, A...>(), true>, A...>(static_cast<X&&>(x));
}
/// The arithmetic mean; nan of nothing.
template <operand X>
constexpr auto mean(X&& x) {
  return detail::apply<detail::mean_operation<detail::axis_mask<detail::shape_of<X>>(), false>>(static_cast<X&&>(x));
}
template <operand X>
constexpr auto mean(X&& x, keep_dims_t) {
  return detail::apply<detail::mean_operation<detail::axis_mask<detail::shape_of<X>>(), true>>(static_cast<X&&>(x));
}
template <operand X, int... A>
constexpr auto mean(X&& x, axis_set<A...>) {
  ((void)sizeof(detail::axis_of_shape<detail::shape_of<X>, A>), ...);
  (void)sizeof(detail::distinct_axes<detail::shape_of<X>, A...>);
  return detail::apply_along<detail::mean_operation<detail::axis_mask<detail::shape_of<X>, A...>(), false>, A...>(static_cast<X&&>(x));
}
template <operand X, int... A>
constexpr auto mean(X&& x, axis_set<A...>, keep_dims_t) {
  ((void)sizeof(detail::axis_of_shape<detail::shape_of<X>, A>), ...);
  (void)sizeof(detail::distinct_axes<detail::shape_of<X>, A...>);
  return detail::apply_along<detail::mean_operation<detail::axis_mask<detail::shape_of<X>, A...>(), true>, A...>(static_cast<X&&>(x));
}
/// The variance: mean square distance from the mean, computed in two passes over the row. `var<1>(x)` divides by n - 1.
template <int Correction = 0, operand X>
constexpr auto var(X&& x) {
  return detail::apply<detail::variance_operation<detail::axis_mask<detail::shape_of<X>>(), false, Correction, false>>(static_cast<X&&>(x));
}
template <int Correction = 0, operand X>
constexpr auto var(X&& x, keep_dims_t) {
  return detail::apply<detail::variance_operation<detail::axis_mask<detail::shape_of<X>>(), true, Correction, false>>(static_cast<X&&>(x));
}
template <int Correction = 0, operand X, int... A>
constexpr auto var(X&& x, axis_set<A...>) {
  ((void)sizeof(detail::axis_of_shape<detail::shape_of<X>, A>), ...);
  (void)sizeof(detail::distinct_axes<detail::shape_of<X>, A...>);
  return detail::apply_along<detail::variance_operation<detail::axis_mask<detail::shape_of<X>, A...>(), false, Correction, false>, A...>(static_cast<X&&>(x));
}
template <int Correction = 0, operand X, int... A>
constexpr auto var(X&& x, axis_set<A...>, keep_dims_t) {
  ((void)sizeof(detail::axis_of_shape<detail::shape_of<X>, A>), ...);
  (void)sizeof(detail::distinct_axes<detail::shape_of<X>, A...>);
  return detail::apply_along<detail::variance_operation<detail::axis_mask<detail::shape_of<X>, A...>(), true, Correction, false>, A...>(static_cast<X&&>(x));
}
/// The standard deviation, sqrt(var(x)).
template <int Correction = 0, operand X>
constexpr auto std(X&& x) {
  return detail::apply<detail::variance_operation<detail::axis_mask<detail::shape_of<X>>(), false, Correction, true>>(static_cast<X&&>(x));
}
template <int Correction = 0, operand X>
constexpr auto std(X&& x, keep_dims_t) {
  return detail::apply<detail::variance_operation<detail::axis_mask<detail::shape_of<X>>(), true, Correction, true>>(static_cast<X&&>(x));
}
template <int Correction = 0, operand X, int... A>
constexpr auto std(X&& x, axis_set<A...>) {
  ((void)sizeof(detail::axis_of_shape<detail::shape_of<X>, A>), ...);
  (void)sizeof(detail::distinct_axes<detail::shape_of<X>, A...>);
  return detail::apply_along<detail::variance_operation<detail::axis_mask<detail::shape_of<X>, A...>(), false, Correction, true>, A...>(static_cast<X&&>(x));
}
template <int Correction = 0, operand X, int... A>
constexpr auto std(X&& x, axis_set<A...>, keep_dims_t) {
  ((void)sizeof(detail::axis_of_shape<detail::shape_of<X>, A>), ...);
  (void)sizeof(detail::distinct_axes<detail::shape_of<X>, A...>);
  return detail::apply_along<detail::variance_operation<detail::axis_mask<detail::shape_of<X>, A...>(), true, Correction, true>, A...>(static_cast<X&&>(x));
}
/// std() by a name that `using namespace dimity` does not make ambiguous with namespace std; takes the same arguments.
template <int Correction = 0, operand X, class... Options>
constexpr auto standard_deviation(X&& x, Options... options) {
  return dimity::std<Correction>(static_cast<X&&>(x), options...);
}
/// The Euclidean norm, sqrt(sum(x * x)).
template <operand X>
constexpr auto norm(X&& x) {
  return detail::apply<detail::norm_operation<detail::axis_mask<detail::shape_of<X>>(), false>>(static_cast<X&&>(x));
}
template <operand X>
constexpr auto norm(X&& x, keep_dims_t) {
  return detail::apply<detail::norm_operation<detail::axis_mask<detail::shape_of<X>>(), true>>(static_cast<X&&>(x));
}
template <operand X, int... A>
constexpr auto norm(X&& x, axis_set<A...>) {
  ((void)sizeof(detail::axis_of_shape<detail::shape_of<X>, A>), ...);
  (void)sizeof(detail::distinct_axes<detail::shape_of<X>, A...>);
  return detail::apply_along<detail::norm_operation<detail::axis_mask<detail::shape_of<X>, A...>(), false>, A...>(static_cast<X&&>(x));
}
template <operand X, int... A>
constexpr auto norm(X&& x, axis_set<A...>, keep_dims_t) {
  ((void)sizeof(detail::axis_of_shape<detail::shape_of<X>, A>), ...);
  (void)sizeof(detail::distinct_axes<detail::shape_of<X>, A...>);
  return detail::apply_along<detail::norm_operation<detail::axis_mask<detail::shape_of<X>, A...>(), true>, A...>(static_cast<X&&>(x));
}
/// log(sum(exp(x))) without overflow.
template <operand X>
constexpr auto logsumexp(X&& x) {
  return detail::apply<detail::logsumexp_operation<detail::axis_mask<detail::shape_of<X>>(), false>>(static_cast<X&&>(x));
}
template <operand X>
constexpr auto logsumexp(X&& x, keep_dims_t) {
  return detail::apply<detail::logsumexp_operation<detail::axis_mask<detail::shape_of<X>>(), true>>(static_cast<X&&>(x));
}
template <operand X, int... A>
constexpr auto logsumexp(X&& x, axis_set<A...>) {
  ((void)sizeof(detail::axis_of_shape<detail::shape_of<X>, A>), ...);
  (void)sizeof(detail::distinct_axes<detail::shape_of<X>, A...>);
  return detail::apply_along<detail::logsumexp_operation<detail::axis_mask<detail::shape_of<X>, A...>(), false>, A...>(static_cast<X&&>(x));
}
template <operand X, int... A>
constexpr auto logsumexp(X&& x, axis_set<A...>, keep_dims_t) {
  ((void)sizeof(detail::axis_of_shape<detail::shape_of<X>, A>), ...);
  (void)sizeof(detail::distinct_axes<detail::shape_of<X>, A...>);
  return detail::apply_along<detail::logsumexp_operation<detail::axis_mask<detail::shape_of<X>, A...>(), true>, A...>(static_cast<X&&>(x));
}
/// exp(x) / sum(exp(x)) along the axes, without overflow; the axes stay. One pass over memory when a row fits into the cache.
template <operand X, int... A>
constexpr auto softmax(X&& x, axis_set<A...>) {
  ((void)sizeof(detail::axis_of_shape<detail::shape_of<X>, A>), ...);
  (void)sizeof(detail::distinct_axes<detail::shape_of<X>, A...>);
  return detail::apply_along<detail::softmax_operation<detail::axis_mask<detail::shape_of<X>, A...>()>, A...>(static_cast<X&&>(x));
}
/// log(softmax(x)), accurate where softmax is near 0.
template <operand X, int... A>
constexpr auto log_softmax(X&& x, axis_set<A...>) {
  ((void)sizeof(detail::axis_of_shape<detail::shape_of<X>, A>), ...);
  (void)sizeof(detail::distinct_axes<detail::shape_of<X>, A...>);
  return detail::apply_along<detail::log_softmax_operation<detail::axis_mask<detail::shape_of<X>, A...>()>, A...>(static_cast<X&&>(x));
}
/// The index (int64) of the first largest element, of the first nan if there is one. Without an axis into the flattened tensor.
template <operand X>
constexpr auto argmax(X&& x) {
  (void)sizeof(detail::reduced_extent<detail::shape_of<X>, detail::reduced_count_of<X>()>);
  return detail::apply_along_elements<detail::flat_arg_operation<detail::primitive::argmax>>(static_cast<X&&>(x));
}
template <operand X, int A>
constexpr auto argmax(X&& x, axis_set<A>) {
  (void)sizeof(detail::axis_of_shape<detail::shape_of<X>, A>);
  (void)sizeof(detail::reduced_extent<detail::shape_of<X>, detail::reduced_count_of<X, A>()>);
  return detail::apply_along_elements<detail::arg_operation<detail::primitive::argmax, A, false>, A>(static_cast<X&&>(x));
}
template <operand X, int A>
constexpr auto argmax(X&& x, axis_set<A>, keep_dims_t) {
  (void)sizeof(detail::axis_of_shape<detail::shape_of<X>, A>);
  (void)sizeof(detail::reduced_extent<detail::shape_of<X>, detail::reduced_count_of<X, A>()>);
  return detail::apply_along_elements<detail::arg_operation<detail::primitive::argmax, A, true>, A>(static_cast<X&&>(x));
}
/// The index (int64) of the first smallest element, of the first nan if there is one. Without an axis into the flattened tensor.
template <operand X>
constexpr auto argmin(X&& x) {
  (void)sizeof(detail::reduced_extent<detail::shape_of<X>, detail::reduced_count_of<X>()>);
  return detail::apply_along_elements<detail::flat_arg_operation<detail::primitive::argmin>>(static_cast<X&&>(x));
}
template <operand X, int A>
constexpr auto argmin(X&& x, axis_set<A>) {
  (void)sizeof(detail::axis_of_shape<detail::shape_of<X>, A>);
  (void)sizeof(detail::reduced_extent<detail::shape_of<X>, detail::reduced_count_of<X, A>()>);
  return detail::apply_along_elements<detail::arg_operation<detail::primitive::argmin, A, false>, A>(static_cast<X&&>(x));
}
template <operand X, int A>
constexpr auto argmin(X&& x, axis_set<A>, keep_dims_t) {
  (void)sizeof(detail::axis_of_shape<detail::shape_of<X>, A>);
  (void)sizeof(detail::reduced_extent<detail::shape_of<X>, detail::reduced_count_of<X, A>()>);
  return detail::apply_along_elements<detail::arg_operation<detail::primitive::argmin, A, true>, A>(static_cast<X&&>(x));
}
/// The running sum along an axis, the first element included.
template <operand X, int A>
constexpr auto cumulative_sum(X&& x, axis_set<A>) {
  (void)sizeof(detail::axis_of_shape<detail::shape_of<X>, A>);
  return detail::apply_along<detail::cumulative_operation<detail::primitive::cumulative_sum, A>, A>(static_cast<X&&>(x));
}
/// The running product along an axis, the first element included.
template <operand X, int A>
constexpr auto cumulative_prod(X&& x, axis_set<A>) {
  (void)sizeof(detail::axis_of_shape<detail::shape_of<X>, A>);
  return detail::apply_along<detail::cumulative_operation<detail::primitive::cumulative_prod, A>, A>(static_cast<X&&>(x));
}

}  // namespace DIMITY_NAMESPACE
