// Convolutional layers. Weights are laid out as PyTorch's.
#pragma once

#include <dimity/expr/convolution.hpp>
#include <dimity/expr/layout.hpp>
#include <dimity/expr/operators.hpp>

namespace DIMITY_NAMESPACE::nn {

/// y = conv2d(x, weight) + bias: [.., In, height, width] -> [.., Out, height out, width out]. `nn::conv2d<T, 1, 8, 3, convolution_options{.padding = 1}>`; weights and bias start uniform in +-1/sqrt(fan in), as in PyTorch.
template <class T, extent_t In, extent_t Out, size_2d Kernel, convolution_options Options = convolution_options{}>
struct conv2d {
  tensor<T, Out, In / Options.groups, Kernel.height, Kernel.width> weight;
  tensor<T, Out> bias;

  constexpr auto operator()(auto&& x) const { return dimity::conv2d<Options>(static_cast<decltype(x)>(x), weight) + expand_dims<1, 2>(bias); }
  static constexpr extent_t fan_in = In / Options.groups * Kernel.height * Kernel.width;
};
/// Without the bias, as in front of a normalisation.
template <class T, extent_t In, extent_t Out, size_2d Kernel, convolution_options Options = convolution_options{}>
struct conv2d_without_bias {
  tensor<T, Out, In / Options.groups, Kernel.height, Kernel.width> weight;

  constexpr auto operator()(auto&& x) const { return dimity::conv2d<Options>(static_cast<decltype(x)>(x), weight); }
  static constexpr extent_t fan_in = In / Options.groups * Kernel.height * Kernel.width;
};
/// y = conv1d(x, weight) + bias: [.., In, length] -> [.., Out, length out]
template <class T, extent_t In, extent_t Out, extent_t Kernel, convolution_options Options = convolution_options{}>
struct conv1d {
  tensor<T, Out, In / Options.groups, Kernel> weight;
  tensor<T, Out> bias;

  constexpr auto operator()(auto&& x) const { return dimity::conv1d<Options>(static_cast<decltype(x)>(x), weight) + expand_dims<1>(bias); }
  static constexpr extent_t fan_in = In / Options.groups * Kernel;
};
/// y = conv_transpose2d(x, weight) + bias: [.., In, height, width] -> [.., Out, height out, width out], larger where the stride is more than 1.
template <class T, extent_t In, extent_t Out, size_2d Kernel, transposed_options Options = transposed_options{}>
struct conv_transpose2d {
  tensor<T, In, Out / Options.groups, Kernel.height, Kernel.width> weight;
  tensor<T, Out> bias;

  constexpr auto operator()(auto&& x) const { return dimity::conv_transpose2d<Options>(static_cast<decltype(x)>(x), weight) + expand_dims<1, 2>(bias); }
  static constexpr extent_t fan_in = Out / Options.groups * Kernel.height * Kernel.width;
};
/// y = conv_transpose1d(x, weight) + bias: [.., In, length] -> [.., Out, length out]
template <class T, extent_t In, extent_t Out, extent_t Kernel, transposed_options Options = transposed_options{}>
struct conv_transpose1d {
  tensor<T, In, Out / Options.groups, Kernel> weight;
  tensor<T, Out> bias;

  constexpr auto operator()(auto&& x) const { return dimity::conv_transpose1d<Options>(static_cast<decltype(x)>(x), weight) + expand_dims<1>(bias); }
  static constexpr extent_t fan_in = Out / Options.groups * Kernel;
};

}  // namespace DIMITY_NAMESPACE::nn
