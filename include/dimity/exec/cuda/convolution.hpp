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

/// Calls f(tap, place) for the taps of a window that lie on the image, along one axis, from the window's begin.
template <int Taps, int Dilation, int Extent, class F>
DIMITY_DEVICE void for_each_tap(int begin, F const& f) {
  for (int tap = 0; tap < Taps; ++tap)
    if (int const place = begin + tap * Dilation; place >= 0 && place < Extent) f(tap, place);
}
/// Calls f(tap, window) for the windows whose taps reach a place, along one axis, in the order of the windows; places count from the begin of the padding.
template <int Taps, int Dilation, int Stride, int Windows, class F>
DIMITY_DEVICE void for_each_window(int place, F const& f) {
  for (int tap = Taps - 1; tap >= 0; --tap)
    if (int const begin = place - tap * Dilation; begin >= 0 && begin % Stride == 0 && begin / Stride < Windows) f(tap, begin / Stride);
}
/// f(kernel row, kernel column, row, column) for the taps of window (oh, ow).
template <class G, class F>
DIMITY_DEVICE void for_each_tap_of(int oh, int ow, F const& f) {
  for_each_tap<G::kernel_rows, G::dilation_rows, G::in_rows>(oh * G::stride_rows - G::before_rows, [&](int kh, int h) {
    for_each_tap<G::kernel_columns, G::dilation_columns, G::in_columns>(ow * G::stride_columns - G::before_columns, [&](int kw, int v) { f(kh, kw, h, v); });
  });
}
/// f(kernel row, kernel column, window row, window column) for the windows that reach element (h, v).
template <class G, class F>
DIMITY_DEVICE void for_each_window_at(int h, int v, F const& f) {
  for_each_window<G::kernel_rows, G::dilation_rows, G::stride_rows, G::out_rows>(h + G::before_rows, [&](int kh, int oh) {
    for_each_window<G::kernel_columns, G::dilation_columns, G::stride_columns, G::out_columns>(v + G::before_columns, [&](int kw, int ow) { f(kh, kw, oh, ow); });
  });
}

/// [N, channels, rows * columns], one thread an element.
struct convolution_element {
  template <class Code>
  DIMITY_DEVICE static auto value(typename Code::arguments const& args, element_index const& i) {
    using g = convolution_numbers<Code>;
    using T = typename Code::result;
    constexpr int L = axes_of_calls<Code>;
    long long const n = i.at[L], o = i.at[L + 1];
    int const pixel = static_cast<int>(i.at[L + 2]);
    T sum = T(0);
    for (int c = 0; c < g::in_channels; ++c)
      for_each_tap_of<g>(pixel / g::out_columns, pixel % g::out_columns, [&](int kh, int kw, int h, int v) {
        T const x = element_at<Code, 0, L>(args, i, n, o / g::out_channels * g::in_channels + c, h, v), w = element_at<Code, 1, L>(args, i, o, c, kh, kw);
        sum = device_binary<primitive::add>(sum, device_binary<primitive::multiply>(x, w));
      });
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
    int const c = static_cast<int>(i.at[L + 1]), first = c / g::in_channels * g::out_channels, pixel = static_cast<int>(i.at[L + 2]);
    T sum = T(0);
    for (int o = first; o < first + g::out_channels; ++o)
      for_each_window_at<g>(pixel / g::in_columns, pixel % g::in_columns, [&](int kh, int kw, int oh, int ow) {
        T const x = element_at<Code, 0, L>(args, i, n, o, oh, ow), w = element_at<Code, 1, L>(args, i, o, c % g::in_channels, kh, kw);
        sum = device_binary<primitive::add>(sum, device_binary<primitive::multiply>(x, w));
      });
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
  static constexpr std::int64_t size = Code::template size<base::result_of>, blocks = is_known_word(size) ? size : -1;
  static long long block_count(arguments const& args) { return blocks_at_run_time(Code::template number<size>(args), 1); }
  static constexpr int L = axes_of_calls<Code>;
  DIMITY_DEVICE static void run(arguments const& args) {
    alignas(16) __shared__ char shared[8 * threads / 32];
    element_index i;
    index_of<Code, base::result_of>(i, static_cast<element_number<Code>>(blockIdx.x), args);
    long long const o = i.at[L];
    constexpr int taps = g::kernel_rows * g::kernel_columns > 0 ? g::kernel_rows * g::kernel_columns : 1, across_taps = g::kernel_columns > 0 ? g::kernel_columns : 1;
    int const weight = static_cast<int>(i.at[L + 1]), tap = weight % taps;
    int const rows = tap / across_taps * g::dilation_rows - g::before_rows, columns = tap % across_taps * g::dilation_columns - g::before_columns;
    long long const terms = Code::template number<Code::template extent<0, L>>(args) * (g::out_rows * g::out_columns);
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
  for_each_tap_of<g>(oh, ow, [&](int, int, int h, int v) {
    T const x = pixel_at<Code, 0>(args, image, h, v);
    if (best < 0 || (largest == largest && (largest < x || x != x))) {
      best = h * g::in_columns + v;
      largest = x;
    }
  });
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
    for_each_window_at<g>(h, v, [&](int, int, int oh, int ow) {
      if (place_of_largest_in<Code>(args, i.at[0], oh, ow) == mine) sum = device_binary<primitive::add>(sum, static_cast<T>(pixel_at<Code, 1>(args, i.at[0], oh, ow)));
    });
    return sum;
  }
};

}  // namespace DIMITY_NAMESPACE::detail
