// Parameters to start from. A layer with a member `initialize(init)` fills its own: `init.fill(data, size, bound)`, `init.fill_normal(data, size, deviation)`.
#pragma once

#include <dimity/core/philox.hpp>
#include <dimity/core/pytree.hpp>

#include <cmath>

namespace DIMITY_NAMESPACE::nn {
namespace detail {

using namespace dimity::detail;

/// Numbers of one model: leaf after leaf, each from its own key.
struct initializer {
  std::uint32_t key0, key1;
  std::uint32_t leaf = 0;

  /// Uniform in [-bound, bound), 24 bits each.
  template <class T>
  void fill(T* to, std::size_t n, double bound) {
    fill_blocks(to, n, [=](philox_block const& block, std::size_t j) { return (static_cast<double>(block.word[j] >> 8) * 0x1p-23 - 1.0) * bound; });
  }
  /// Normal with mean 0, two from two words: Box and Muller, "A note on the generation of random normal deviates", 1958. Largest magnitude 6.7 deviations.
  template <class T>
  void fill_normal(T* to, std::size_t n, double deviation) {
    fill_blocks(to, n, [=](philox_block const& block, std::size_t j) {
      double const radius = std::sqrt(-2.0 * std::log((static_cast<double>(block.word[j & 2]) + 1.0) * 0x1p-32)), angle = static_cast<double>(block.word[j | 1]) * (6.283185307179586 * 0x1p-32);
      return deviation * radius * ((j & 1) != 0 ? std::sin(angle) : std::cos(angle));
    });
  }

 private:
  /// value(block, j) for j from 0 to 3 of each block.
  template <class T, class F>
  void fill_blocks(T* to, std::size_t n, F const& value) {
    philox_block const own = philox4x32({{leaf++, 0, 0, 1}}, key0, key1);
    for (std::size_t i = 0; i < n; i += 4) {
      philox_block const block = philox4x32({{static_cast<std::uint32_t>(i / 4), static_cast<std::uint32_t>((i / 4) >> 32), 0, 0}}, own.word[0], own.word[1]);
      for (std::size_t j = 0; j < 4 && i + j < n; ++j) to[i + j] = static_cast<T>(value(block, j));
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
/// alike, as PyTorch's, if they say nothing else; tensors outside of a layer likewise with their first axis as fan in, vectors and scalars zero. Optionals that are not there when a Model is made stay so. The same key gives the same model
/// everywhere, in float and double alike up to rounding.
template <class Model, class Key>
Model init(Key const& key) {
  Model model{};
  detail::initializer init{static_cast<std::uint32_t>(key.words(0)), static_cast<std::uint32_t>(key.words(1))};
  detail::initialize(model, init, -1.0);
  return model;
}

}  // namespace DIMITY_NAMESPACE::nn
