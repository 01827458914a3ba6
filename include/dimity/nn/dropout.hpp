// Dropout. The key is an argument, as in JAX: what is dropped is decided by it alone.
#pragma once

#include <dimity/expr/random.hpp>
#include <dimity/expr/reductions.hpp>

namespace DIMITY_NAMESPACE {
namespace detail {

struct dropout_operation {
  static constexpr ref emit(builder&, ref x, ref key, ref probability) {
    ref const value = as_floating(x);
    ref const p = cast(probability, dtype::float32);
    // A plain 0 in a traced function: nothing is drawn. Equal nodes are one node.
    if (p.id == full_like(p, 0).id) return value;
    ref const keep = 1 - p;
    // With nothing to keep, 1 / keep would make the gradient 0 * inf.
    ref const scale = select(less(full_like(keep, 0), keep), 1 / keep, full_like(keep, 0));
    ref const kept = less(unit_uniform(key, dtype::float32, value.shape()), broadcast_to(keep, value.shape()));
    return select(kept, value * broadcast_to(cast(scale, value.type()), value.shape()), full_like(value, 0));
  }
};

}  // namespace detail

namespace nn {

/// Each element of x is 0 with the given probability and otherwise divided by 1 - probability, so that its expectation stays: `h = nn::dropout(h, k, 0.1f)`. The probability is a number or a tensor that broadcasts to x, in [0, 1]; at 0 x is as it was. The gradient has the same zeros, as
/// long as the key is the same, so derive one for each step and each use (`random::fold_in(k, step)`, `random::split`), and leave dropout out when the model is not trained. A dropped nan is 0.
/// Under vmap with one key all entries have the same zeros. Costs 32 random bits an element, made by one pass before the loop that x is in. Srivastava et al., "Dropout: a simple way to prevent neural networks from overfitting", 2014.
template <operand X, class K, detail::random_parameter P>
constexpr auto dropout(X&& x, basic_key<K> const& k, P&& probability) {
  using parameter = decltype(detail::as_parameter<float>(static_cast<P&&>(probability)));
  (void)sizeof(detail::parameter_shapes<detail::shape_of<X>, detail::shape_of<parameter>>);
  // The words are copied: the expression may outlive a temporary key.
  if constexpr (detail::parameter_fit<detail::shape_of<X>, detail::shape_of<parameter>>::value)
    return detail::apply<detail::dropout_operation>(static_cast<X&&>(x), tensor<K, 2>(k.words), detail::as_parameter<float>(static_cast<P&&>(probability)));
  else return detail::failed<detail::element_of<X>, detail::shape_of<X>>{};
}

}  // namespace nn
}  // namespace DIMITY_NAMESPACE
