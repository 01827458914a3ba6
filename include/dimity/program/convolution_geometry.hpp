// What a convolution is told besides its operands, in the form in which programs and plans keep it.
#pragma once

#include <dimity/core/shape.hpp>

namespace DIMITY_NAMESPACE::detail {

/// Images [N, groups * in_channels, in[0], in[1]] and kernels [groups * out_channels, in_channels, kernel[0], kernel[1]] to [N, groups * out_channels, out[0], out[1]]:
/// y[n, g O + o, a, b] = sum over i, c, d of x[n, g I + i, a stride[0] + c dilation[0] - before[0], b stride[1] + d dilation[1] - before[1]] w[g O + o, i, c, d], with x = 0 outside.
/// That is what machine learning calls a convolution; the kernel is not turned around. `out` implies how many zeros come behind.
struct convolution_geometry {
  extent_t groups = 1, in_channels = 1, out_channels = 1;  ///< channels of one group
  extent_t in[2] = {1, 1}, kernel[2] = {1, 1}, out[2] = {1, 1}, stride[2] = {1, 1}, dilation[2] = {1, 1}, before[2] = {};

  constexpr bool operator==(convolution_geometry const&) const = default;
  constexpr extent_t in_size() const { return in[0] * in[1]; }
  constexpr extent_t kernel_size() const { return kernel[0] * kernel[1]; }
  constexpr extent_t out_size() const { return out[0] * out[1]; }
};

/// As integers, their number first.
inline constexpr int geometry_numbers = 15;
struct pooled_geometry {
  std::int64_t number[geometry_numbers + 1] = {};
};
constexpr pooled_geometry pooled(convolution_geometry const& c) {
  pooled_geometry p{{geometry_numbers, c.groups, c.in_channels, c.out_channels}};
  std::int64_t* next = p.number + 4;
  for (extent_t const* pair : {c.in, c.kernel, c.out, c.stride, c.dilation, c.before}) {
    *next++ = pair[0];
    *next++ = pair[1];
  }
  return p;
}
constexpr convolution_geometry geometry_from(std::int64_t const* pool) {
  convolution_geometry c;
  c.groups = pool[1];
  c.in_channels = pool[2];
  c.out_channels = pool[3];
  std::int64_t const* next = pool + 4;
  for (extent_t* pair : {c.in, c.kernel, c.out, c.stride, c.dilation, c.before}) {
    pair[0] = *next++;
    pair[1] = *next++;
  }
  return c;
}

}  // namespace DIMITY_NAMESPACE::detail
