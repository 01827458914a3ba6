// Many Fourier transforms of one length.
#pragma once

#include <dimity/exec/cpu/fft_complex.hpp>

namespace DIMITY_NAMESPACE::detail {

/// Up to this length many transforms are computed side by side, one in each lane.
inline constexpr extent_t fft_largest_in_lanes = 32;
inline constexpr extent_t fft_most_lanes = 16;

/// Elements of T that fft_many of `count` transforms of length n needs beside input and output.
constexpr extent_t fft_many_scratch_elements(extent_t n, extent_t count) {
  return 2 * std::min(count, fft_most_lanes) * fft_distance(n) + fft_scratch_elements(n);
}

/// W transforms, one in each lane. The elements of each are neighbours, or those of neighbouring transforms are.
template <class T, int N, int W>
void fft_in_lanes(T const* re, T const* im, extent_t stride, extent_t distance, T* to_re, T* to_im, extent_t to_distance) {
  complex_lanes<lanes<T, W>> x[N];
  lanes<T, W> part[N];
  if (distance == 1) {
    unrolled<N>([&](auto j) DIMITY_FFT_LAMBDA { x[j] = {read_lanes<W>(re + j * stride), read_lanes<W>(im + j * stride)}; });
  } else {
    read_columns<W, N>(re, distance, part);
    unrolled<N>([&](auto j) DIMITY_FFT_LAMBDA { x[j].re = part[j]; });
    read_columns<W, N>(im, distance, part);
    unrolled<N>([&](auto j) DIMITY_FFT_LAMBDA { x[j].im = part[j]; });
  }
  butterfly<T, N, 1>(x);
  unrolled<N>([&](auto k) DIMITY_FFT_LAMBDA { part[k] = x[k].re; });
  write_columns<W, N>(to_re, to_distance, part);
  unrolled<N>([&](auto k) DIMITY_FFT_LAMBDA { part[k] = x[k].im; });
  write_columns<W, N>(to_im, to_distance, part);
}

/// W columns become rows: to[l * to_distance + j] = from[j * stride + l].
template <int W, class T>
void columns_to_rows(T const* from, extent_t stride, T* to, extent_t to_distance, extent_t n) {
  for (extent_t block = 0; block < n; block += W) {
    extent_t const j = std::min(block, n - W);
    lanes<T, W> rows[W];
    unrolled<W>([&](auto l) DIMITY_FFT_LAMBDA { rows[l] = read_lanes<W>(from + (j + l) * stride); });
    transpose_lanes<W>(rows);
    unrolled<W>([&](auto l) DIMITY_FFT_LAMBDA { write_lanes<W>(to + l * to_distance + j, rows[l]); });
  }
}

/// `count` transforms: the elements of each are `stride` apart, those of neighbouring transforms `distance`, and results `to_distance`. scratch: fft_many_scratch_elements(N, count).
template <class T, extent_t N, bool Inverse>
void fft_many(T const* re, T const* im, extent_t stride, extent_t distance, T* to_re, T* to_im, extent_t to_distance, extent_t count, T* scratch) {
  constexpr int w = native_lanes<T>();
  if constexpr (Inverse) {
    fft_many<T, N, false>(im, re, stride, distance, to_im, to_re, to_distance, count, scratch);
    return;
  } else if constexpr (w > 1) {
    // The last transforms are computed again with those before them where they are too few for a register: results do not overlap the input.
    auto const side_by_side = [&](auto const& transforms) DIMITY_FFT_LAMBDA {
      for (extent_t block = 0; block < count; block += w) transforms(std::min(block, count - w));
    };
    if constexpr (N <= fft_largest_in_lanes && N > 1 && largest_prime_factor(N) <= 13) {
      if (count >= w && (distance == 1 || stride == 1)) {
        side_by_side([&](extent_t i) DIMITY_FFT_LAMBDA {
          fft_in_lanes<T, N, w>(re + i * distance, im + i * distance, stride, distance, to_re + i * to_distance, to_im + i * to_distance, to_distance);
        });
        return;
      }
    } else if constexpr (N >= w) {
      if (count >= w && distance == 1 && stride != 1) {
        T *const rows_re = scratch, *const rows_im = scratch + w * fft_distance(N), *const rest = scratch + 2 * w * fft_distance(N);
        side_by_side([&](extent_t i) DIMITY_FFT_LAMBDA {
          columns_to_rows<w>(re + i, stride, rows_re, fft_distance(N), N);
          columns_to_rows<w>(im + i, stride, rows_im, fft_distance(N), N);
          for (extent_t row = 0; row < w; ++row) {
            fft<T, N, false>(rows_re + row * fft_distance(N), rows_im + row * fft_distance(N), 1, to_re + (i + row) * to_distance, to_im + (i + row) * to_distance, rest);
          }
        });
        return;
      }
    }
  }
  for (extent_t i = 0; i < count; ++i) fft<T, N, Inverse>(re + i * distance, im + i * distance, stride, to_re + i * to_distance, to_im + i * to_distance, scratch);
}

}  // namespace DIMITY_NAMESPACE::detail
