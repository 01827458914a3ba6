// The primitives window_max, select_and_gather and select_and_scatter: windows that slide over images.
#pragma once

#include <dimity/exec/cpu/convolution_geometry.hpp>
#include <dimity/exec/cpu/evaluate.hpp>
#include <dimity/exec/cpu/operands.hpp>

#include <limits>

namespace DIMITY_NAMESPACE::detail {

/// The place of a window's first largest element, or of its first nan, in an image with rows `row` and columns `column` elements apart; -1 where no element lies inside.
template <class T>
extent_t place_of_largest(convolution_geometry const& g, T const* image, extent_t row, extent_t column, extent_t oh, extent_t ow) {
  extent_t best = -1;
  T largest{};
  for (extent_t kh = 0; kh < g.kernel[0]; ++kh) {
    extent_t const h = oh * g.stride[0] + kh * g.dilation[0] - g.before[0];
    if (h < 0 || h >= g.in[0]) continue;
    for (extent_t kw = 0; kw < g.kernel[1]; ++kw) {
      extent_t const v = ow * g.stride[1] + kw * g.dilation[1] - g.before[1];
      if (v < 0 || v >= g.in[1]) continue;
      T const x = image[h * row + v * column];
      if (best < 0 || (largest == largest && (largest < x || x != x))) {
        best = h * g.in[1] + v;
        largest = x;
      }
    }
  }
  return best;
}
/// f(place in the image, number of the window) for each window of one image.
template <class T, class F>
DIMITY_INLINE void for_each_largest(convolution_geometry const& g, T const* image, extent_t row, extent_t column, F const& f) {
  extent_t window = 0;
  for (extent_t oh = 0; oh < g.out[0]; ++oh)
    for (extent_t ow = 0; ow < g.out[1]; ++ow, ++window)
      if (extent_t const place = place_of_largest(g, image, row, column, oh, ow); place >= 0) f(place, window);
}

/// Whether rows of windows can be computed in vectors: neighbouring windows read elements that are one or two apart, and no window reaches over the sides.
constexpr bool has_vector_windows(convolution_geometry const& g) {
  return (g.stride[1] == 1 || g.stride[1] == 2) && g.before[1] == 0 && (g.out[1] - 1) * g.stride[1] + (g.kernel[1] - 1) * g.dilation[1] < g.in[1];
}
/// `count` <= lanes elements, `Apart` apart; reads nothing behind the last.
template <int Apart, class T, int W>
DIMITY_INLINE vec<T, W> load_apart(T const* from, int count) {
  if constexpr (Apart == 1) return count == W ? load_lanes<T, W>(from) : load_first<T, W>(from, count);
  else return load_every_second<T, W>(from, count);
}
template <int Apart, class T>
void window_max_rows(convolution_geometry const& g, T const* image, extent_t row, T* to) {
  constexpr int W = native_lanes<T>();
  for (extent_t oh = 0; oh < g.out[0]; ++oh, to += g.out[1])
    for (extent_t ow = 0; ow < g.out[1]; ow += W) {
      int const count = g.out[1] - ow < W ? static_cast<int>(g.out[1] - ow) : W;
      vec<T, W> best = broadcast_to_lanes<T, W>(-std::numeric_limits<T>::infinity());
      for (extent_t kh = 0; kh < g.kernel[0]; ++kh) {
        extent_t const h = oh * g.stride[0] + kh * g.dilation[0] - g.before[0];
        if (h < 0 || h >= g.in[0]) continue;
        for (extent_t kw = 0; kw < g.kernel[1]; ++kw)
          best.p[0] = binary_value<primitive::maximum>(best.p[0], load_apart<Apart, T, W>(image + h * row + ow * Apart + kw * g.dilation[1], count).p[0]);
      }
      if (count == W) store_lanes<T, W>(to + ow, best);
      else store_first<T, W>(to + ow, best, count);
    }
}

/// Whether windows are two columns wide and lie side by side, as nearly always where networks shrink their images.
constexpr bool has_pairs(convolution_geometry const& g) {
  return has_vector_windows(g) && g.stride[1] == 2 && g.kernel[1] == 2 && g.dilation[1] == 1 && g.stride[0] >= (g.kernel[0] - 1) * g.dilation[0] + 1;
}
/// select_and_scatter of such windows, into zeros.
template <class T>
void scatter_to_pairs(convolution_geometry const& g, T const* image, extent_t row, T const* t, extent_t t_row, T* to) {
  constexpr int W = native_lanes<T>();
  using lanes = native_batch<T>;
  lanes const zero(T(0));
  for (extent_t oh = 0; oh < g.out[0]; ++oh)
    for (extent_t ow = 0; ow < g.out[1]; ow += W) {
      int const count = g.out[1] - ow < W ? static_cast<int>(g.out[1] - ow) : W;
      auto const each_row = [&](auto const& f) DIMITY_INLINE_LAMBDA {
        for (extent_t kh = 0; kh < g.kernel[0]; ++kh) {
          extent_t const h = oh * g.stride[0] + kh * g.dilation[0] - g.before[0];
          if (h < 0 || h >= g.in[0]) continue;
          T const* const from = image + h * row + 2 * ow;
          f(h, load_every_second<T, W>(from, count).p[0], load_every_second<T, W>(from + 1, count).p[0]);
        }
      };
      lanes best(-std::numeric_limits<T>::infinity());
      each_row([&](extent_t, lanes const& even, lanes const& odd) DIMITY_INLINE_LAMBDA { best = binary_value<primitive::maximum>(best, binary_value<primitive::maximum>(even, odd)); });
      lanes left = count == W ? lanes::load_unaligned(t + oh * t_row + ow) : load_first<T, W>(t + oh * t_row + ow, count).p[0];
      // What a window's largest element has taken is zero for the others.
      auto const take = [&](lanes const& x) DIMITY_INLINE_LAMBDA {
        auto const is_best = (x == best) || differs(x, x);
        lanes const taken = choose(is_best, left, zero);
        left = choose(is_best, zero, left);
        return taken;
      };
      each_row([&](extent_t h, lanes const& even, lanes const& odd) DIMITY_INLINE_LAMBDA {
        lanes const first = take(even), second = take(odd);
        store_alternating<T, W>(to + h * g.in[1] + 2 * ow, {{first}}, {{second}}, count);
      });
    }
}

template <class Plan, int Index>
struct window_step : primitive_facts<Plan, Index> {
  using facts = primitive_facts<Plan, Index>;
  using facts::result, facts::s;
  using T = typename facts::T;
  static constexpr convolution_geometry geometry = geometry_from(Plan::value.pool + s.attribute);

  static void run(void* const* slots) {
    T* to = result(slots);
    auto const x = facts::template operand<0>(slots);
    extent_t const images = x.shape.extent[0], row = x.stride[1], column = x.stride[2];
    for (extent_t m = 0; m < images; ++m) {
      T const* const image = x.data + m * x.stride[0];
      if constexpr (s.op == primitive::window_max) {
        largest(image, row, column, to);
        to += geometry.out_size();
      } else if constexpr (s.op == primitive::select_and_gather) {
        auto const u = facts::template operand<1>(slots);
        T const* const from = u.data + m * u.stride[0];
        fill_outputs(to, T(0));
        for_each_largest(geometry, image, row, column, [&](extent_t place, extent_t window) { to[window] = from[place / geometry.in[1] * u.stride[1] + place % geometry.in[1] * u.stride[2]]; });
        to += geometry.out_size();
      } else {
        auto const t = facts::template operand<1>(slots);
        T const* const from = t.data + m * t.stride[0];
        scatter(image, row, column, from, t.stride[1], t.stride[2], to);
        to += geometry.in_size();
      }
    }
  }
  static void scatter(T const* image, extent_t row, extent_t column, T const* from, extent_t t_row, extent_t t_column, T* to) {
    for (extent_t i = 0; i < geometry.in_size(); ++i) to[i] = T(0);
    if constexpr (std::is_floating_point_v<T> && !runs_scalar<Plan> && has_pairs(geometry))
      if (column == 1 && t_column == 1) return scatter_to_pairs(geometry, image, row, from, t_row, to);
    for_each_largest(geometry, image, row, column, [&](extent_t place, extent_t window) { to[place] = to[place] + from[window / geometry.out[1] * t_row + window % geometry.out[1] * t_column]; });
  }
  /// Of windows without elements.
  static constexpr T lowest() {
    if constexpr (std::numeric_limits<T>::has_infinity) return -std::numeric_limits<T>::infinity();
    else if constexpr (std::numeric_limits<T>::is_specialized) return std::numeric_limits<T>::lowest();
    else return T(-std::numeric_limits<double>::infinity());
  }
  static void fill_outputs(T* to, T value) {
    for (extent_t i = 0; i < geometry.out_size(); ++i) to[i] = value;
  }
  static void largest(T const* image, extent_t row, extent_t column, T* to) {
    if constexpr (std::is_floating_point_v<T> && !runs_scalar<Plan> && has_vector_windows(geometry))
      if (column == 1) return window_max_rows<geometry.stride[1]>(geometry, image, row, to);
    fill_outputs(to, lowest());
    for_each_largest(geometry, image, row, column, [&](extent_t place, extent_t window) { to[window] = image[place / geometry.in[1] * row + place % geometry.in[1] * column]; });
  }
};

}  // namespace DIMITY_NAMESPACE::detail
