// Convolutions, their gradients and windows of images, one thread or one block a result: plain sums over the taps, for any stride, padding, dilation and groups.
#pragma once

#include <dimity/exec/cuda/primitives.hpp>
#include <dimity/program/convolution_geometry.hpp>

namespace DIMITY_NAMESPACE::detail {

/// The geometry behind the operands of a primitive's code, each number a constant of its own: device code cannot read an array of class scope.
template <class Code>
struct convolution_numbers {
  static constexpr convolution_geometry g = geometry_from(Code::words + Code::content.pool);
  static constexpr int groups = static_cast<int>(g.groups), in_channels = static_cast<int>(g.in_channels), out_channels = static_cast<int>(g.out_channels);
  static constexpr int in_rows = static_cast<int>(g.in[0]), in_columns = static_cast<int>(g.in[1]), kernel_rows = static_cast<int>(g.kernel[0]), kernel_columns = static_cast<int>(g.kernel[1]);
  static constexpr int out_rows = static_cast<int>(g.out[0]), out_columns = static_cast<int>(g.out[1]), stride_rows = static_cast<int>(g.stride[0]), stride_columns = static_cast<int>(g.stride[1]);
  static constexpr int dilation_rows = static_cast<int>(g.dilation[0]), dilation_columns = static_cast<int>(g.dilation[1]), before_rows = static_cast<int>(g.before[0]), before_columns = static_cast<int>(g.before[1]);
};

/// Element (a, b, c, d) of an operand, behind the axes that `i` has before them.
template <class Code, int K, int Leading>
DIMITY_DEVICE auto element_at(typename Code::arguments const& args, element_index i, long long a, long long b, long long c, long long d) {
  i.at[Leading] = a;
  i.at[Leading + 1] = b;
  i.at[Leading + 2] = c;
  i.at[Leading + 3] = d;
  return primitive_base<Code>::template at<K>(args, i);
}
/// Axes before those of images and kernels: a batch of calls.
template <class Code>
inline constexpr int axes_of_calls = Code::template rank<0> - 4;

/// [N, channels, rows * columns], one thread an element.
struct convolution_element {
  template <class Code>
  DIMITY_DEVICE static auto value(typename Code::arguments const& args, element_index const& i) {
    using g = convolution_numbers<Code>;
    using T = typename Code::result;
    constexpr int L = axes_of_calls<Code>;
    long long const n = i.at[L], o = i.at[L + 1];
    int const pixel = static_cast<int>(i.at[L + 2]), top = pixel / g::out_columns * g::stride_rows - g::before_rows, left = pixel % g::out_columns * g::stride_columns - g::before_columns;
    T sum = T(0);
    for (int c = 0; c < g::in_channels; ++c)
      for (int kh = 0; kh < g::kernel_rows; ++kh) {
        int const h = top + kh * g::dilation_rows;
        if (h < 0 || h >= g::in_rows) continue;
        for (int kw = 0; kw < g::kernel_columns; ++kw) {
          int const v = left + kw * g::dilation_columns;
          if (v < 0 || v >= g::in_columns) continue;
          T const x = element_at<Code, 0, L>(args, i, n, o / g::out_channels * g::in_channels + c, h, v), w = element_at<Code, 1, L>(args, i, o, c, kh, kw);
          sum = device_binary<primitive::add>(sum, device_binary<primitive::multiply>(x, w));
        }
      }
    return sum;
  }
};
/// Gradient and kernel to the gradient of the images.
struct convolution_input_gradient_element {
  template <class Code>
  DIMITY_DEVICE static auto value(typename Code::arguments const& args, element_index const& i) {
    using g = convolution_numbers<Code>;
    using T = typename Code::result;
    constexpr int L = axes_of_calls<Code>;
    long long const n = i.at[L];
    int const c = static_cast<int>(i.at[L + 1]), first = c / g::in_channels * g::out_channels, pixel = static_cast<int>(i.at[L + 2]), row = pixel / g::in_columns, column = pixel % g::in_columns;
    T sum = T(0);
    for (int o = first; o < first + g::out_channels; ++o)
      for (int kh = 0; kh < g::kernel_rows; ++kh) {
        int const top = row + g::before_rows - kh * g::dilation_rows;
        if (top < 0 || top % g::stride_rows != 0 || top / g::stride_rows >= g::out_rows) continue;
        for (int kw = 0; kw < g::kernel_columns; ++kw) {
          int const left = column + g::before_columns - kw * g::dilation_columns;
          if (left < 0 || left % g::stride_columns != 0 || left / g::stride_columns >= g::out_columns) continue;
          T const x = element_at<Code, 0, L>(args, i, n, o, top / g::stride_rows, left / g::stride_columns), w = element_at<Code, 1, L>(args, i, o, c % g::in_channels, kh, kw);
          sum = device_binary<primitive::add>(sum, device_binary<primitive::multiply>(x, w));
        }
      }
    return sum;
  }
};

/// Images and gradient to the gradient of the kernel: a block a weight, its threads side by side along the outputs.
template <class Code>
struct convolution_kernel_gradient_kernel : primitive_base<Code> {
  using base = primitive_base<Code>;
  using typename base::arguments;
  using T = typename base::T;
  using g = convolution_numbers<Code>;
  static constexpr int threads = 256;
  static constexpr std::int64_t blocks = Code::template size<base::result_of>;
  static constexpr int L = axes_of_calls<Code>;
  static constexpr long long terms = Code::template extent<0, L> * g::out_rows * g::out_columns;
  DIMITY_DEVICE static void run(arguments const& args) {
    alignas(16) __shared__ char shared[8 * threads / 32];
    element_index i;
    index_of<Code, base::result_of>(i, static_cast<long long>(blockIdx.x));
    long long const o = i.at[L];
    constexpr int taps = g::kernel_rows * g::kernel_columns > 0 ? g::kernel_rows * g::kernel_columns : 1, across_taps = g::kernel_columns > 0 ? g::kernel_columns : 1;
    int const weight = static_cast<int>(i.at[L + 1]), tap = weight % taps;
    int const rows = tap / across_taps * g::dilation_rows - g::before_rows, columns = tap % across_taps * g::dilation_columns - g::before_columns;
    T sum = T(0);
    for (long long t = threadIdx.x; t < terms; t += threads) {
      constexpr int across = g::out_columns > 0 ? g::out_columns : 1, down = g::out_rows > 0 ? g::out_rows : 1;
      int const ow = static_cast<int>(t % across), oh = static_cast<int>(t / across % down);
      long long const n = t / across / down;
      int const h = oh * g::stride_rows + rows, v = ow * g::stride_columns + columns;
      if (h < 0 || h >= g::in_rows || v < 0 || v >= g::in_columns) continue;
      T const x = element_at<Code, 0, L>(args, i, n, o / g::out_channels * g::in_channels + weight / taps, h, v), y = element_at<Code, 1, L>(args, i, n, o, oh, ow);
      sum = device_binary<primitive::add>(sum, device_binary<primitive::multiply>(x, y));
    }
    T const total = join_across_block<primitive::sum, threads>(sum, reinterpret_cast<T*>(shared));
    if (threadIdx.x == 0) base::result(args)[blockIdx.x] = total;
  }
};

/// Element (image, row, column) of an operand.
template <class Code, int K>
DIMITY_DEVICE auto pixel_at(typename Code::arguments const& args, long long image, int row, int column) {
  element_index i;
  i.at[0] = image;
  i.at[1] = row;
  i.at[2] = column;
  return primitive_base<Code>::template at<K>(args, i);
}
/// The place of a window's first largest element, or of its first nan, as row * columns + column; -1 where no element lies inside.
template <class Code>
DIMITY_DEVICE int place_of_largest_in(typename Code::arguments const& args, long long image, int oh, int ow) {
  using g = convolution_numbers<Code>;
  using T = typename Code::template element<0>;
  int best = -1;
  T largest = T(0);
  for (int kh = 0; kh < g::kernel_rows; ++kh) {
    int const h = oh * g::stride_rows + kh * g::dilation_rows - g::before_rows;
    if (h < 0 || h >= g::in_rows) continue;
    for (int kw = 0; kw < g::kernel_columns; ++kw) {
      int const v = ow * g::stride_columns + kw * g::dilation_columns - g::before_columns;
      if (v < 0 || v >= g::in_columns) continue;
      T const x = pixel_at<Code, 0>(args, image, h, v);
      if (best < 0 || (largest == largest && (largest < x || x != x))) {
        best = h * g::in_columns + v;
        largest = x;
      }
    }
  }
  return best;
}
struct window_max_element {
  template <class Code>
  DIMITY_DEVICE static auto value(typename Code::arguments const& args, element_index const& i) {
    using g = convolution_numbers<Code>;
    using T = typename Code::result;
    int const place = place_of_largest_in<Code>(args, i.at[0], static_cast<int>(i.at[1]), static_cast<int>(i.at[2]));
    constexpr T lowest = device_limits<T>::lowest;
    if (place < 0) return lowest;
    return static_cast<T>(pixel_at<Code, 0>(args, i.at[0], place / g::in_columns, place % g::in_columns));
  }
};
/// Of the second operand what lies where the first is largest.
struct select_and_gather_element {
  template <class Code>
  DIMITY_DEVICE static auto value(typename Code::arguments const& args, element_index const& i) {
    using g = convolution_numbers<Code>;
    using T = typename Code::result;
    int const place = place_of_largest_in<Code>(args, i.at[0], static_cast<int>(i.at[1]), static_cast<int>(i.at[2]));
    if (place < 0) return T(0);
    return static_cast<T>(pixel_at<Code, 1>(args, i.at[0], place / g::in_columns, place % g::in_columns));
  }
};
/// Sums of the second operand, which has an element for each window, where the first is largest: each place asks the windows that reach it, in their order, so that nobody has to wait.
struct select_and_scatter_element {
  template <class Code>
  DIMITY_DEVICE static auto value(typename Code::arguments const& args, element_index const& i) {
    using g = convolution_numbers<Code>;
    using T = typename Code::result;
    int const h = static_cast<int>(i.at[1]), v = static_cast<int>(i.at[2]), mine = h * g::in_columns + v;
    T sum = T(0);
    // From the last tap, which belongs to the first window, down.
    for (int kh = g::kernel_rows - 1; kh >= 0; --kh) {
      int const top = h + g::before_rows - kh * g::dilation_rows;
      if (top < 0 || top % g::stride_rows != 0 || top / g::stride_rows >= g::out_rows) continue;
      for (int kw = g::kernel_columns - 1; kw >= 0; --kw) {
        int const left = v + g::before_columns - kw * g::dilation_columns;
        if (left < 0 || left % g::stride_columns != 0 || left / g::stride_columns >= g::out_columns) continue;
        int const oh = top / g::stride_rows, ow = left / g::stride_columns;
        if (place_of_largest_in<Code>(args, i.at[0], oh, ow) == mine) sum = device_binary<primitive::add>(sum, static_cast<T>(pixel_at<Code, 1>(args, i.at[0], oh, ow)));
      }
    }
    return sum;
  }
};

}  // namespace DIMITY_NAMESPACE::detail
