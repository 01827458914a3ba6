// Maxima and means of windows that slide over images and signals.
#pragma once

#include <dimity/expr/expression.hpp>
#include <dimity/expr/rules.hpp>
#include <dimity/expr/window.hpp>
#include <dimity/program/emit_pooling.hpp>

namespace DIMITY_NAMESPACE {
namespace detail {

/// Windows lie side by side unless a stride is given.
constexpr sliding pooling_window(size_2d kernel, pooling_options const& o, int axis, extent_t in) {
  return {in, kernel[axis], o.stride[axis] == 0 ? kernel[axis] : o.stride[axis], o.padding[axis], o.dilation[axis]};
}

template <size_2d Kernel, pooling_options Options, int Spatial>
struct max_pooling_operation {
  static constexpr ref emit(builder&, ref x) {
    if (x.type() == dtype::boolean) x = cast(x, dtype::int64);
    shape_value images, result = x.shape();
    amount n = 1;
    for (int i = 0; i < x.rank() - Spatial; ++i) n *= x.extent(i);
    images.push(n);
    convolution_geometry c;
    for (int i = 2 - Spatial; i < 2; ++i) {
      sliding const s = pooling_window(Kernel, Options, i, x.extent(x.rank() - 2 + i).number());
      c.in[i] = s.in;
      c.kernel[i] = s.kernel;
      c.out[i] = s.count();
      c.stride[i] = s.stride;
      c.dilation[i] = s.dilation;
      c.before[i] = s.before();
      result.extent[x.rank() - 2 + i] = s.count();
    }
    images.push(c.in[0]);
    images.push(c.in[1]);
    return reshape(window_max(reshape(x, images), c), result);
  }
};
/// Elementwise over the elements of each window, of which there are few: nothing is copied but for zeros around, and work before and after is in the same kernel.
template <size_2d Kernel, pooling_options Options, int Spatial>
struct mean_pooling_operation {
  static constexpr ref emit(builder&, ref x) {
    x = cast(x, floating_result(x.type()));
    double elements = 1;
    for (int i = 2 - Spatial; i < 2; ++i) {
      int const axis = x.rank() - 2 + i;
      sliding const s = pooling_window(Kernel, Options, i, x.extent(axis).number());
      extent_t const behind = (s.count() - 1) * s.stride + s.span() - s.padding - s.in;
      ref const wide = s.padding > 0 || behind > 0 ? pad_axis(x, axis, s.padding, behind > 0 ? behind : 0) : x;
      ref all;
      for (extent_t k = 0; k < s.kernel; ++k) {
        ref const one = slice_axis(wide, axis, k * s.dilation, s.count(), s.stride);
        all = k == 0 ? one : all + one;
      }
      x = all;
      elements *= static_cast<double>(s.kernel);
    }
    return x * (1 / elements);
  }
};

template <size_2d Kernel, pooling_options Options, int Spatial, class Images>
struct pooling_check {
  static constexpr bool known = Images::rank >= Spatial && has_known_axes<Images, Spatial>;
  static constexpr sliding along(int axis) {
    if (Spatial == 1 && axis == 0) return {1, 1, 1, 0, 1};
    extent_t in = 1;
    if constexpr (Images::rank >= Spatial) in = Images::at(axis - 2 < -Images::rank ? -1 : axis - 2);
    return pooling_window(Kernel, Options, axis, in);
  }
  static constexpr bool valid = !known || (are_valid(along(0), along(1)) && along(0).padding >= 0 && along(1).padding >= 0 && along(0).padding < along(0).span() && along(1).padding < along(1).span());
  static constexpr int narrow = !known || !valid ? -1 : along(0).count() < 1 && along(0).in > 0 ? 0 : along(1).count() < 1 && along(1).in > 0 ? 1 : -1;
  static constexpr extent_t span = narrow < 0 ? 0 : along(narrow).span(), padded = narrow < 0 ? 0 : along(narrow).in + 2 * along(narrow).padding;
  static constexpr bool value = known && valid && narrow < 0;
};
template <class Operation, size_2d Kernel, pooling_options Options, int Spatial, class X>
constexpr auto pool(X&& x) {
  using images = shape_of<X>;
  using check = pooling_check<Kernel, Options, Spatial, images>;
  (void)sizeof(window_axes<images, Spatial>);
  (void)sizeof(known_window_axes<images, Spatial>);
  (void)sizeof(window_options<check::valid>);
  (void)sizeof(window_fits<check::span, check::padded>);
  if constexpr (check::value) return apply<Operation>(static_cast<X&&>(x));
  else return failed<element_of<X>, images>{};
}

}  // namespace detail

/// The largest element of each window: [.., height, width] -> [.., height out, width out], as PyTorch's max_pool2d: `max_pool2d<2>(x)`, `max_pool2d<3, pooling_options{.stride = 2, .padding = 1}>(x)`.
/// Elements that do not fill a window at the end are left out. nan where the window has one. The gradient goes to the first of equal largest elements.
template <size_2d Kernel, pooling_options Options = pooling_options{}, operand X>
constexpr auto max_pool2d(X&& x) {
  return detail::pool<detail::max_pooling_operation<Kernel, Options, 2>, Kernel, Options, 2>(static_cast<X&&>(x));
}
/// [.., length] -> [.., length out]
template <extent_t Kernel, pooling_options Options = pooling_options{}, operand X>
constexpr auto max_pool1d(X&& x) {
  return detail::pool<detail::max_pooling_operation<size_2d{1, Kernel}, Options, 1>, size_2d{1, Kernel}, Options, 1>(static_cast<X&&>(x));
}
/// The mean of each window, the zeros around the images among them: [.., height, width] -> [.., height out, width out]. Integers become double.
template <size_2d Kernel, pooling_options Options = pooling_options{}, operand X>
constexpr auto avg_pool2d(X&& x) {
  return detail::pool<detail::mean_pooling_operation<Kernel, Options, 2>, Kernel, Options, 2>(static_cast<X&&>(x));
}
/// [.., length] -> [.., length out]
template <extent_t Kernel, pooling_options Options = pooling_options{}, operand X>
constexpr auto avg_pool1d(X&& x) {
  return detail::pool<detail::mean_pooling_operation<size_2d{1, Kernel}, Options, 1>, size_2d{1, Kernel}, Options, 1>(static_cast<X&&>(x));
}

}  // namespace DIMITY_NAMESPACE
