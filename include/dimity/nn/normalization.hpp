// Normalisation of rows: layer_norm and rms_norm. One loop nest that reads and writes every row once, forwards; what is added or activated around it is in the same loop.
#pragma once

#include <dimity/expr/reductions.hpp>

namespace DIMITY_NAMESPACE::nn {

/// `nn::layer_norm<float, 64, nn::normalization_options{.eps = 1e-6}>`
struct normalization_options {
  double eps = 1e-5;  ///< added to the variance or mean square, as in PyTorch
};

namespace detail {

using namespace dimity::detail;

/// The extents and options among the template arguments of a layer: extents first, options at most once and last.
template <class T, extent_t... E>
struct normalized_axes {
  using tensor = dimity::tensor<T, E...>;
  using shape = dimity::shape<E...>;
};
constexpr bool is_extent(normalization_options) { return false; }
constexpr bool is_extent(std::integral auto) { return true; }
constexpr extent_t extent_among(normalization_options) { return 1; }
constexpr extent_t extent_among(std::integral auto e) { return static_cast<extent_t>(e); }
constexpr normalization_options options_among() { return {}; }
constexpr normalization_options options_among(normalization_options o) { return o; }
constexpr normalization_options options_among(std::integral auto, auto... rest) { return options_among(rest...); }

template <class T, class Extents, auto... Arguments>
struct normalization_arguments;
template <class T, extent_t... E, auto... Rest>
struct normalization_arguments<T, dimity::shape<E...>, Rest...> : normalized_axes<T, E...> {};
template <class T, extent_t... E, auto First, auto... Rest>
  requires(is_extent(First))
struct normalization_arguments<T, dimity::shape<E...>, First, Rest...> : normalization_arguments<T, dimity::shape<E..., extent_among(First)>, Rest...> {};

template <class Input, class Layer>
struct normalized_input {
  static constexpr int mismatch() {
    for (int i = 1; i <= Layer::rank && i <= Input::rank; ++i)
      if (!may_be_equal(Input::at(-i), Layer::at(-i))) return i;
    return 0;
  }
  static constexpr bool fits = Input::rank >= Layer::rank && mismatch() == 0;
  static constexpr extent_t input = mismatch() == 0 ? 1 : Input::at(-mismatch()), layer = mismatch() == 0 ? 1 : Layer::at(-mismatch());
  static_assert(Input::rank >= Layer::rank, "[dimity.nn.2] layer_norm, rms_norm: the last axes of the input must be those of the layer");
  static_assert(input == layer, "[dimity.nn.2] layer_norm, rms_norm: the last axes of the input must be those of the layer");
};

constexpr std::uint32_t last_axes(ref x, ref weight) { return ((1u << weight.rank()) - 1u) << (x.rank() - weight.rank()); }
constexpr ref reciprocal_root(ref mean_square, double eps) { return unary(primitive::rsqrt, mean_square + eps); }

template <normalization_options Options>
struct layer_norm_operation {
  static constexpr ref emit(builder&, ref a, ref weight, ref bias) {
    ref const x = as_floating(a);
    std::uint32_t const mask = last_axes(x, weight);
    ref const centred = x - mean_of(x, mask, true);
    return centred * reciprocal_root(mean_of(unary(primitive::square, centred), mask, true), Options.eps) * weight + bias;
  }
};
template <normalization_options Options>
struct rms_norm_operation {
  static constexpr ref emit(builder&, ref a, ref weight) {
    ref const x = as_floating(a);
    return x * reciprocal_root(mean_of(unary(primitive::square, x), last_axes(x, weight), true), Options.eps) * weight;
  }
};
template <class Operation, class X, class W, class... B>
constexpr auto normalize(X&& x, W const& weight, B const&... bias) {
  if constexpr (normalized_input<shape_of<X>, shape_of<W>>::fits) return apply<Operation>(static_cast<X&&>(x), weight, bias...);
  else return failed<element_of<X>, shape_of<X>>{};
}

}  // namespace detail

/// (x - mean) / sqrt(variance + eps) * weight + bias over the last axes, whose extents are the layer's: x is [.., Extents...], mean and variance (of the population) are those of each row. `nn::layer_norm<float, 64>`, over two axes `nn::layer_norm<float, 8, 64>`.
/// weight starts at 1 and bias at 0. The mean is subtracted before squares are taken, so large means cost no accuracy. Ba, Kiros and Hinton, "Layer normalization", 2016.
template <class T, auto... ExtentsAndOptions>
struct layer_norm {
  using extents = detail::normalization_arguments<T, shape<>, ExtentsAndOptions...>;
  typename extents::tensor weight, bias;

  constexpr auto operator()(auto&& x) const {
    (void)sizeof(detail::normalized_input<dimity::detail::shape_of<decltype(x)>, typename extents::shape>);
    return detail::normalize<detail::layer_norm_operation<detail::options_among(ExtentsAndOptions...)>>(static_cast<decltype(x)>(x), weight, bias);
  }
  constexpr void initialize(auto&) {
    for (auto& e : weight) e = T(1);
    for (auto& e : bias) e = T(0);
  }
};
/// x / sqrt(mean(x^2) + eps) * weight over the last axes; weight starts at 1. `nn::rms_norm<float, 64>`. Zhang and Sennrich, "Root mean square layer normalization", 2019.
template <class T, auto... ExtentsAndOptions>
struct rms_norm {
  using extents = detail::normalization_arguments<T, shape<>, ExtentsAndOptions...>;
  typename extents::tensor weight;

  constexpr auto operator()(auto&& x) const {
    (void)sizeof(detail::normalized_input<dimity::detail::shape_of<decltype(x)>, typename extents::shape>);
    return detail::normalize<detail::rms_norm_operation<detail::options_among(ExtentsAndOptions...)>>(static_cast<decltype(x)>(x), weight);
  }
  constexpr void initialize(auto&) {
    for (auto& e : weight) e = T(1);
  }
};

}  // namespace DIMITY_NAMESPACE::nn
