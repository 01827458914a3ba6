// Fourier transforms as expressions, traced functions and under transforms. The kernels themselves: tests/exec/fft.cpp.
#include "../transform/derivatives.hpp"

#include <cmath>

using namespace dimity;
using test::spread;

namespace {

constexpr double two_pi = 6.283185307179586476925;

/// By the definition.
template <extent_t N>
std::tuple<tensor<double, N>, tensor<double, N>> transform_slowly(tensor<double, N> const& re, tensor<double, N> const& im) {
  tensor<double, N> a, b;
  for (extent_t k = 0; k < N; ++k)
    for (extent_t j = 0; j < N; ++j) {
      double const angle = -two_pi * static_cast<double>(j * k % N) / static_cast<double>(N);
      a(k) += re(j) * std::cos(angle) - im(j) * std::sin(angle);
      b(k) += re(j) * std::sin(angle) + im(j) * std::cos(angle);
    }
  return {a, b};
}
template <extent_t N>
void check_length() {
  CAPTURE(N);
  auto const re = spread<tensor<double, N>>(-1, 1);
  tensor<double, N> const im = flip(re * re, axis<0>);
  auto const [want_re, want_im] = transform_slowly(re, im);
  auto const [y_re, y_im] = fft::fft(re, im);
  CHECK(allclose(y_re, want_re, 1e-13, 1e-12));
  CHECK(allclose(y_im, want_im, 1e-13, 1e-12));
  auto const [x_re, x_im] = fft::ifft(y_re, y_im);
  CHECK(allclose(x_re, re, 1e-13, 1e-13));
  CHECK(allclose(x_im, im, 1e-13, 1e-13));
  auto const [real_re, real_im] = transform_slowly(re, tensor<double, N>{});
  auto const [half_re, half_im] = fft::rfft(re);
  CHECK(allclose(half_re, slice<0, 0, N / 2 + 1>(real_re), 1e-13, 1e-12));
  CHECK(allclose(half_im, slice<0, 0, N / 2 + 1>(real_im), 1e-13, 1e-12));
  CHECK(allclose(fft::irfft<N>(half_re, half_im), re, 1e-13, 1e-13));
}

}  // namespace

TEST_CASE("against the definition") {
  check_length<1>();
  check_length<2>();
  check_length<15>();
  check_length<17>();
  check_length<60>();
}
TEST_CASE("NumPy's values") {
  // numpy.fft.rfft([1, 2, 4, 3, 0]), fftfreq(5, 0.5), rfftfreq(6, 0.5)
  auto const [re, im] = fft::rfft(tensor<float, 5>{1, 2, 4, 3, 0});
  CHECK(allclose(re, tensor<float, 3>{10, -4.0450850f, 1.5450850f}));
  CHECK(allclose(im, tensor<float, 3>{0, -2.4898982f, -0.2245140f}, 1e-5, 1e-5));
  CHECK(allclose(fft::fftfreq<double, 5>(0.5), tensor<double, 5>{0, 0.4, 0.8, -0.8, -0.4}));
  CHECK(allclose(fft::rfftfreq<double, 6>(0.5), tensor<double, 4>{0, 1 / 3.0, 2 / 3.0, 1}));
}
TEST_CASE("axes, batches and extents chosen at run time") {
  auto const x = spread<tensor<double, 3, 8, 2>>(-1, 1);
  auto const [re, im] = fft::rfft(x, axis<1>);
  static_assert(std::is_same_v<decltype(re), tensor<double, 3, 5, 2> const>);
  auto const [mapped_re, mapped_im] = vmap([](auto const& m) { return fft::rfft(m, axis<0>); })(x);
  CHECK(array_equal(re, mapped_re));
  CHECK(array_equal(im, mapped_im));
  CHECK(allclose(fft::irfft(re, im, axis<1>), x, 1e-13, 1e-13));
  for (int i = 0; i < 3; ++i)
    for (int j = 0; j < 2; ++j) {
      auto const line = eval(pick<1>(pick<0>(x, i), j));
      auto const [one_re, one_im] = fft::rfft(line);
      CHECK(allclose(pick<1>(pick<0>(re, i), j), one_re, 1e-14, 1e-14));
      CHECK(allclose(pick<1>(pick<0>(im, i), j), one_im, 1e-14, 1e-14));
    }
  tensor<double, dyn, 8, 2> const many = x;
  auto const [many_re, many_im] = fft::fft(many, -many, axis<1>);
  auto const [same_re, same_im] = fft::fft(x, eval(-x), axis<1>);
  CHECK(array_equal(many_re, same_re));
  CHECK(array_equal(many_im, same_im));
  // Many short ones at once, along either axis.
  auto const table = spread<tensor<float, 21, 12>>(-1, 1);
  auto const [rows_re, rows_im] = fft::fft(table, eval(0.5f * table));
  auto const [columns_re, columns_im] = fft::ifft(table, eval(0.5f * table), axis<0>);
  for (int i = 0; i < 21; ++i) CHECK(allclose(pick<0>(rows_im, i), std::get<1>(fft::fft(pick<0>(table, i), 0.5f * pick<0>(table, i))), 1e-5, 1e-5));
  for (int j = 0; j < 12; ++j) CHECK(allclose(pick<1>(columns_re, j), std::get<0>(fft::ifft(pick<1>(table, j), 0.5f * pick<1>(table, j))), 1e-5, 1e-6));
  CHECK(std::get<0>(fft::fft(tensor<double, 0, 4>{}, tensor<double, 0, 4>{})).size() == 0);
}
