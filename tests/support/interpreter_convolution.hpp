// Convolutions for the interpreter: the sum in the definition, once for all three operations.
#pragma once

#include "interpreter_primitives.hpp"

#include <dimity/program/emit_convolution.hpp>

namespace test {

/// f(image, kernel, result) with the indices of each product in the sum of a convolution of `batch` images, without those with zeros around the images.
template <class F>
void for_each_term(dimity::detail::convolution_geometry const& c, std::int64_t batch, F const& f) {
  for_each_place({batch, c.groups, c.out_channels, c.in_channels, c.out[0], c.out[1]}, [&](indices const& at) {
    std::int64_t const out = at[1] * c.out_channels + at[2], in = at[1] * c.in_channels + at[3];
    for_each_place({c.kernel[0], c.kernel[1]}, [&](indices const& tap) {
      std::int64_t const row = at[4] * c.stride[0] + tap[0] * c.dilation[0] - c.before[0], column = at[5] * c.stride[1] + tap[1] * c.dilation[1] - c.before[1];
      if (row < 0 || row >= c.in[0] || column < 0 || column >= c.in[1]) return;
      f(indices{at[0], in, row, column}, indices{out, at[3], tap[0], tap[1]}, indices{at[0], out, at[4], at[5]});
    });
  });
}
/// `shape`: of the result, with its last axes joined (emit_convolution.hpp).
inline array convolved(primitive op, dimity::detail::convolution_geometry const& c, array const& x, array const& y, indices const& shape) {
  std::size_t const leading = x.shape.size() - 4;
  bool const of_kernels = op == primitive::convolution_kernel_gradient;
  indices whole = before(x.shape, leading + (of_kernels ? 0 : 1));
  std::int64_t const* const size = of_kernels ? c.kernel : op == primitive::convolution ? c.out : c.in;
  if (of_kernels) whole = joined(whole, {c.groups * c.out_channels, c.in_channels});
  else whole = joined(whole, {c.groups * (op == primitive::convolution ? c.out_channels : c.in_channels)});
  array result{joined(whole, {size[0], size[1]}), std::vector<double>(static_cast<std::size_t>(count_elements(shape)), 0.0)};
  for_each_place(before(x.shape, leading), [&](indices const& entry) {
    for_each_term(c, x.shape[leading], [&](indices const& image, indices const& kernel, indices const& place) {
      indices const& to = of_kernels ? kernel : op == primitive::convolution ? place : image;
      indices const& first = op == primitive::convolution_input_gradient ? place : image;
      indices const& second = of_kernels ? place : kernel;
      element(result, joined(entry, to)) += element(x, joined(entry, first)) * element(y, joined(entry, second));
    });
  });
  result.shape = shape;
  return result;
}

/// window_max, select_and_gather, select_and_scatter: by the place of each window's first largest element.
inline array of_windows(primitive op, dimity::detail::convolution_geometry const& c, array const& x, array const& second, indices const& shape) {
  array result{shape, std::vector<double>(static_cast<std::size_t>(count_elements(shape)), 0.0)};
  for_each_place({x.shape[0], c.out[0], c.out[1]}, [&](indices const& window) {
    indices best;
    for_each_place({c.kernel[0], c.kernel[1]}, [&](indices const& tap) {
      indices const at{window[0], window[1] * c.stride[0] + tap[0] * c.dilation[0] - c.before[0], window[2] * c.stride[1] + tap[1] * c.dilation[1] - c.before[1]};
      if (at[1] < 0 || at[1] >= c.in[0] || at[2] < 0 || at[2] >= c.in[1]) return;
      if (best.empty() || element(x, best) < element(x, at)) best = at;
    });
    if (op == primitive::window_max) element(result, window) = element(x, best);
    else if (op == primitive::select_and_gather) element(result, window) = element(second, best);
    else element(result, best) += element(second, window);
  });
  return result;
}

}  // namespace test
