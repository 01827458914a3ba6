// Fourier transforms of real numbers, and the inverse.
#pragma once

#include <dimity/exec/cpu/fft_complex.hpp>

namespace DIMITY_NAMESPACE::detail {

/// exp(-2 pi i k / N) for k = 0 ... N / 4.
template <class T, extent_t N>
struct rfft_twiddle_table {
  static constexpr extent_t entries = N / 4 + 1;
  alignas(64) T re[entries], im[entries];
  rfft_twiddle_table() {
    for (extent_t k = 0; k < entries; ++k) {
      circle_point const w = circle_point_of(k, N);
      re[k] = static_cast<T>(w.re);
      im[k] = static_cast<T>(w.im);
    }
  }
};

/// z are the transforms of even plus i times those of odd elements, n of them. In their place: those of all. W entries from k on, and the W that mirror them
/// (Press et al., Numerical Recipes, section 12.3).
template <class T, int W>
DIMITY_FFT_INLINE void untangle(T const* z_re, T const* z_im, T* to_re, T* to_im, lanes<T, W> const& c, lanes<T, W> const& s, extent_t k, extent_t n) {
  extent_t const mirror = n - k - (W - 1);
  auto const a_re = read_lanes<W>(z_re + k), a_im = read_lanes<W>(z_im + k);
  auto const b_re = reverse_lanes<W>(read_lanes<W>(z_re + mirror)), b_im = reverse_lanes<W>(read_lanes<W>(z_im + mirror));
  T const half(0.5);
  lanes<T, W> const even_re = (a_re + b_re) * half, even_im = (a_im - b_im) * half, odd_re = (a_im + b_im) * half, odd_im = (b_re - a_re) * half;
  lanes<T, W> const turned_re = odd_re * c - odd_im * s, turned_im = odd_re * s + odd_im * c;
  write_lanes<W>(to_re + k, lanes<T, W>(even_re + turned_re));
  write_lanes<W>(to_im + k, lanes<T, W>(even_im + turned_im));
  write_lanes<W>(to_re + mirror, reverse_lanes<W>(lanes<T, W>(even_re - turned_re)));
  write_lanes<W>(to_im + mirror, reverse_lanes<W>(lanes<T, W>(turned_im - even_im)));
}
/// The reverse, times 2: z of n = N / 2 entries from the transform y of N real elements.
template <class T, int W>
DIMITY_FFT_INLINE void tangle(T const* y_re, T const* y_im, T* to_re, T* to_im, lanes<T, W> const& c, lanes<T, W> const& s, extent_t k, extent_t n) {
  extent_t const mirror = n - k - (W - 1);
  auto const a_re = read_lanes<W>(y_re + k), a_im = read_lanes<W>(y_im + k);
  auto const b_re = reverse_lanes<W>(read_lanes<W>(y_re + mirror)), b_im = reverse_lanes<W>(read_lanes<W>(y_im + mirror));
  lanes<T, W> const even_re = a_re + b_re, even_im = a_im - b_im, turned_re = a_re - b_re, turned_im = a_im + b_im;
  lanes<T, W> const odd_re = turned_re * c + turned_im * s, odd_im = turned_im * c - turned_re * s;
  write_lanes<W>(to_re + k, lanes<T, W>(even_re - odd_im));
  write_lanes<W>(to_im + k, lanes<T, W>(even_im + odd_re));
  write_lanes<W>(to_re + mirror, reverse_lanes<W>(lanes<T, W>(even_re + odd_im)));
  write_lanes<W>(to_im + mirror, reverse_lanes<W>(lanes<T, W>(odd_re - even_im)));
}
/// step(k, lanes) for k = 1 ... (n - 1) / 2: whole registers while there are, single elements behind them.
template <class T, extent_t N, class Step>
DIMITY_FFT_INLINE void for_mirrored_pairs(Step const& step) {
  constexpr extent_t last = (N / 2 - 1) / 2;
  constexpr int w = lanes_for<T>(std::max<extent_t>(last, 1));
  for (extent_t i = 0; i < last / w; ++i) step(1 + i * w, std::integral_constant<int, w>{});
  for (extent_t k = last / w * w + 1; k <= last; ++k) step(k, std::integral_constant<int, 1>{});
}

/// The first N / 2 + 1 results for real input. scratch: rfft_scratch_elements(N).
template <class T, extent_t N>
void rfft(T const* x, extent_t stride, T* to_re, T* to_im, T* scratch) {
  if constexpr (N % 2 == 0) {
    constexpr extent_t n = N / 2;
    if constexpr (fft_method_of(n) == fft_method::passes) {
      if (stride == 1) fft_in_passes<T, n>(paired_source<T>{x}, planar_sink<T>{to_re, to_im}, planar_sink<T>{to_re, to_im}, scratch);
      else fft<T, n, false>(x, x + stride, 2 * stride, to_re, to_im, scratch);
    } else {
      fft<T, n, false>(x, x + stride, 2 * stride, to_re, to_im, scratch);
    }
    T const re = to_re[0], im = to_im[0];
    to_re[0] = re + im;
    to_re[n] = re - im;
    to_im[0] = to_im[n] = T(0);
    if constexpr (n % 2 == 0) to_im[n / 2] = -to_im[n / 2];
    if constexpr (n > 2) {
      auto const& twiddles = fft_table<rfft_twiddle_table<T, N>>();
      for_mirrored_pairs<T, N>([&](extent_t k, auto width) DIMITY_FFT_LAMBDA {
        constexpr int w = width;
        untangle<T, w>(to_re, to_im, to_re, to_im, read_lanes<w>(twiddles.re + k), read_lanes<w>(twiddles.im + k), k, n);
      });
    }
  } else {
    T *const re = scratch, *const im = scratch + fft_distance(N), *const zeros = scratch + 2 * fft_distance(N), *const rest = scratch + 4 * fft_distance(N);
    if constexpr (fft_method_of(N) == fft_method::passes) {
      T const* from = x;
      if (stride != 1) {
        for (extent_t i = 0; i < N; ++i) zeros[i] = x[i * stride];
        from = zeros;
      }
      fft_in_passes<T, N>(real_source<T>{from}, planar_sink<T>{re, im}, planar_sink<T>{re, im}, rest);
    } else {
      for (extent_t i = 0; i < N; ++i) {
        zeros[i] = x[i * stride];
        zeros[i + fft_distance(N)] = T(0);
      }
      fft<T, N, false>(zeros, zeros + fft_distance(N), 1, re, im, rest);
    }
    std::copy(re, re + N / 2 + 1, to_re);
    std::copy(im, im + N / 2 + 1, to_im);
    to_im[0] = T(0);
  }
}

/// The real x whose forward transform times N has these N / 2 + 1 entries: not normalised. scratch: rfft_scratch_elements(N). Imaginary parts of entries 0 and, for even N, N / 2 are not read.
template <class T, extent_t N>
void irfft(T const* re, T const* im, extent_t stride, T* to, T* scratch) {
  if constexpr (N % 2 == 0) {
    constexpr extent_t n = N / 2;
    T *const z_re = scratch, *const z_im = scratch + fft_distance(n), *const rest = scratch + 2 * fft_distance(n);
    if (stride != 1) {
      // In place of z: it is made from mirrored pairs.
      for (extent_t k = 0; k < n; ++k) {
        z_re[k] = re[k * stride];
        z_im[k] = im[k * stride];
      }
    }
    T const* const y_re = stride == 1 ? re : z_re;
    T const* const y_im = stride == 1 ? im : z_im;
    T const first = re[0], last = re[n * stride];
    z_re[0] = first + last;
    z_im[0] = first - last;
    if constexpr (n % 2 == 0) {
      z_re[n / 2] = 2 * y_re[n / 2];
      z_im[n / 2] = -2 * y_im[n / 2];
    }
    if constexpr (n > 2) {
      auto const& twiddles = fft_table<rfft_twiddle_table<T, N>>();
      for_mirrored_pairs<T, N>([&](extent_t k, auto width) DIMITY_FFT_LAMBDA {
        constexpr int w = width;
        tangle<T, w>(y_re, y_im, z_re, z_im, read_lanes<w>(twiddles.re + k), read_lanes<w>(twiddles.im + k), k, n);
      });
    }
    // The inverse transform is a forward one with the parts exchanged.
    if constexpr (fft_method_of(n) == fft_method::passes) {
      fft_in_passes<T, n>(planar_source<T>{z_im, z_re}, paired_sink<T>{to}, planar_sink<T>{to, to + n}, rest);
    } else {
      T *const pairs_re = rest, *const pairs_im = rest + fft_distance(n);
      fft<T, n, false>(z_im, z_re, 1, pairs_im, pairs_re, rest + 2 * fft_distance(n));
      for (extent_t j = 0; j < n; ++j) {
        to[2 * j] = pairs_re[j];
        to[2 * j + 1] = pairs_im[j];
      }
    }
  } else {
    T *const y_re = scratch, *const y_im = scratch + fft_distance(N), *const unused = scratch + 2 * fft_distance(N), *const rest = scratch + 4 * fft_distance(N);
    y_re[0] = re[0];
    y_im[0] = T(0);
    for (extent_t k = 1; k <= N / 2; ++k) {
      y_re[k] = y_re[N - k] = re[k * stride];
      y_im[k] = im[k * stride];
      y_im[N - k] = -im[k * stride];
    }
    fft<T, N, true>(y_re, y_im, 1, to, unused, rest);
  }
}

}  // namespace DIMITY_NAMESPACE::detail
