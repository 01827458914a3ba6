// Functions of one operand against mpmath's values rounded to the element type, and NumPy's special cases (golden/make_golden.py).
#include "../golden/golden.hpp"

#include <cstdlib>

using namespace dimity;

namespace {

constexpr int count = 149;

golden::file const& data() {
  static golden::file const f("elementwise");
  return f;
}
template <class T>
std::string suffix() {
  return sizeof(T) == 4 ? "/f32" : "/f64";
}

/// How far off a function may be, in units in the last place, for float and double: measured on 80,000 to 240,000 operands of all magnitudes with SSE2, AVX2 and
/// AVX-512, rounded up. Every special value must be exact.
struct bound {
  double f32, f64;
};

template <class T, class F>
void check(std::string const& name, bound b, F f) {
  auto const x = data().get<T, count>(name + suffix<T>() + "/x");
  tensor<T, count> const y = f(x);
  auto const want = data().values<T>(name + suffix<T>());
  if (std::getenv("DIMITY_PRINT_ULPS")) {
    auto const d = golden::worst(golden::span_of(y), want);
    MESSAGE(name << suffix<T>() << " " << d.ulps << " ulp at " << x(d.at));
  }
  golden::check_ulps(name + suffix<T>(), golden::span_of(y), want, sizeof(T) == 4 ? b.f32 : b.f64);
}
template <class F>
void check(std::string const& name, bound b, F f) {
  check<float>(name, b, f);
  check<double>(name, b, f);
}

/// Errors count in ulp of the operand where that is larger than the result.
template <class T, class F>
void check_scaled(std::string const& name, bound b, F f) {
  auto const x = data().get<T, count>(name + suffix<T>() + "/x");
  tensor<T, count> const y = f(x);
  golden::check_ulps(name + suffix<T>(), golden::span_of(y), data().values<T>(name + suffix<T>()), sizeof(T) == 4 ? b.f32 : b.f64, x.data());
}
template <class F>
void check_scaled(std::string const& name, bound b, F f) {
  check_scaled<float>(name, b, f);
  check_scaled<double>(name, b, f);
}

/// Of a function of the "plain" operands, exactly.
template <class T, class F>
void check_plain(std::string const& name, F f) {
  auto const x = data().get<T, count>("plain" + suffix<T>() + "/x");
  auto const y = eval(f(x));
  using R = typename decltype(y)::value_type;
  golden::check_same(name + suffix<T>(), golden::span_of(y), data().values<R>(name + suffix<T>()));
}
template <class F>
void check_plain(std::string const& name, F f) {
  check_plain<float>(name, f);
  check_plain<double>(name, f);
}

template <class T, class F>
void check_rounding(std::string const& name, F f) {
  tensor<T, count> const y = f(data().get<T, count>("plain" + suffix<T>() + "/x"));
  golden::check_ulps(name + suffix<T>(), golden::span_of(y), data().values<T>(name + suffix<T>()), 0);
}
template <class F>
void check_rounding(std::string const& name, F f) {
  check_rounding<float>(name, f);
  check_rounding<double>(name, f);
}

}  // namespace

TEST_CASE("exponentials and logarithms") {
  check("exp", {2, 2}, [](auto const& x) { return exp(x); });
  check("exp2", {2, 2}, [](auto const& x) { return exp2(x); });
  check("expm1", {4, 4}, [](auto const& x) { return expm1(x); });
  check("log", {1, 1}, [](auto const& x) { return log(x); });
  check("log2", {2, 1}, [](auto const& x) { return log2(x); });
  check("log10", {1, 1}, [](auto const& x) { return log10(x); });
  check("log1p", {1, 1}, [](auto const& x) { return log1p(x); });
}
TEST_CASE("roots") {
  check("sqrt", {0.5, 0.5}, [](auto const& x) { return sqrt(x); });
  check("rsqrt", {2, 2}, [](auto const& x) { return rsqrt(x); });
  check("cbrt", {2, 1}, [](auto const& x) { return cbrt(x); });
}
TEST_CASE("trigonometric functions, of large angles also") {
  // 8 and 12 at a double next to a multiple of pi / 2, 2 and 3 elsewhere.
  check("sin", {2, 8}, [](auto const& x) { return sin(x); });
  check("cos", {2, 8}, [](auto const& x) { return cos(x); });
  check("tan", {3, 12}, [](auto const& x) { return tan(x); });
  check("asin", {3, 2}, [](auto const& x) { return asin(x); });
  check("acos", {2, 2}, [](auto const& x) { return acos(x); });
  check("atan", {3, 3}, [](auto const& x) { return atan(x); });
}
TEST_CASE("hyperbolic functions") {
  check("sinh", {2, 2}, [](auto const& x) { return sinh(x); });
  check("cosh", {2, 2}, [](auto const& x) { return cosh(x); });
  check("tanh", {2, 2}, [](auto const& x) { return tanh(x); });
  check("asinh", {4, 2}, [](auto const& x) { return asinh(x); });
  check("acosh", {2, 2}, [](auto const& x) { return acosh(x); });
  check("atanh", {2, 2}, [](auto const& x) { return atanh(x); });
}
TEST_CASE("error functions and activations") {
  check("erf", {2, 1}, [](auto const& x) { return erf(x); });
  check("erfc", {3, 3}, [](auto const& x) { return erfc(x); });
  check("softplus", {2, 2}, [](auto const& x) { return softplus(x); });
  check("sigmoid", {3, 3}, [](auto const& x) { return sigmoid(x); });
}
TEST_CASE("gated activations, whose error is relative to the operand where the gate is nearly shut") {
  check_scaled("gelu", {4, 4}, [](auto const& x) { return gelu(x); });
  check_scaled("gelu_tanh", {4, 4}, [](auto const& x) { return gelu_tanh(x); });
  check_scaled("silu", {4, 4}, [](auto const& x) { return silu(x); });
}
TEST_CASE("functions that are exact") {
  check_plain("negative", [](auto const& x) { return -x; });
  check_plain("abs", [](auto const& x) { return abs(x); });
  check_plain("sign", [](auto const& x) { return sign(x); });
  check_plain("square", [](auto const& x) { return square(x); });
  check_plain("relu", [](auto const& x) { return relu(x); });
  check_plain("isnan", [](auto const& x) { return isnan(x); });
  check_plain("isinf", [](auto const& x) { return isinf(x); });
  check_plain("isfinite", [](auto const& x) { return isfinite(x); });
  check_plain("logical_not", [](auto const& x) { return logical_not(x); });
  check_plain("clip", [](auto const& x) { return clip(x, -1, 50.0); });
}
TEST_CASE("rounding, halves to even, and the sign of zero stays") {
  check_rounding("floor", [](auto const& x) { return floor(x); });
  check_rounding("ceil", [](auto const& x) { return ceil(x); });
  check_rounding("round", [](auto const& x) { return round(x); });
  check_rounding("trunc", [](auto const& x) { return trunc(x); });
}
TEST_CASE("functions of a single value, as a scalar computes them") {
  tensor<float> const x = 0.75f;
  tensor<double, 1> const y = {0.75};
  CHECK(float(exp(x)) == doctest::Approx(std::exp(0.75f)).epsilon(1e-6));
  CHECK(float(gelu(x)) == doctest::Approx(0.58002948).epsilon(1e-6));
  CHECK(eval(erf(y))(0) == doctest::Approx(std::erf(0.75)).epsilon(1e-15));
  CHECK(eval(softplus(y))(0) == doctest::Approx(std::log1p(std::exp(0.75))).epsilon(1e-15));
  CHECK(float(stop_gradient(x)) == 0.75f);
}
TEST_CASE("integers are computed as float64") {
  tensor<std::int32_t, 5> const n = {0, 1, 2, 3, 100};
  tensor<bool, 2> const truth = {false, true};
  auto const root = eval(sqrt(n));
  static_assert(std::is_same_v<decltype(root), tensor<double, 5> const>);
  for (int i = 0; i < 5; ++i) CHECK(root(i) == std::sqrt(static_cast<double>(n(i))));
  auto const e = eval(exp(truth));
  static_assert(std::is_same_v<decltype(e), tensor<double, 2> const>);
  CHECK(e(0) == 1);
  CHECK(e(1) == doctest::Approx(2.718281828459045).epsilon(1e-15));
  static_assert(std::is_same_v<decltype(eval(floor(n))), tensor<std::int32_t, 5>>);
  CHECK(array_equal(floor(n), n));
  CHECK(!any(isnan(n)));
  CHECK(all(isfinite(n)));
}
