// Fourier transforms of a few dozen elements as the sums that define them.
#pragma once

#include <dimity/exec/cpu/fft_twiddles.hpp>

#include <algorithm>

namespace DIMITY_NAMESPACE::detail {

/// cos and -sin of 2 pi j k / N, for j = 1 ... (N - 1) / 2, and behind them j = N / 2 where N is even; k runs fastest.
template <class T, int N>
struct fft_sum_table {
  static constexpr int pairs = (N - 1) / 2;
  alignas(64) T re[N / 2][N], im[N / 2][N];
  fft_sum_table() {
    for (int j = 1; j <= N / 2; ++j)
      for (int k = 0; k < N; ++k) {
        circle_point const w = circle_point_of(j * k, N);
        re[j - 1][k] = static_cast<T>(w.re);
        im[j - 1][k] = static_cast<T>(w.im);
      }
  }
};

/// to_k = sum_j x_j exp(-2 pi i j k / N), lane by lane for neighbouring k. What j and N - j are multiplied by differs in a sign only, so sums and differences of the two are.
template <class T, int N>
void fft_as_sum(T const* re, T const* im, extent_t stride, T* __restrict to_re, T* __restrict to_im) {
  auto const& factors = fft_table<fft_sum_table<T, N>>();
  constexpr int pairs = (N - 1) / 2;
  constexpr int w = lanes_for<T>(N);
  T sum_re[pairs + 1], sum_im[pairs + 1], difference_re[pairs + 1], difference_im[pairs + 1];
  for (int j = 1; j <= pairs; ++j) {
    T const a = re[j * stride], b = re[(N - j) * stride], c = im[j * stride], d = im[(N - j) * stride];
    sum_re[j] = a + b;
    sum_im[j] = c + d;
    difference_re[j] = a - b;
    difference_im[j] = c - d;
  }
  for (int block = 0; block < N; block += w) {
    int const k = std::min(block, N - w);
    lanes<T, w> even_re = all_lanes<w>(re[0]), even_im = all_lanes<w>(im[0]), odd_re{}, odd_im{};
    for (int j = 1; j <= pairs; ++j) {
      auto const cosine = read_lanes<w>(factors.re[j - 1] + k), sine = read_lanes<w>(factors.im[j - 1] + k);
      even_re += sum_re[j] * cosine;
      even_im += sum_im[j] * cosine;
      odd_re += difference_re[j] * sine;
      odd_im += difference_im[j] * sine;
    }
    if constexpr (N % 2 == 0) {
      auto const cosine = read_lanes<w>(factors.re[N / 2 - 1] + k);
      even_re += re[N / 2 * stride] * cosine;
      even_im += im[N / 2 * stride] * cosine;
    }
    write_lanes<w>(to_re + k, lanes<T, w>(even_re - odd_im));
    write_lanes<w>(to_im + k, lanes<T, w>(even_im + odd_re));
  }
}

}  // namespace DIMITY_NAMESPACE::detail
