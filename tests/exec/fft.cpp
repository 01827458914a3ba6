// The kernels behind fft, rfft and irfft, against the defining sums in long double, and by what the sums imply.
#include <dimity/exec/cpu/fft.hpp>

#include "../support/allocations.hpp"
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <complex>
#include <cstddef>
#include <limits>
#include <random>
#include <type_traits>
#include <utility>
#include <vector>

using namespace dimity;
using namespace dimity::detail;

namespace {

using number = std::complex<long double>;
using numbers = std::vector<number>;

/// The kernels of one length, so that a test is compiled once for all of them.
template <class T>
struct kernels {
  extent_t n;
  void (*forward)(T const*, T const*, extent_t, T*, T*, T*);
  void (*inverse)(T const*, T const*, extent_t, T*, T*, T*);
  void (*real)(T const*, extent_t, T*, T*, T*) = nullptr;
  void (*inverse_real)(T const*, T const*, extent_t, T*, T*) = nullptr;
  void (*many)(T const*, T const*, extent_t, extent_t, T*, T*, extent_t, extent_t, T*) = nullptr;
};
template <extent_t... N>
using lengths = std::integer_sequence<extent_t, N...>;
template <class T, extent_t... N>
std::vector<kernels<T>> complex_kernels(lengths<N...>) {
  return {{N, detail::fft<T, N, false>, detail::fft<T, N, true>}...};
}
template <class T, extent_t... N>
std::vector<kernels<T>> real_kernels(lengths<N...>) {
  return {{N, detail::fft<T, N, false>, detail::fft<T, N, true>, detail::rfft<T, N>, detail::irfft<T, N>}...};
}
template <class T, extent_t... N>
std::vector<kernels<T>> many_kernels(lengths<N...>) {
  return {{N, detail::fft<T, N, false>, detail::fft<T, N, true>, nullptr, nullptr, detail::fft_many<T, N, false>}...};
}

/// Under a sanitizer a kernel takes ten times as long to compile, so that a choice of lengths has to do: each way to transform, with and without a remainder of lanes.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define DIMITY_TEST_SANITIZED
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define DIMITY_TEST_SANITIZED
#endif
#endif
#ifdef DIMITY_TEST_SANITIZED
template <class T>
using all_complex = lengths<1, 2, 3, 8, 9, 11, 16, 20, 37, 60, 64, 97, 243, 1000, 4096>;
template <class T>
using all_real = lengths<1, 2, 3, 6, 16, 33, 64, 128, 194, 360>;
using all_many = lengths<1, 3, 8, 37>;
#else
template <extent_t First, class Numbers, class More>
struct joined_lengths;
template <extent_t First, extent_t... I, extent_t... N>
struct joined_lengths<First, lengths<I...>, lengths<N...>> {
  using type = lengths<(First + I)..., N...>;
};
/// 1 ... 70 and beyond: powers of 2, 3, 5 and 7, products of them, 17 times other primes, and lengths with a large prime factor. float has fewer of those that differ from double in nothing but the lanes.
template <class T>
using all_complex = std::conditional_t<
    std::is_same_v<T, double>,
    typename joined_lengths<1, std::make_integer_sequence<extent_t, 70>, lengths<81, 97, 101, 125, 243, 256, 343, 360, 512, 625, 1000, 1009, 1024, 2048, 2431, 4096, 16384>>::type,
    typename joined_lengths<1, std::make_integer_sequence<extent_t, 17>, lengths<20, 33, 60, 64, 97, 128, 243, 512, 625, 1000, 1024, 4096>>::type>;
/// For every way in which n, or n / 2 where n is even, is transformed: shorter and longer than registers, odd and even numbers of mirrored pairs.
template <class T>
using all_real = std::conditional_t<std::is_same_v<T, double>, lengths<1, 2, 3, 4, 5, 6, 8, 9, 12, 15, 16, 18, 27, 32, 33, 62, 64, 74, 97, 128, 194, 360, 512, 1000, 4096>,
                                    lengths<1, 2, 3, 4, 6, 8, 9, 16, 27, 32, 64, 97, 128, 1000, 1024>>;
using all_many = lengths<1, 3, 8, 12, 15, 16, 30, 37>;
#endif
template <class T>
std::vector<kernels<T>> complex_lengths() {
  return complex_kernels<T>(all_complex<T>{});
}
template <class T>
std::vector<kernels<T>> real_lengths() {
  return real_kernels<T>(all_real<T>{});
}

/// Elements in memory of their own, so that a sanitizer sees what is read and written beyond them.
template <class T>
struct planes {
  std::vector<T> re, im;
  explicit planes(extent_t n) : re(static_cast<std::size_t>(n), std::numeric_limits<T>::quiet_NaN()), im(re) {}
  number operator[](extent_t i) const { return {re[static_cast<std::size_t>(i)], im[static_cast<std::size_t>(i)]}; }
  void set(extent_t i, number x) {
    re[static_cast<std::size_t>(i)] = static_cast<T>(x.real());
    im[static_cast<std::size_t>(i)] = static_cast<T>(x.imag());
  }
};
template <class T>
planes<T> random_planes(extent_t n, unsigned seed) {
  std::mt19937 generator(seed);
  std::uniform_real_distribution<double> uniform(-1, 1);
  planes<T> x(n);
  for (extent_t i = 0; i < n; ++i) x.set(i, {uniform(generator), uniform(generator)});
  return x;
}
template <class T>
numbers numbers_of(planes<T> const& x, extent_t n, extent_t stride = 1) {
  numbers y;
  for (extent_t i = 0; i < n; ++i) y.push_back(x[i * stride]);
  return y;
}
template <class T>
planes<T> transformed(kernels<T> const& k, planes<T> const& x, extent_t stride = 1, bool inverse = false) {
  planes<T> y(k.n), scratch(fft_scratch_elements(k.n));
  (inverse ? k.inverse : k.forward)(x.re.data(), x.im.data(), stride, y.re.data(), y.im.data(), scratch.re.data());
  return y;
}
template <class T>
planes<T> real_transformed(kernels<T> const& k, std::vector<T> const& x, extent_t stride = 1) {
  planes<T> y(k.n / 2 + 1), scratch(rfft_scratch_elements(k.n));
  k.real(x.data(), stride, y.re.data(), y.im.data(), scratch.re.data());
  return y;
}

/// exp(sign 2 pi i k / n) for all k.
numbers circle(extent_t n, int sign) {
  numbers w;
  for (extent_t k = 0; k < n; ++k) w.push_back(std::polar(1.0L, sign * 2 * std::acos(-1.0L) * static_cast<long double>(k) / static_cast<long double>(n)));
  return w;
}
/// The defining sums, for results 0 ... last.
numbers defining_sums(numbers const& x, int sign, extent_t last) {
  auto const n = static_cast<extent_t>(x.size());
  numbers const w = circle(n, sign);
  numbers y;
  for (extent_t k = 0; k <= last; ++k) {
    long double re = 0, im = 0;
    for (extent_t j = 0, at = 0; j < n; ++j, at = at + k >= n ? at + k - n : at + k) {
      number const a = x[static_cast<std::size_t>(j)], b = w[static_cast<std::size_t>(at)];
      re += a.real() * b.real() - a.imag() * b.imag();
      im += a.real() * b.imag() + a.imag() * b.real();
    }
    y.emplace_back(re, im);
  }
  return y;
}

long double norm_of(numbers const& x) {
  long double sum = 0;
  for (auto const& e : x) sum += std::norm(e);
  return std::sqrt(sum);
}
/// The 2-norm of the difference relative to that of what is expected, in epsilons of T.
template <class T>
double error_of(numbers const& x, numbers const& expected) {
  numbers difference;
  for (std::size_t i = 0; i < expected.size(); ++i) difference.push_back(x.at(i) - expected[i]);
  long double const norm = norm_of(expected);
  return static_cast<double>(norm_of(difference) / (norm == 0 ? 1 : norm) / std::numeric_limits<T>::epsilon());
}
/// In epsilons. Higham proves log2(n) (4 sqrt(2) + 1) / 2 = 3.3 log2(n) to first order for radix 2 and accurate factors (Accuracy and Stability of Numerical Algorithms, theorem 24.2); errors that
/// add up at random, as those of FFTW's accuracy page (fftw.org/accuracy), grow with the square root of log2(n). Convolutions are three transforms. This is a tenth to a fifth of Higham's bound.
double bound(extent_t n) { return (2 + std::log2(static_cast<double>(n))) / 3 * (fft_method_of(n) == fft_method::convolution || (n % 2 == 0 && fft_method_of(n / 2) == fft_method::convolution) ? 2 : 1); }

/// Sums take too long for the longest, whose properties are tested all the same; much too long where long double is computed by a library.
constexpr extent_t longest_sum = std::numeric_limits<long double>::digits > 64 ? 200 : 1100;

}  // namespace

TEST_CASE_TEMPLATE("points of the circle are correctly rounded", T, float, double) {
  for (extent_t const n : {1, 2, 3, 7, 8, 12, 64, 1000, 4097})
    for (extent_t k = 0; k < n; ++k) {
      circle_point const p = circle_point_of(k, n);
      long double const angle = 2 * std::acos(-1.0L) * static_cast<long double>(k) / static_cast<long double>(n);
      CAPTURE(n);
      CAPTURE(k);
      // Half a unit in the last place, plus what long double's own pi leaves of the angle.
      REQUIRE(std::abs(static_cast<long double>(static_cast<T>(p.re)) - std::cos(angle)) <= std::numeric_limits<T>::epsilon() * 0.2501L + 2e-18L);
      REQUIRE(std::abs(static_cast<long double>(static_cast<T>(p.im)) + std::sin(angle)) <= std::numeric_limits<T>::epsilon() * 0.2501L + 2e-18L);
    }
  CHECK(circle_point_of(1, 4).im == -1);
  CHECK(circle_point_of(1, 4).re == 0);
  CHECK(static_cast<T>(circle_point_of(1, 8).re) == -static_cast<T>(circle_point_of(1, 8).im));
}

TEST_CASE_TEMPLATE("complex transforms are the defining sums", T, float, double) {
  for (auto const& k : complex_lengths<T>()) {
    if (k.n > longest_sum && k.n != 2431) continue;
    CAPTURE(k.n);
    for (extent_t const stride : {1, 3}) {
      auto const x = random_planes<T>(k.n * stride, 1 + static_cast<unsigned>(k.n));
      numbers const from = numbers_of(x, k.n, stride);
      CHECK(error_of<T>(numbers_of(transformed(k, x, stride), k.n), defining_sums(from, -1, k.n - 1)) < bound(k.n));
      if (stride == 1) CHECK(error_of<T>(numbers_of(transformed(k, x, stride, true), k.n), defining_sums(from, 1, k.n - 1)) < bound(k.n));
    }
  }
}

TEST_CASE_TEMPLATE("the inverse brings back n times the input, and lengths are kept", T, float, double) {
  for (auto const& k : complex_lengths<T>()) {
    CAPTURE(k.n);
    auto const x = random_planes<T>(k.n, 2);
    auto const y = transformed(k, x);
    numbers expected = numbers_of(x, k.n);
    // Parseval's theorem.
    CHECK(static_cast<double>(norm_of(numbers_of(y, k.n)) / norm_of(expected) / std::sqrt(static_cast<long double>(k.n))) == doctest::Approx(1).epsilon(4 * bound(k.n) * std::numeric_limits<T>::epsilon()));
    for (auto& e : expected) e *= static_cast<long double>(k.n);
    CHECK(error_of<T>(numbers_of(transformed(k, y, 1, true), k.n), expected) < 2 * bound(k.n));
  }
}

TEST_CASE_TEMPLATE("transforms are linear, and of what is shifted they are rotated", T, float, double) {
  for (auto const& k : complex_lengths<T>()) {
    CAPTURE(k.n);
    auto const x = random_planes<T>(k.n, 3), y = random_planes<T>(k.n, 4);
    planes<T> sum(k.n), shifted(k.n);
    number const factor(0.75L, -0.5L);
    extent_t const shift = k.n / 3;
    for (extent_t i = 0; i < k.n; ++i) {
      sum.set(i, x[i] + factor * y[i]);
      shifted.set((i + shift) % k.n, x[i]);
    }
    auto const fx = transformed(k, x), fy = transformed(k, y);
    numbers const w = circle(k.n, -1);
    numbers expected_sum, expected_shifted;
    for (extent_t i = 0; i < k.n; ++i) {
      expected_sum.push_back(fx[i] + factor * fy[i]);
      expected_shifted.push_back(fx[i] * w[static_cast<std::size_t>(i * shift % k.n)]);
    }
    CHECK(error_of<T>(numbers_of(transformed(k, sum), k.n), expected_sum) < 3 * bound(k.n));
    CHECK(error_of<T>(numbers_of(transformed(k, shifted), k.n), expected_shifted) < 2 * bound(k.n));
  }
}

TEST_CASE_TEMPLATE("one element that is not 0 gives a circle, and a circle one element", T, float, double) {
  for (auto const& k : complex_lengths<T>()) {
    CAPTURE(k.n);
    extent_t const at = k.n / 2;
    planes<T> x(k.n), c(k.n);
    numbers expected_circle, expected_peak(static_cast<std::size_t>(k.n));
    numbers const w = circle(k.n, -1);
    for (extent_t i = 0; i < k.n; ++i) {
      x.set(i, i == at ? 1 : 0);
      c.set(i, std::conj(w[static_cast<std::size_t>(i * at % k.n)]));
      expected_circle.push_back(w[static_cast<std::size_t>(i * at % k.n)]);
    }
    expected_peak[static_cast<std::size_t>(at)] = static_cast<long double>(k.n);
    CHECK(error_of<T>(numbers_of(transformed(k, x), k.n), expected_circle) < bound(k.n));
    CHECK(error_of<T>(numbers_of(transformed(k, c), k.n), expected_peak) < bound(k.n));
  }
}

TEST_CASE_TEMPLATE("real transforms are complex ones of real input", T, float, double) {
  for (auto const& k : real_lengths<T>()) {
    CAPTURE(k.n);
    for (extent_t const stride : {1, 3}) {
      auto x = random_planes<T>(k.n * stride, 5);
      std::fill(x.im.begin(), x.im.end(), T(0));
      auto const y = real_transformed(k, x.re, stride);
      numbers const complex_result = k.n <= longest_sum ? defining_sums(numbers_of(x, k.n, stride), -1, k.n / 2) : numbers_of(transformed(k, x, stride), k.n / 2 + 1);
      CHECK(error_of<T>(numbers_of(y, k.n / 2 + 1), complex_result) < (k.n <= longest_sum ? 1 : 2) * bound(k.n));
      CHECK(y.im[0] == 0);
      if (k.n % 2 == 0) CHECK(y.im.back() == 0);
    }
  }
}

TEST_CASE_TEMPLATE("inverse real transforms are the sums over both halves", T, float, double) {
  for (auto const& k : real_lengths<T>()) {
    CAPTURE(k.n);
    for (extent_t const stride : {1, 3}) {
      auto y = random_planes<T>((k.n / 2 + 1) * stride, 6);
      numbers whole(static_cast<std::size_t>(k.n));
      for (extent_t i = 0; i <= k.n / 2; ++i) {
        whole[static_cast<std::size_t>(i)] = y[i * stride];
        whole[static_cast<std::size_t>((k.n - i) % k.n)] = std::conj(y[i * stride]);
      }
      // These have no imaginary part, so it is not read.
      for (extent_t const i : {extent_t(0), k.n / 2})
        if (i == 0 || k.n % 2 == 0) {
          whole[static_cast<std::size_t>(i)] = whole[static_cast<std::size_t>(i)].real();
          y.im[static_cast<std::size_t>(i * stride)] = std::numeric_limits<T>::quiet_NaN();
        }
      planes<T> x(k.n), scratch(rfft_scratch_elements(k.n));
      k.inverse_real(y.re.data(), y.im.data(), stride, x.re.data(), scratch.re.data());
      std::fill(x.im.begin(), x.im.end(), T(0));
      if (k.n <= longest_sum) CHECK(error_of<T>(numbers_of(x, k.n), defining_sums(whole, 1, k.n - 1)) < bound(k.n));
      auto const again = real_transformed(k, x.re);
      numbers expected(whole.begin(), whole.begin() + k.n / 2 + 1);
      for (auto& e : expected) e *= static_cast<long double>(k.n);
      CHECK(error_of<T>(numbers_of(again, k.n / 2 + 1), expected) < 2 * bound(k.n));
    }
  }
}

TEST_CASE_TEMPLATE("many transforms are each of them", T, float, double) {
  for (auto const& k : many_kernels<T>(all_many{}))
    // A fraction of a register, and one and a half.
    for (extent_t const count : {3, 24}) {
      extent_t const to_distance = k.n + 3;
      CAPTURE(k.n);
      CAPTURE(count);
      // Rows, columns, and neither.
      for (auto const& [stride, distance] : {std::pair<extent_t, extent_t>{1, k.n + 1}, {count + 2, 1}, {2, 2 * k.n}}) {
        auto const x = random_planes<T>(stride * (k.n - 1) + distance * (count - 1) + 1, 7);
        planes<T> y(count * to_distance), scratch(fft_many_scratch_elements(k.n, count));
        k.many(x.re.data(), x.im.data(), stride, distance, y.re.data(), y.im.data(), to_distance, count, scratch.re.data());
        double worst = 0;
        bool kept_out = true;
        for (extent_t i = 0; i < count; ++i) {
          numbers from, to;
          for (extent_t j = 0; j < k.n; ++j) {
            from.push_back(x[i * distance + j * stride]);
            to.push_back(y[i * to_distance + j]);
          }
          worst = std::max(worst, error_of<T>(to, defining_sums(from, -1, k.n - 1)));
          for (extent_t j = k.n; j < to_distance; ++j) kept_out = kept_out && std::isnan(y.re[static_cast<std::size_t>(i * to_distance + j)]);
        }
        CHECK(worst < 1.5 * bound(k.n));
        CHECK(kept_out);
      }
    }
}

TEST_CASE_TEMPLATE("nan and inf reach every result", T, float, double) {
  for (T const bad : {std::numeric_limits<T>::quiet_NaN(), std::numeric_limits<T>::infinity()}) {
    for (auto const& k : complex_lengths<T>()) {
      auto x = random_planes<T>(k.n, 8);
      x.re[static_cast<std::size_t>(k.n / 2)] = bad;
      auto const y = transformed(k, x);
      bool all = true;
      for (extent_t i = 0; i < k.n; ++i) all = all && !(std::isfinite(y.re[static_cast<std::size_t>(i)]) && std::isfinite(y.im[static_cast<std::size_t>(i)]));
      CAPTURE(k.n);
      CHECK(all);
    }
    for (auto const& k : real_lengths<T>()) {
      auto x = random_planes<T>(k.n, 9).re;
      x[static_cast<std::size_t>(k.n / 2)] = bad;
      auto const y = real_transformed(k, x);
      bool all = true;
      for (extent_t i = 0; i <= k.n / 2; ++i) all = all && !(std::isfinite(y.re[static_cast<std::size_t>(i)]) && std::isfinite(y.im[static_cast<std::size_t>(i)]));
      CAPTURE(k.n);
      CHECK(all);
    }
  }
}

TEST_CASE_TEMPLATE("the largest and the smallest numbers", T, float, double) {
  for (auto const& k : complex_lengths<T>()) {
    if (fft_method_of(k.n) == fft_method::convolution) continue;
    CAPTURE(k.n);
    auto const x = random_planes<T>(k.n, 10);
    auto const expected = numbers_of(transformed(k, x), k.n);
    // Powers of two scale without rounding, so results are the same but for that.
    for (T const scale : {std::numeric_limits<T>::max() / 2 / static_cast<T>(std::exp2(std::ceil(std::log2(static_cast<double>(4 * k.n))))), T(std::ldexp(T(1), std::numeric_limits<T>::min_exponent + 40))}) {
      T const power = std::exp2(std::floor(std::log2(scale)));
      planes<T> scaled(k.n);
      for (extent_t i = 0; i < k.n; ++i) scaled.set(i, x[i] * static_cast<long double>(power));
      auto y = numbers_of(transformed(k, scaled), k.n);
      for (auto& e : y) e /= static_cast<long double>(power);
      CHECK(error_of<T>(y, expected) < 0.01);
    }
  }
}

TEST_CASE_TEMPLATE("no transform allocates", T, float, double) {
  auto const all = real_lengths<T>();
  auto const x = random_planes<T>(4096, 11);
  planes<T> y(4096), scratch(100000);
  std::size_t const before = test::allocation_count();
  for (auto const& k : all) {
    k.forward(x.re.data(), x.im.data(), 1, y.re.data(), y.im.data(), scratch.re.data());
    k.real(x.re.data(), 1, y.re.data(), y.im.data(), scratch.re.data());
    k.inverse_real(x.re.data(), x.im.data(), 1, y.re.data(), scratch.re.data());
  }
  CHECK(test::allocation_count() == before);
}

static_assert(fft_scratch_elements(4096) < 3 * 4096);
static_assert(fft_scratch_elements(8) == 0);
static_assert(largest_prime_factor(1) == 1);
static_assert(largest_prime_factor(11 * 13 * 17) == 17);
static_assert(largest_prime_factor(1009) == 1009);
static_assert(fft_convolution_length(1009) == 2048);
static_assert(fft_plan_of<double>(4096).columns * fft_plan_of<double>(4096).rows == 4096);
