// The derivative of every elementwise primitive: reverse and forward mode against central differences.
#include "derivatives.hpp"

using namespace dimity;
using test::check_derivatives;
using test::spread;
using vec = tensor<double, 7>;

TEST_CASE("functions that are smooth everywhere") {
  check_derivatives([](auto const& x) { return std::tuple{-x, exp(x), exp2(x), expm1(x), square(x), sin(x), cos(x), tan(x), atan(x)}; }, spread<vec>(-1.3, 1.4));
  check_derivatives([](auto const& x) { return std::tuple{sinh(x), cosh(x), tanh(x), asinh(x), erf(x), erfc(x), sigmoid(x), softplus(x)}; }, spread<vec>(-2.3, 2.4));
  check_derivatives([](auto const& x) { return std::tuple{gelu(x), gelu_tanh(x), silu(x), cast<double>(x), x * 2.0, 3.0 - x, x / 4.0, 2.0 / (x + 9.0)}; }, spread<vec>(-2.3, 2.4));
}
TEST_CASE("functions of positive numbers") {
  check_derivatives([](auto const& x) { return std::tuple{log(x), log2(x), log10(x), log1p(x), sqrt(x), rsqrt(x), cbrt(x), 1.0 / x}; }, spread<vec>(0.3, 3.1));
  check_derivatives([](auto const& x) { return std::tuple{acosh(x + 1.0), pow(x, 2.5), pow(x, -1.0), pow(x, 2.0), pow(x, 3.0), pow(x, 4.0), pow(2.5, x)}; }, spread<vec>(0.3, 3.1));
}
TEST_CASE("functions on (-1, 1)") {
  check_derivatives([](auto const& x) { return std::tuple{asin(x), acos(x), atanh(x)}; }, spread<vec>(-0.8, 0.8));
}
TEST_CASE("functions with kinks and jumps, beside them") {
  check_derivatives([](auto const& x) { return std::tuple{abs(x), sign(x), relu(x), floor(x), ceil(x), round(x), trunc(x), clip(x, -1.0, 1.2)}; }, spread<vec>(-2.3, 2.4));
}
TEST_CASE("functions of two") {
  check_derivatives([](auto const& a, auto const& b) { return std::tuple{a + b, a - b, a * b, a / b, a % b, atan2(a, b), hypot(a, b)}; }, spread<vec>(0.4, 5.3), spread<vec>(1.1, 2.6));
  check_derivatives([](auto const& a, auto const& b) { return std::tuple{pow(a, b), maximum(a, b), minimum(a, b), logaddexp(a, b), floor_divide(a, b)}; }, spread<vec>(0.4, 5.3), spread<vec>(1.1, 2.6));
  check_derivatives([](auto const& a, auto const& b) { return std::tuple{where(a > b, a * b, a - b), where(a < 2.0, a, b), clip(a, b, b + 1.0)}; }, spread<vec>(0.4, 5.3), spread<vec>(1.1, 2.6));
}
TEST_CASE("operands that are broadcast get the sum of their derivatives") {
  check_derivatives([](auto const& a, auto const& b, auto const& c, auto const& d) { return std::tuple{a * b, a / c, b - c, a * d, b * c + d, c * d}; }, spread<tensor<double, 2, 3, 4>>(-1, 1),
                    spread<tensor<double, 3, 1>>(0.5, 2), spread<tensor<double, 4>>(1, 2), spread<tensor<double>>(0.5, 1));
}
TEST_CASE("ties and corners") {
  constexpr auto biggest = [](auto const& a, auto const& b) { return sum(maximum(a, b)); };
  auto const [ga, gb] = grad<0, 1>(biggest)(tensor<double, 3>{1, 2, 3}, tensor<double, 3>{1, 5, 0});
  CHECK((ga(0) == 0.5 && gb(0) == 0.5 && ga(1) == 0 && gb(1) == 1 && ga(2) == 1 && gb(2) == 0));
  tensor<double, 3> const kinks = grad([](auto const& x) { return sum(abs(x) + relu(x)); })(tensor<double, 3>{-1, 0, 1});
  CHECK((kinks(0) == -1 && kinks(1) == 0 && kinks(2) == 2));
  // A branch that is not taken may be as wild as it likes only where its own derivative is finite: the guard belongs inside, as in JAX.
  tensor<double, 2> const guarded = grad([](auto const& x) { return sum(where(x > 0.0, sqrt(where(x > 0.0, x, 1.0)), 0.0)); })(tensor<double, 2>{0, 4});
  CHECK((guarded(0) == 0 && guarded(1) == 0.25));
  tensor<double, 3> const powers = grad([](auto const& x) { return sum(pow(x, 2.0) + pow(x, 1.0)); })(tensor<double, 3>{-2, 0, 3});
  CHECK((powers(0) == -3 && powers(1) == 1 && powers(2) == 7));
  auto const [base, exponent] = grad<0, 1>([](auto const& a, auto const& b) { return sum(pow(a, b)); })(tensor<double, 2>{0, 2}, tensor<double, 2>{2, 3});
  CHECK((base(0) == 0 && base(1) == 12 && exponent(0) == 0));
  CHECK(exponent(1) == doctest::Approx(8 * std::log(2.0)));
}
TEST_CASE("stop_gradient, comparisons and casts to integers send nothing back") {
  tensor<double, 2> const g = grad([](auto const& x) { return sum(x * stop_gradient(x) + cast<double>(x > 0.5) + cast<double>(cast<std::int32_t>(x)) + cast<double>(isfinite(x))); })(tensor<double, 2>{0.25, 3});
  CHECK((g(0) == 0.25 && g(1) == 3));
}
