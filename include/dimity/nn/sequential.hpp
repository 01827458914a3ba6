// Layers of layers: one after the other, and around one.
#pragma once

#include <dimity/nn/linear.hpp>
#include <dimity/transform/compile.hpp>

#include <cstddef>
#include <tuple>

namespace DIMITY_NAMESPACE::nn {
namespace detail {

struct layers_in_turn {
  template <class... Layers, class X>
  constexpr auto operator()(std::tuple<Layers...> const& layers, X const& x) const {
    return from<0>(layers, x);
  }

 private:
  template <std::size_t I, class... Layers, class X>
  static constexpr auto from(std::tuple<Layers...> const& layers, X const& x) {
    if constexpr (I == sizeof...(Layers)) return x;
    else return from<I + 1>(layers, std::get<I>(layers)(x));
  }
};

}  // namespace detail

/// The layers in turn: `nn::sequential<nn::linear<T, 64, 32>, activation, nn::linear<T, 32, 10>>`, where activation is any captureless function of one argument, `using activation = decltype([](auto const& x) { return relu(x); })`.
/// Parameters are named by position, as in PyTorch: "0.weight", "2.bias". A call on tensors is compiled as a whole.
template <class... Layers>
struct sequential {
  std::tuple<Layers...> layers;

  constexpr auto operator()(auto const& x) const { return compile(detail::layers_in_turn{})(layers, x); }
  /// The field's name is no part of parameters' names.
  static constexpr bool fields_are_unnamed = true;
};

/// x + layer(x). He et al., "Deep residual learning for image recognition", 2015.
template <class Layer>
struct residual {
  Layer layer;

  template <class X>
  constexpr auto operator()(X&& x) const {
    decltype(auto) same = detail::once_more<X>(x);
    return static_cast<decltype(same)&&>(same) + layer(static_cast<X&&>(x));
  }
};

}  // namespace DIMITY_NAMESPACE::nn
