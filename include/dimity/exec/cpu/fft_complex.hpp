// Fourier transforms of complex numbers, of any length.
#pragma once

#include <dimity/exec/cpu/fft_convolution.hpp>
#include <dimity/exec/cpu/fft_sum.hpp>

namespace DIMITY_NAMESPACE::detail {

/// to_k = sum_j x_j exp(-+ 2 pi i j k / N), not normalised; Inverse: +. Real and imaginary parts are apart, the elements of the input `stride` from each other; `to` does not overlap the input.
/// scratch: fft_scratch_elements(N). The relative error in the 2-norm is a few epsilon times log2(N), at most (Higham, Accuracy and Stability of Numerical Algorithms, theorem 24.2).
template <class T, extent_t N, bool Inverse>
void fft(T const* re, T const* im, extent_t stride, T* to_re, T* to_im, T* scratch) {
  constexpr fft_method method = fft_method_of(N);
  if constexpr (Inverse) {
    // With real and imaginary parts exchanged before and after, a transform is its inverse.
    fft<T, N, false>(im, re, stride, to_im, to_re, scratch);
  } else if constexpr (method == fft_method::registers) {
    complex_lanes<T> x[N];
    unrolled<N>([&](auto j) DIMITY_FFT_LAMBDA { x[j] = {re[j * stride], im[j * stride]}; });
    butterfly<T, N, 1>(x);
    unrolled<N>([&](auto k) DIMITY_FFT_LAMBDA {
      to_re[k] = x[k].re;
      to_im[k] = x[k].im;
    });
  } else if constexpr (method == fft_method::sum) {
    fft_as_sum<T, N>(re, im, stride, to_re, to_im);
  } else if constexpr (method == fft_method::convolution) {
    fft_as_convolution<T, N>(re, im, stride, to_re, to_im, scratch);
  } else if (stride == 1) {
    fft_in_passes<T, N>(planar_source<T>{re, im}, planar_sink<T>{to_re, to_im}, planar_sink<T>{to_re, to_im}, scratch);
  } else {
    fft_in_passes_strided<T, N>(re, im, stride, planar_sink<T>{to_re, to_im}, scratch);
  }
}

}  // namespace DIMITY_NAMESPACE::detail
