// Derivatives of Fourier transforms: each is linear, so that its transpose is another of them.
// heavy: many compiled derivatives
#include "../transform/derivatives.hpp"

using namespace dimity;
using test::check_derivatives;
using test::spread;

TEST_CASE("derivatives") {
  check_derivatives([](auto const& re, auto const& im) { return std::tuple_cat(fft::fft(re, im), fft::ifft(sin(re), re * im)); }, spread<tensor<double, 6>>(-1, 1), spread<tensor<double, 6>>(-1, 1));
  check_derivatives([](auto const& x) { return std::tuple_cat(fft::rfft(x), fft::rfft(slice<0, 0, 7>(x))); }, spread<tensor<double, 8>>(-1, 1));
  check_derivatives([](auto const& re, auto const& im) { return std::tuple{fft::irfft(re, im), fft::irfft<9>(re * im, im)}; }, spread<tensor<double, 5>>(-1, 1), spread<tensor<double, 5>>(-1, 1));
  // Parseval: the energy of a spectrum is n times that of the signal, and so are the gradients.
  auto const x = spread<tensor<double, 10>>(-1, 1);
  auto const slope = grad([](auto const& v) {
    auto const [re, im] = fft::fft(v, zeros_like(v));
    return sum(square(re) + square(im));
  })(x);
  CHECK(allclose(slope, 20.0 * x, 1e-12, 1e-12));
}
