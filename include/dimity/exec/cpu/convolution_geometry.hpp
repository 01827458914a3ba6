// Which outputs of a convolution read what of its input.
#pragma once

#include <dimity/program/convolution_geometry.hpp>

#include <algorithm>

namespace DIMITY_NAMESPACE::detail {

/// Rows (axis 0) or columns (axis 1) of the input, zeros included, which the windows of `count` neighbouring outputs span.
constexpr extent_t window_span(convolution_geometry const& g, int axis, extent_t count) {
  return count <= 0 || g.kernel[axis] <= 0 ? 0 : (count - 1) * g.stride[axis] + (g.kernel[axis] - 1) * g.dilation[axis] + 1;
}

/// From the first to the last + 1 of some neighbouring numbers.
struct extent_range {
  extent_t first, last;
  constexpr extent_t count() const { return std::max<extent_t>(0, last - first); }
};

constexpr extent_t floor_divide(extent_t a, extent_t b) { return a >= 0 ? a / b : -((-a + b - 1) / b); }
constexpr extent_t ceil_divide(extent_t a, extent_t b) { return -floor_divide(-a, b); }

/// Outputs along an axis whose window reads the input, and not the zeros around it, with tap `tap`.
constexpr extent_range outputs_inside(convolution_geometry const& g, int axis, extent_t tap) {
  extent_t const shift = tap * g.dilation[axis] - g.before[axis];
  extent_t const first = std::max<extent_t>(0, ceil_divide(-shift, g.stride[axis]));
  extent_t const last = std::min(g.out[axis], floor_divide(g.in[axis] - 1 - shift, g.stride[axis]) + 1);
  return {first, std::max(first, last)};
}

}  // namespace DIMITY_NAMESPACE::detail
