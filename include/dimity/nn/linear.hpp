// Layers. A layer is a plain aggregate template over its scalar; its fields are its parameters.
#pragma once

#include <dimity/expr/contraction.hpp>
#include <dimity/expr/operators.hpp>

namespace DIMITY_NAMESPACE::nn {
namespace detail {

// Layers take what they are given as operators do: named tensors as views, temporaries by moving them in, so that the expression they return may be kept.

/// For who uses what it was given as X&& several times: a named one again, a copy of a temporary.
template <class X>
constexpr decltype(auto) once_more(std::remove_reference_t<X>& x) {
  if constexpr (std::is_lvalue_reference_v<X>) return (x);
  else return std::remove_cv_t<X>(x);
}

template <class Input, class Weight>
struct linear_input {
  static constexpr extent_t input = dimity::detail::may_be_equal(Input::at(-1), Weight::at(0)) ? 1 : Input::at(-1), inputs = dimity::detail::may_be_equal(Input::at(-1), Weight::at(0)) ? 1 : Weight::at(0);
  static_assert(input == inputs, "[dimity.nn.1] linear: the last axis of the input must have the layer's number of inputs (rows of its weight in the matmul)");
};
/// x W, or what stands for it after a mistake.
template <class X, class T, extent_t In, extent_t Out>
constexpr auto product(X&& x, tensor<T, In, Out> const& weight) {
  using input = dimity::detail::shape_of<X>;
  if constexpr (input::rank > 0 && dimity::detail::may_be_equal(input::at(-1), In)) return matmul(static_cast<X&&>(x), weight);
  else return dimity::detail::failed_product<typename dimity::detail::untraced_type<T>::type, input, shape<In, Out>>();
}

}  // namespace detail

/// y = x W + b with W of shape [In, Out] and b of shape [Out]; x is [.., In]. As in PyTorch both start uniform in +-1/sqrt(In).
template <class T, extent_t In, extent_t Out>
struct linear {
  tensor<T, In, Out> weight;
  tensor<T, Out> bias;

  constexpr auto operator()(auto&& x) const {
    (void)sizeof(detail::linear_input<dimity::detail::shape_of<decltype(x)>, shape<In, Out>>);
    return detail::product(static_cast<decltype(x)>(x), weight) + bias;
  }
  /// How many inputs each output sums over; nn::init scales with it.
  static constexpr extent_t fan_in = In;
};

/// y = x W with W of shape [In, Out].
template <class T, extent_t In, extent_t Out>
struct linear_without_bias {
  tensor<T, In, Out> weight;

  constexpr auto operator()(auto&& x) const {
    (void)sizeof(detail::linear_input<dimity::detail::shape_of<decltype(x)>, shape<In, Out>>);
    return detail::product(static_cast<decltype(x)>(x), weight);
  }
  static constexpr extent_t fan_in = In;
};

}  // namespace DIMITY_NAMESPACE::nn
