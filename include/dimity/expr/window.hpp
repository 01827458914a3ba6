// Windows that slide over height and width, or over a length: what convolutions and pooling are told, and what fits.
#pragma once

#include <dimity/core/shape.hpp>

namespace DIMITY_NAMESPACE {

/// Height and width; one number stands for both. Along a length only the width counts.
struct size_2d {
  extent_t height = 0, width = 0;
  constexpr size_2d() = default;
  constexpr size_2d(extent_t both) : height(both), width(both) {}
  constexpr size_2d(extent_t h, extent_t w) : height(h), width(w) {}
  bool operator==(size_2d const&) const = default;
  constexpr extent_t operator[](int axis) const { return axis == 0 ? height : width; }
};
/// As padding: as many zeros as give ceil(extent / stride) windows, of an odd number one more behind (TensorFlow's SAME).
inline constexpr size_2d same_padding{-1, -1};

/// `conv2d<convolution_options{.stride = 2, .padding = 1}>(x, w)`: padding is the number of zeros on each side of the images; the elements that a kernel meets are `dilation` apart; channels
/// of the result depend on those of the images in the same one of `groups`.
struct convolution_options {
  size_2d stride = 1, padding = 0, dilation = 1;
  extent_t groups = 1;
};
/// `conv_transpose2d<..>(x, w)`: the options of the convolution of which it is the transpose, and how much more than the smallest result with which that gives images like x.
struct transposed_options {
  size_2d stride = 1, padding = 0, dilation = 1, output_padding = 0;
  extent_t groups = 1;
};
/// `max_pool2d<2>(x)`, `max_pool2d<3, pooling_options{.stride = 2, .padding = 1}>(x)`; windows lie side by side where no stride is given.
struct pooling_options {
  size_2d stride = 0, padding = 0, dilation = 1;
};

namespace detail {

/// Windows of one axis: a kernel of `kernel` elements on `in` elements.
struct sliding {
  extent_t in, kernel, stride, padding, dilation;

  constexpr extent_t span() const { return (kernel - 1) * dilation + 1; }
  constexpr bool is_valid() const { return kernel >= 1 && stride >= 1 && dilation >= 1 && padding >= -1; }
  constexpr extent_t count() const {
    if (padding < 0) return (in + stride - 1) / stride;
    extent_t const whole = in + 2 * padding - span();
    return whole < 0 ? 0 : whole / stride + 1;
  }
  constexpr extent_t before() const {
    if (padding >= 0) return padding;
    extent_t const missing = (count() - 1) * stride + span() - in;
    return missing > 0 ? missing / 2 : 0;
  }
};

/// What a window asks of the last `Axes` axes of images.
template <class Images, int Axes>
struct window_axes {
  static_assert(Images::rank >= Axes, "[dimity.window.1] convolution, pooling: too few axes for height and width, or a length, and channels (shape, axes)");
};
template <class Images, int Axes>
inline constexpr bool has_known_axes = [] {
  for (int i = 1; i <= Axes; ++i)
    if (Images::rank < i || Images::at(-i) < 0) return false;
  return true;
}();
template <class Images, int Axes>
struct known_window_axes {
  static_assert(Images::rank < Axes || has_known_axes<Images, Axes>, "[dimity.window.2] convolution, pooling: height, width and channels must be known at compile time; only axes before them may be chosen at run time");
};
template <bool Valid>
struct window_options {
  static_assert(Valid, "[dimity.window.3] convolution, pooling: kernel, stride, dilation and groups must be at least 1, padding at least 0 and, of pooling, less than the window, and output_padding less than the stride or the dilation");
};
template <extent_t Span, extent_t Padded>
struct window_fits {
  static_assert(Span <= Padded, "[dimity.window.4] convolution, pooling: the window is larger than the images with the zeros around them (window, padded extent)");
};

constexpr bool are_valid(sliding const& height, sliding const& width) { return height.is_valid() && width.is_valid(); }

}  // namespace detail
}  // namespace DIMITY_NAMESPACE
