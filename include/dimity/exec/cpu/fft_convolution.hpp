// Fourier transforms of lengths with large prime factors.
#pragma once

#include <dimity/exec/cpu/fft_stage.hpp>

namespace DIMITY_NAMESPACE::detail {

/// chirp_j = exp(-pi i j^2 / N) for j < N, and the transform of its conjugate, continued evenly to a circle of `length`, and divided by that.
template <class T, extent_t N>
struct fft_chirp {
  static constexpr extent_t length = fft_convolution_length(N);
  alignas(64) T re[N], im[N], spectrum_re[length], spectrum_im[length];
  fft_chirp() {
    // Static, as it may be too large for a stack; this constructor runs once.
    static T workspace[2 * fft_distance(length) + fft_scratch_elements(length)];
    T *const circle_re = workspace, *const circle_im = workspace + fft_distance(length);
    for (extent_t j = 0; j < N; ++j) {
      circle_point const w = circle_point_of(j * j % (2 * N), 2 * N);
      re[j] = static_cast<T>(w.re);
      im[j] = static_cast<T>(w.im);
      for (extent_t const at : {j, (length - j) % length}) {
        circle_re[at] = static_cast<T>(w.re / length);
        circle_im[at] = static_cast<T>(-w.im / length);
      }
    }
    fft_in_passes<T, length>(planar_source<T>{circle_re, circle_im}, planar_sink<T>{spectrum_re, spectrum_im}, planar_sink<T>{spectrum_re, spectrum_im}, workspace + 2 * fft_distance(length));
  }
};

/// to_k = sum_j x_j exp(-2 pi i j k / N): as 2 j k = j^2 + k^2 - (k - j)^2, a convolution with a chirp, which transforms of another length compute
/// (Bluestein, A linear filtering approach to the computation of the discrete Fourier transform, 1970).
template <class T, extent_t N>
void fft_as_convolution(T const* re, T const* im, extent_t stride, T* __restrict to_re, T* __restrict to_im, T* __restrict scratch) {
  constexpr extent_t length = fft_convolution_length(N), distance = fft_distance(length);
  auto const& chirp = fft_table<fft_chirp<T, N>>();
  T *const a_re = scratch, *const a_im = scratch + distance, *const b_re = scratch + 2 * distance, *const b_im = scratch + 3 * distance;
  for (extent_t j = 0; j < N; ++j) {
    T const x = re[j * stride], y = im[j * stride];
    a_re[j] = x * chirp.re[j] - y * chirp.im[j];
    a_im[j] = x * chirp.im[j] + y * chirp.re[j];
  }
  std::fill(a_re + N, a_re + length, T(0));
  std::fill(a_im + N, a_im + length, T(0));
  fft_in_passes<T, length>(planar_source<T>{a_re, a_im}, planar_sink<T>{b_re, b_im}, planar_sink<T>{b_re, b_im}, scratch + 4 * distance);
  for (extent_t k = 0; k < length; ++k) {
    T const x = b_re[k], y = b_im[k];
    b_re[k] = x * chirp.spectrum_re[k] - y * chirp.spectrum_im[k];
    b_im[k] = x * chirp.spectrum_im[k] + y * chirp.spectrum_re[k];
  }
  // Exchanging real and imaginary parts before and after a transform makes it the inverse.
  fft_in_passes<T, length>(planar_source<T>{b_im, b_re}, planar_sink<T>{a_im, a_re}, planar_sink<T>{a_im, a_re}, scratch + 4 * distance);
  for (extent_t k = 0; k < N; ++k) {
    T const x = a_re[k], y = a_im[k];
    to_re[k] = x * chirp.re[k] - y * chirp.im[k];
    to_im[k] = x * chirp.im[k] + y * chirp.re[k];
  }
}

}  // namespace DIMITY_NAMESPACE::detail
