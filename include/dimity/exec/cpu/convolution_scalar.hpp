// Convolutions by plain loops, for element types without vectors and as the reference of the others.
#pragma once

#include <dimity/exec/cpu/convolution_geometry.hpp>
#include <dimity/exec/cpu/matmul.hpp>
#include <dimity/exec/cpu/matmul_scalar.hpp>

namespace DIMITY_NAMESPACE::detail {

/// images(n)(channel, oh * OW + ow, value), once per output.
template <class T, class Images>
void convolution_forward_scalar(convolution_geometry const& g, extent_t batch, T const* x, extent_t const* x_stride, T const* w, extent_t const* w_stride, Images const& images) {
  using sum_type = typename wrapping<T>::type;
  for (extent_t n = 0; n < batch; ++n) {
    auto const& sink = images(n);
    for (extent_t o = 0; o < g.groups * g.out_channels; ++o)
      for (extent_t oh = 0; oh < g.out[0]; ++oh)
        for (extent_t ow = 0; ow < g.out[1]; ++ow) {
          sum_type sum{};
          for (extent_t i = 0; i < g.in_channels; ++i) {
            extent_t const channel = n * x_stride[0] + (o / g.out_channels * g.in_channels + i) * x_stride[1];
            for (extent_t kh = 0; kh < g.kernel[0]; ++kh) {
              extent_t const h = oh * g.stride[0] + kh * g.dilation[0] - g.before[0];
              if (h < 0 || h >= g.in[0]) continue;
              for (extent_t kw = 0; kw < g.kernel[1]; ++kw) {
                extent_t const v = ow * g.stride[1] + kw * g.dilation[1] - g.before[1];
                if (v < 0 || v >= g.in[1]) continue;
                sum = sum + static_cast<sum_type>(x[channel + h * x_stride[2] + v * x_stride[3]]) *
                                static_cast<sum_type>(w[o * w_stride[0] + i * w_stride[1] + kh * w_stride[2] + kw * w_stride[3]]);
              }
            }
          }
          sink(o, oh * g.out[1] + ow, static_cast<T>(sum));
        }
  }
}

/// images(n)(channel, h * W + w, value), once per element of the input.
template <class T, class Images>
void convolution_input_gradient_scalar(convolution_geometry const& g, extent_t batch, T const* gradient, extent_t const* gradient_stride, T const* w, extent_t const* w_stride,
                                       Images const& images) {
  using sum_type = typename wrapping<T>::type;
  for (extent_t n = 0; n < batch; ++n) {
    auto const& sink = images(n);
    for (extent_t c = 0; c < g.groups * g.in_channels; ++c) {
      extent_t const first = c / g.in_channels * g.out_channels;
      for (extent_t h = 0; h < g.in[0]; ++h)
        for (extent_t v = 0; v < g.in[1]; ++v) {
          sum_type sum{};
          for (extent_t o = first; o < first + g.out_channels; ++o)
            for (extent_t kh = 0; kh < g.kernel[0]; ++kh) {
              extent_t const top = h + g.before[0] - kh * g.dilation[0];
              if (top < 0 || top % g.stride[0] != 0 || top / g.stride[0] >= g.out[0]) continue;
              for (extent_t kw = 0; kw < g.kernel[1]; ++kw) {
                extent_t const left = v + g.before[1] - kw * g.dilation[1];
                if (left < 0 || left % g.stride[1] != 0 || left / g.stride[1] >= g.out[1]) continue;
                extent_t const at = n * gradient_stride[0] + o * gradient_stride[1] + top / g.stride[0] * gradient_stride[2] + left / g.stride[1] * gradient_stride[3];
                sum = sum + static_cast<sum_type>(gradient[at]) *
                                static_cast<sum_type>(w[o * w_stride[0] + c % g.in_channels * w_stride[1] + kh * w_stride[2] + kw * w_stride[3]]);
              }
            }
          sink(c, h * g.in[1] + v, static_cast<T>(sum));
        }
    }
  }
}

/// sink(out channel, (i * KH + kh) * KW + kw, value), once per weight.
template <class T, class Sink>
void convolution_weight_gradient_scalar(convolution_geometry const& g, extent_t batch, T const* x, extent_t const* x_stride, T const* gradient, extent_t const* gradient_stride,
                                        Sink const& sink) {
  using sum_type = typename wrapping<T>::type;
  for (extent_t o = 0; o < g.groups * g.out_channels; ++o)
    for (extent_t i = 0; i < g.in_channels; ++i)
      for (extent_t kh = 0; kh < g.kernel[0]; ++kh)
        for (extent_t kw = 0; kw < g.kernel[1]; ++kw) {
          extent_range const rows = outputs_inside(g, 0, kh), columns = outputs_inside(g, 1, kw);
          sum_type sum{};
          for (extent_t n = 0; n < batch; ++n)
            for (extent_t oh = rows.first; oh < rows.last; ++oh)
              for (extent_t ow = columns.first; ow < columns.last; ++ow) {
                extent_t const h = oh * g.stride[0] + kh * g.dilation[0] - g.before[0], v = ow * g.stride[1] + kw * g.dilation[1] - g.before[1];
                sum = sum + static_cast<sum_type>(x[n * x_stride[0] + (o / g.out_channels * g.in_channels + i) * x_stride[1] + h * x_stride[2] + v * x_stride[3]]) *
                                static_cast<sum_type>(gradient[n * gradient_stride[0] + o * gradient_stride[1] + oh * gradient_stride[2] + ow * gradient_stride[3]]);
              }
          sink(o, (i * g.kernel[0] + kh) * g.kernel[1] + kw, static_cast<T>(sum));
        }
}

}  // namespace DIMITY_NAMESPACE::detail
