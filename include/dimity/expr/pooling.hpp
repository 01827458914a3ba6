// Maxima and means of windows that slide over images and signals.
#pragma once

#include <dimity/expr/expression.hpp>
#include <dimity/expr/rules.hpp>
#include <dimity/expr/window.hpp>
#include <dimity/program/emit_layout.hpp>

#include <limits>

namespace dimity {
namespace detail {

/// Windows lie side by side unless a stride is given.
constexpr sliding pooling_window(size_2d kernel, pooling_options const& o, int axis, extent_t in) {
  return {in, kernel[axis], o.stride[axis] == 0 ? kernel[axis] : o.stride[axis], o.padding[axis], o.dilation[axis]};
}

/// x with `outside` around an axis; the kernel that reads it replaces zeros, so that this costs what zeros cost.
constexpr ref surround(ref x, int axis, sliding const& s, double outside) {
  extent_t const before = s.before(), needed = (s.count() - 1) * s.stride + s.span() - before - s.in, after = needed > 0 ? needed : 0;
  if (before == 0 && after == 0) return x;
  ref const wide = pad_axis(x, axis, before, after);
  if (outside == 0) return wide;
  builder& g = *x.g;
  shape_value const shape = wide.shape();
  ref const place = iota(g, dtype::int64, shape, axis);
  ref const too_low = less(place, full(g, dtype::int64, shape, static_cast<double>(before))), too_high = less(full(g, dtype::int64, shape, static_cast<double>(before + s.in - 1)), place);
  return select(binary(primitive::bitwise_or, too_low, too_high), full(g, x.type(), shape, outside), wide);
}
constexpr double lowest_value(dtype type) {
  if (is_floating(type)) return -std::numeric_limits<double>::infinity();
  if (!is_signed_integer(type)) return 0;
  double lowest = -1;
  for (std::size_t i = 1; i < 8 * size_of(type); ++i) lowest *= 2;
  return lowest;
}

/// Elementwise over the elements of each window, of which there are few: nothing is copied, and work before and after is in the same kernel.
template <primitive Op, size_2d Kernel, pooling_options Options, int Spatial>
struct pooling_operation {
  static constexpr ref emit(builder&, ref x) {
    if (x.type() == dtype::boolean) x = cast(x, dtype::int64);
    if (Op == primitive::add) x = cast(x, floating_result(x.type()));
    double const outside = Op == primitive::add ? 0 : lowest_value(x.type());
    double elements = 1;
    for (int i = 2 - Spatial; i < 2; ++i) {
      int const axis = x.rank() - 2 + i;
      sliding const s = pooling_window(Kernel, Options, i, x.extent(axis).number());
      ref const wide = surround(x, axis, s, outside);
      ref all;
      for (extent_t k = 0; k < s.kernel; ++k) {
        ref const one = slice_axis(wide, axis, k * s.dilation, s.count(), s.stride);
        all = k == 0 ? one : binary(Op, all, one);
      }
      x = all;
      elements *= static_cast<double>(s.kernel);
    }
    return Op == primitive::add ? x * (1 / elements) : x;
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
  static constexpr bool valid = !known || (are_valid(along(0), along(1)) && along(0).padding >= 0 && along(1).padding >= 0);
  static constexpr int narrow = !known || !valid ? -1 : along(0).count() < 1 && along(0).in > 0 ? 0 : along(1).count() < 1 && along(1).in > 0 ? 1 : -1;
  static constexpr extent_t span = narrow < 0 ? 0 : along(narrow).span(), padded = narrow < 0 ? 0 : along(narrow).in + 2 * along(narrow).padding;
  static constexpr bool value = known && valid && narrow < 0;
};
template <primitive Op, size_2d Kernel, pooling_options Options, int Spatial, class X>
constexpr auto pool(X&& x) {
  using images = shape_of<X>;
  using check = pooling_check<Kernel, Options, Spatial, images>;
  (void)sizeof(window_axes<images, Spatial>);
  (void)sizeof(known_window_axes<images, Spatial>);
  (void)sizeof(window_options<check::valid>);
  (void)sizeof(window_fits<check::span, check::padded>);
  if constexpr (check::value) return apply<pooling_operation<Op, Kernel, Options, Spatial>>(static_cast<X&&>(x));
  else return failed<element_of<X>, images>{};
}

}  // namespace detail

/// The largest element of each window: [.., height, width] -> [.., height out, width out], as PyTorch's max_pool2d: `max_pool2d<2>(x)`, `max_pool2d<3, pooling_options{.stride = 2, .padding = 1}>(x)`.
/// Elements that do not fill a window at the end are left out. nan where the window has one. Equal largest elements share the gradient.
template <size_2d Kernel, pooling_options Options = pooling_options{}, operand X>
constexpr auto max_pool2d(X&& x) {
  return detail::pool<detail::primitive::maximum, Kernel, Options, 2>(static_cast<X&&>(x));
}
/// [.., length] -> [.., length out]
template <extent_t Kernel, pooling_options Options = pooling_options{}, operand X>
constexpr auto max_pool1d(X&& x) {
  return detail::pool<detail::primitive::maximum, size_2d{1, Kernel}, Options, 1>(static_cast<X&&>(x));
}
/// The mean of each window, the zeros around the images among them: [.., height, width] -> [.., height out, width out]. Integers become double.
template <size_2d Kernel, pooling_options Options = pooling_options{}, operand X>
constexpr auto avg_pool2d(X&& x) {
  return detail::pool<detail::primitive::add, Kernel, Options, 2>(static_cast<X&&>(x));
}
/// [.., length] -> [.., length out]
template <extent_t Kernel, pooling_options Options = pooling_options{}, operand X>
constexpr auto avg_pool1d(X&& x) {
  return detail::pool<detail::primitive::add, size_2d{1, Kernel}, Options, 1>(static_cast<X&&>(x));
}

}  // namespace dimity
