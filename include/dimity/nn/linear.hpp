// Layers. A layer is a plain aggregate template over its scalar; its fields are its parameters.
#pragma once

#include <dimity/expr/contraction.hpp>
#include <dimity/expr/operators.hpp>

namespace dimity::nn {

/// y = x W + b with W of shape [In, Out] and b of shape [Out]; x is [.., In]. As in PyTorch both start uniform in +-1/sqrt(In).
template <class T, extent_t In, extent_t Out>
struct linear {
  tensor<T, In, Out> weight;
  tensor<T, Out> bias;

  constexpr auto operator()(auto const& x) const { return matmul(x, weight) + bias; }
  /// How many inputs each output sums over; nn::init scales with it.
  static constexpr extent_t fan_in = In;
};

/// y = x W with W of shape [In, Out].
template <class T, extent_t In, extent_t Out>
struct linear_without_bias {
  tensor<T, In, Out> weight;

  constexpr auto operator()(auto const& x) const { return matmul(x, weight); }
  static constexpr extent_t fan_in = In;
};

}  // namespace dimity::nn
