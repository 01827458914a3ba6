// heavy: kernels without optimisation, with sanitizers, take minutes and 3 GB to compile
#include "on_cuda.hpp"

using namespace dimity;
using test::numbers, test::same_on_cuda, test::same_within;

TEST_CASE("cuda: chains over one and several axes, of sizes that packets divide and do not") {
  auto const chain = [](auto const& x, auto const& y) { return tanh(x * y + 1.0f) * 0.5f - exp(-abs(x)); };
  same_on_cuda(chain, numbers<float, 1>(1), numbers<float, 1>(2));
  same_on_cuda(chain, numbers<float, 1024>(1), numbers<float, 1024>(2));
  same_on_cuda(chain, numbers<float, 5, 40>(1), numbers<float, 40>(2));
  same_on_cuda(chain, numbers<float, 5, 1, 6>(1), numbers<float, 4, 1>(2));
  same_on_cuda(chain, numbers<double, 33, 3>(1), numbers<double, 33, 3>(2));
  same_on_cuda(chain, numbers<float, 0, 4>(1), numbers<float, 4>(2));
}

TEST_CASE("cuda: layouts") {
  same_on_cuda([](auto const& x) { return transpose(x) + 1.0f; }, numbers<float, 12, 9>(1));
  same_on_cuda([](auto const& x) { return flip(x, axis<1>) * 2.0f; }, numbers<float, 3, 8>(1));
  same_on_cuda([](auto const& x) { return slice<1, 1, 7, 2>(x); }, numbers<float, 3, 8>(1));
  same_on_cuda([](auto const& x) { return reshape<6, 4>(x) + transpose(reshape<4, 6>(x)); }, numbers<float, 24>(1));
  same_on_cuda([](auto const& x) { return x + arange<float, 9>() * 0.5f; }, numbers<float, 4, 9>(1));
  same_on_cuda([](auto const& x) { return std::tuple{tril(x), broadcast_to<5, 6, 6>(x), eye<float, 6>() - x}; }, numbers<float, 6, 6>(1));
}

TEST_CASE("cuda: several results, of fewer axes too") {
  auto const several = [](auto const& x, auto const& row) { return std::tuple{x * row, x - row, row + 1.0f, exp(row)}; };
  same_on_cuda(several, numbers<float, 6, 20>(1), numbers<float, 20>(2));
  same_on_cuda(several, numbers<float, 6, 20>(1), numbers<float, 6, 1>(2));
}

TEST_CASE_TEMPLATE("cuda: integers", T, std::int8_t, std::uint16_t, std::int32_t, std::uint64_t) {
  auto const arithmetic = [](auto const& x, auto const& y) { return std::tuple{x + y * x, x - y, -x, x / y, x % y, abs(x), maximum(x, y), x < y, x == y, square(x) << (y & T(7)), x >> (y & T(7)), ~x ^ (x | y)}; };
  tensor<T, 45> x = numbers<T, 45>(1), y = numbers<T, 45>(7);
  y(0) = y(1) = 0;
  x(1) = 0;
  if constexpr (std::is_signed_v<T>) {
    x(2) = x(3) = std::numeric_limits<T>::lowest();
    y(2) = T(-1);
    y(3) = T(1);
  }
  same_on_cuda(arithmetic, x, y);
}

TEST_CASE_TEMPLATE("cuda: every function, of ordinary numbers and of all others", T, float, double) {
  auto const one = [](auto const& x) {
    return std::tuple{abs(x), sign(x), exp(x), exp2(x), expm1(x), log(x), log2(x), log10(x), log1p(x), sqrt(x), rsqrt(x), cbrt(x), square(x), sin(x), cos(x), tan(x), asin(x), acos(x), atan(x)};
  };
  auto const more = [](auto const& x) {
    return std::tuple{sinh(x), cosh(x), tanh(x), asinh(x), acosh(x), atanh(x), erf(x), erfc(x), sigmoid(x), softplus(x), relu(x), floor(x), ceil(x), round(x), trunc(x), isnan(x), isinf(x), isfinite(x), gelu(x), silu(x)};
  };
  auto const two = [](auto const& x, auto const& y) {
    return std::tuple{x + y, x - y, x * y, x / y, x % y, pow(x, y), atan2(x, y), maximum(x, y), minimum(x, y), hypot(x, y), x < y, x <= y, x == y, x != y, x > y, where(x < y, x, y), logaddexp(x, y)};
  };
  T const inf = std::numeric_limits<T>::infinity(), nan = std::numeric_limits<T>::quiet_NaN();
  tensor<T, 12> const odd = {0, T(-0.0), 1, -1, inf, -inf, nan, T(1e-30), T(1e30), T(0.5), T(2.5), T(-3.5)};
  tensor<T, 12> const other = {T(-0.0), 2, 0, nan, inf, 3, 1, T(1e-30), -1, T(0.5), -2, inf};
  same_within(sizeof(T) == 4 ? 1e-5 : 1e-12, one, odd);
  same_within(sizeof(T) == 4 ? 1e-5 : 1e-12, more, odd);
  same_within(sizeof(T) == 4 ? 1e-5 : 1e-12, two, odd, other);
  same_within(sizeof(T) == 4 ? 1e-5 : 1e-12, one, numbers<T, 12>(3));
  same_within(sizeof(T) == 4 ? 1e-5 : 1e-12, more, numbers<T, 12>(3));
  same_within(sizeof(T) == 4 ? 1e-5 : 1e-12, two, numbers<T, 12>(3), numbers<T, 12>(4));
}

TEST_CASE_TEMPLATE("cuda: 16-bit floats are stored, computed in float", T, float16, bfloat16) {
  auto const f = [](auto const& x, auto const& y) { return std::tuple{x * y + x, tanh(x) - y, cast<float>(x), cast<double>(y), sum(x, axis<1>)}; };
  same_on_cuda(f, numbers<T, 6, 24>(1), numbers<T, 24>(2));
  auto const from = [](auto const& x) { return cast<T>(x); };
  tensor<float, 8> const odd = {0, -0.0f, 65504, 65520, 1e-8f, std::numeric_limits<float>::infinity(), -1e38f, 5.96e-8f};
  same_within(0, from, odd);
  same_within(0, from, numbers<double, 100>(5));
}

TEST_CASE("cuda: truth values") {
  same_on_cuda([](auto const& x, auto const& y) { return std::tuple{(x < y) && !(x == y), (x < y) || (y < x), where(x < y, x, 0.0f), cast<float>(x < y), any(x < y, axis<1>), all(x < y, axis<0>)}; }, numbers<float, 6, 10>(1), numbers<float, 6, 10>(2));
}

TEST_CASE("cuda: the kernels of a plan are what the emulation runs") {
  auto const x = to_cuda(numbers<float, 64, 64>(1));
  long const before = emulation::launches;
  cuda_tensor<float, 64, 64> const y = tanh(x * x + x) / x;
  if (test::emulated) CHECK(emulation::launches - before == 1);
  // Numbers in an expression are arguments of the kernel; in a compiled function they are part of it.
  long const between = emulation::launches;
  static_cast<void>(eval(x * 2.0f + 1.0f));
  if (test::emulated) CHECK(emulation::launches - between == 1);
  long const after = emulation::launches;
  static_cast<void>(compile([](auto const& v) { return v * 2.0f + 1.0f; }, cuda{})(x));
  if (test::emulated) CHECK(emulation::launches - after == 1);
  // In place where every element is read before it is written.
  cuda_tensor<float, 64, 64> z = y;
  float const* const memory = z.data();
  z = z * 2.0f;
  CHECK(z.data() == memory);
  z = transpose(z);
  CHECK(allclose(to_host(z), eval(transpose(to_host(y)) * 2.0f)));
}

TEST_CASE("cuda: every precision computes the same functions") {
  auto const f = [](auto const& x, auto const& y) { return std::tuple{tanh(x) / (exp(y) + 1.0f), sigmoid(x) + log(square(y) + 1.0f), sqrt(abs(x))}; };
  // The emulation has no quick functions: what it tests is that each precision has its kernels.
  test::same_within<fast_cuda>(2e-3, f, numbers<float, 7, 20>(1), numbers<float, 20>(2));
  test::same_within<strict_cuda>(2e-5, f, numbers<float, 7, 20>(1), numbers<float, 20>(2));
  auto const x = to_cuda(numbers<float, 7, 20>(1));
  CHECK(allclose(to_host(eval(softmax(x, axis<-1>), fast_cuda{})), eval(softmax(to_host(x), axis<-1>)), 1e-3, 1e-3));
}
