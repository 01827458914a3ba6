// Fourier transforms of compile-time lengths: of complex numbers, and of real numbers and back.
#pragma once

#include <dimity/exec/cpu/fft_complex.hpp>
#include <dimity/exec/cpu/fft_many.hpp>
#include <dimity/exec/cpu/fft_real.hpp>
