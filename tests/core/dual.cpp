// Dual numbers against analytic derivatives, central differences and each other (second derivatives).
#include <dimity/dimity.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <numbers>

using dimity::dual;

namespace {

using d = dual<double>;

/// Value and derivative of f at x, the value being that of the same function on double.
template <class F>
void check(char const* name, F f, double x, double derivative) {
  CAPTURE(name);
  CAPTURE(x);
  d const y = f(d(x, 1));
  CHECK(y.value == f(x));
  CHECK(y.tangent == doctest::Approx(derivative).epsilon(1e-13));
  // A tangent of another size scales, and constants have none.
  CHECK(f(d(x, -2.5)).tangent == doctest::Approx(-2.5 * derivative).epsilon(1e-13));
  CHECK(f(d(x)).tangent == 0);
}

}  // namespace

#define DERIVATIVE(function, x, derivative) check(#function, [](auto const& v) { using std::function; return function(v); }, x, derivative)

TEST_CASE("derivatives of functions of one operand") {
  double const pi = std::numbers::pi;
  for (double const x : {0.3, 0.75}) {
    DERIVATIVE(exp, x, std::exp(x));
    DERIVATIVE(exp2, x, std::exp2(x) * std::numbers::ln2);
    DERIVATIVE(expm1, x, std::exp(x));
    DERIVATIVE(log, x, 1 / x);
    DERIVATIVE(log2, x, 1 / (x * std::numbers::ln2));
    DERIVATIVE(log10, x, 1 / (x * std::numbers::ln10));
    DERIVATIVE(log1p, x, 1 / (1 + x));
    DERIVATIVE(sqrt, x, 0.5 / std::sqrt(x));
    DERIVATIVE(cbrt, x, 1 / (3 * std::cbrt(x) * std::cbrt(x)));
    DERIVATIVE(sin, x, std::cos(x));
    DERIVATIVE(cos, x, -std::sin(x));
    DERIVATIVE(tan, x, 1 / (std::cos(x) * std::cos(x)));
    DERIVATIVE(asin, x, 1 / std::sqrt(1 - x * x));
    DERIVATIVE(acos, x, -1 / std::sqrt(1 - x * x));
    DERIVATIVE(atan, x, 1 / (1 + x * x));
    DERIVATIVE(sinh, x, std::cosh(x));
    DERIVATIVE(cosh, x, std::sinh(x));
    DERIVATIVE(tanh, x, 1 / (std::cosh(x) * std::cosh(x)));
    DERIVATIVE(asinh, x, 1 / std::sqrt(1 + x * x));
    DERIVATIVE(acosh, 1 + x, 1 / std::sqrt((1 + x) * (1 + x) - 1));
    DERIVATIVE(atanh, x, 1 / (1 - x * x));
    DERIVATIVE(erf, x, 2 / std::sqrt(pi) * std::exp(-x * x));
    DERIVATIVE(erfc, x, -2 / std::sqrt(pi) * std::exp(-x * x));
    DERIVATIVE(abs, -x, -1);
    DERIVATIVE(fabs, x, 1);
    DERIVATIVE(floor, x, 0);
    DERIVATIVE(ceil, x, 0);
    DERIVATIVE(trunc, x, 0);
    DERIVATIVE(nearbyint, x, 0);
  }
}
TEST_CASE("derivatives of functions of two operands") {
  double const a = 1.7, b = 0.6;
  CHECK(pow(d(a, 1), d(b)).tangent == doctest::Approx(b * std::pow(a, b - 1)));
  CHECK(pow(d(a), d(b, 1)).tangent == doctest::Approx(std::pow(a, b) * std::log(a)));
  CHECK(pow(d(a, 1), 3).tangent == doctest::Approx(3 * a * a));
  CHECK(pow(2, d(b, 1)).tangent == doctest::Approx(std::pow(2, b) * std::numbers::ln2));
  CHECK(pow(d(-2, 1), 3).tangent == doctest::Approx(12));
  CHECK(pow(d(0, 1), 2).tangent == 0);
  CHECK(atan2(d(a, 1), d(b)).tangent == doctest::Approx(b / (a * a + b * b)));
  CHECK(atan2(d(a), d(b, 1)).tangent == doctest::Approx(-a / (a * a + b * b)));
  CHECK(hypot(d(a, 1), d(b)).tangent == doctest::Approx(a / std::hypot(a, b)));
  CHECK(hypot(d(a), d(b, 1)).tangent == doctest::Approx(b / std::hypot(a, b)));
  CHECK(fmod(d(a, 1), d(b)).tangent == 1);
  CHECK(fmod(d(a), d(b, 1)).tangent == -2);
}
TEST_CASE("arithmetic") {
  d const a(3, 1), b(4, 2);
  CHECK((a + b).tangent == 3);
  CHECK((a - b).tangent == -1);
  CHECK((a * b).tangent == 10);
  CHECK((a / b).tangent == doctest::Approx((1 * 4.0 - 3 * 2.0) / 16));
  CHECK((-a).tangent == -1);
  CHECK((+a).tangent == 1);
  CHECK((2 * a).tangent == 2);
  CHECK((a + 1).value == 4);
  CHECK((1 / a).tangent == doctest::Approx(-1.0 / 9));
  d c = a;
  c += b;
  c -= 1;
  c *= 2;
  c /= b;
  CHECK(c.value == 3);
  CHECK(c.tangent == doctest::Approx((6 * 4.0 - 12 * 2.0) / 16));
}
TEST_CASE("comparisons look at the value") {
  CHECK(d(1, 5) == d(1, 7));
  CHECK(d(1, 5) != d(2, 5));
  CHECK(d(1, 9) < d(2, 0));
  CHECK(d(2) > d(1));
  CHECK(d(2) >= 2.0);
  CHECK(d(2) <= 2.0);
  CHECK(isnan(d(std::nan(""))));
  CHECK(isinf(d(INFINITY)));
  CHECK(isfinite(d(1, INFINITY)));
}
TEST_CASE("duals of duals give second derivatives") {
  using dd = dual<d>;
  double const x = 0.8;
  dd const v(d(x, 1), d(1, 0));
  CHECK(sin(v).tangent.tangent == doctest::Approx(-std::sin(x)));
  CHECK(exp(v * v).tangent.tangent == doctest::Approx((2 + 4 * x * x) * std::exp(x * x)));
  CHECK((1 / v).tangent.tangent == doctest::Approx(2 / (x * x * x)));
  CHECK(log(v).tangent.tangent == doctest::Approx(-1 / (x * x)));
  CHECK(tanh(v).tangent.tangent == doctest::Approx(-2 * std::tanh(x) / (std::cosh(x) * std::cosh(x))));
}
TEST_CASE("in constant expressions") {
  constexpr auto f = [](auto v) { return v * v * v + 2 * v; };
  static_assert(f(d(3, 1)).value == 33 && f(d(3, 1)).tangent == 29);
}
TEST_CASE("tensors of duals differentiate what is computed with them") {
  using namespace dimity;
  tensor<d, 3> const x = {d(0.5, 1), d(-1, 1), d(2, 1)};
  tensor<d, 3> const y = tanh(x) * x + sigmoid(x);
  for (std::size_t i = 0; i < 3; ++i) {
    double const v = x(i).value, t = std::tanh(v), s = 1 / (1 + std::exp(-v));
    CHECK(y(i).value == doctest::Approx(t * v + s));
    CHECK(y(i).tangent == doctest::Approx((1 - t * t) * v + t + s * (1 - s)));
  }
  tensor<d, 3> const p = softmax(x, axis<0>);
  double total = 0;
  for (std::size_t i = 0; i < 3; ++i) total += p(i).tangent;
  CHECK(total == doctest::Approx(0));  // probabilities add up to 1, whatever the operands do
  d const n = norm(x);
  CHECK(n.tangent == doctest::Approx((0.5 - 1 + 2) / std::sqrt(0.25 + 1 + 4)));
  d const m = max(relu(x) + abs(x));
  CHECK(m.value == 4);
  CHECK(m.tangent == 2);
}
