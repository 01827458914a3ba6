// Parameters to start from.
#pragma once

#include <dimity/core/philox.hpp>
#include <dimity/core/pytree.hpp>

#include <cmath>

namespace dimity::nn {
namespace detail {

using namespace dimity::detail;

/// Numbers of one model: leaf after leaf, each from its own key.
struct initializer {
  std::uint32_t key0, key1;
  std::uint32_t leaf = 0;

  /// Uniform in [-bound, bound), 24 bits each.
  template <class T>
  void fill(T* to, std::size_t n, double bound) {
    philox_block const own = philox4x32({{leaf++, 0, 0, 1}}, key0, key1);
    for (std::size_t i = 0; i < n; i += 4) {
      philox_block const block = philox4x32({{static_cast<std::uint32_t>(i / 4), static_cast<std::uint32_t>((i / 4) >> 32), 0, 0}}, own.word[0], own.word[1]);
      for (std::size_t j = 0; j < 4 && i + j < n; ++j) to[i + j] = static_cast<T>((static_cast<double>(block.word[j] >> 8) * 0x1p-23 - 1.0) * bound);
    }
  }
};

/// A layer that knows how many inputs each of its outputs sums over.
template <class X>
concept layer_with_fan_in = requires { X::fan_in; };

template <class X>
void initialize(X& x, initializer& init, double bound) {
  if constexpr (operand<X>) {
    if constexpr (is_floating(dtype_of<typename X::value_type>)) {
      // Outside of a layer: fan-in is the first axis of a matrix; a lone vector or scalar starts at zero.
      double own = bound;
      if (bound < 0) own = X::rank >= 2 ? 1.0 / std::sqrt(static_cast<double>(x.extent(0))) : 0.0;
      init.fill(x.data(), x.size(), own);
    }
  } else if constexpr (requires { x.initialize(init); }) {
    x.initialize(init);
  } else if constexpr (is_array<X>) {
    for (auto& e : x) initialize(e, init, bound);
  } else if constexpr (is_optional<X>) {
    if (x.has_value()) initialize(*x, init, bound);
  } else if constexpr (is_tuple<X>) {
    std::apply([&](auto&... e) { (initialize(e, init, bound), ...); }, x);
  } else if constexpr (!tree_leaf<X> && !static_leaf<X>) {
    (void)sizeof(takes_apart<X>);
    if constexpr (layer_with_fan_in<X>) bound = 1.0 / std::sqrt(static_cast<double>(X::fan_in));
    std::apply([&](auto&... e) { (initialize(e, init, bound), ...); }, fields_of(x));
  }
}

}  // namespace detail

/// A model with fresh parameters: `auto model = nn::init<mlp<float>>(key{42});`. Layers are uniform in +-1/sqrt(fan in), weights and biases
/// alike, as PyTorch's; tensors outside of a layer likewise with their first axis as fan in, vectors and scalars zero. Optionals that are not there when a Model is made stay so. The same key gives the same model
/// everywhere, in float and double alike up to rounding.
template <class Model, class Key>
Model init(Key const& key) {
  Model model{};
  detail::initializer init{static_cast<std::uint32_t>(key.words(0)), static_cast<std::uint32_t>(key.words(1))};
  detail::initialize(model, init, -1.0);
  return model;
}

}  // namespace dimity::nn
