// Operators and functions of two operands against NumPy: every edge against every edge, for floats.
#include "../golden/golden.hpp"

using namespace dimity;

namespace {

constexpr int count = 149;

golden::file const& data() {
  static golden::file const f("elementwise");
  return f;
}

template <class T, class F>
void check(std::string const& name, double bound, bool exact, F f) {
  std::string const suffix = sizeof(T) == 4 ? "/f32" : "/f64";
  auto const a = data().get<T, count>("pair" + suffix + "/a"), b = data().get<T, count>("pair" + suffix + "/b");
  auto const y = eval(f(a, b));
  using R = typename decltype(y)::value_type;
  if constexpr (std::is_same_v<R, bool>) {
    golden::check_same(name + suffix, golden::span_of(y), data().values<bool>(name + suffix));
  } else if (exact) {
    golden::check_same(name + suffix, golden::span_of(y), data().values<T>(name + suffix));
  } else {
    tensor<T, count> const scale = maximum(abs(a), abs(b));
    golden::check_ulps(name + suffix, golden::span_of(y), data().values<T>(name + suffix), bound, name == "logaddexp" ? scale.data() : nullptr);
  }
}
template <class F>
void check(std::string const& name, F f) {
  check<float>(name, 0, true, f);
  check<double>(name, 0, true, f);
}
template <class F>
void check(std::string const& name, double bound, F f) {
  check<float>(name, bound, false, f);
  check<double>(name, bound, false, f);
}

}  // namespace

TEST_CASE("arithmetic of floats") {
  check("add", [](auto const& a, auto const& b) { return a + b; });
  check("subtract", [](auto const& a, auto const& b) { return a - b; });
  check("multiply", [](auto const& a, auto const& b) { return a * b; });
  check("divide", [](auto const& a, auto const& b) { return a / b; });
  check("remainder", [](auto const& a, auto const& b) { return a % b; });
  check("floor_divide", [](auto const& a, auto const& b) { return floor_divide(a, b); });
}
TEST_CASE("functions of two floats") {
  check("pow", 1, [](auto const& a, auto const& b) { return pow(a, b); });
  check("atan2", 1, [](auto const& a, auto const& b) { return atan2(a, b); });
  check("hypot", 1, [](auto const& a, auto const& b) { return hypot(a, b); });
  check("logaddexp", 2, [](auto const& a, auto const& b) { return logaddexp(a, b); });
  check("maximum", [](auto const& a, auto const& b) { return maximum(a, b); });
  check("minimum", [](auto const& a, auto const& b) { return minimum(a, b); });
  check("where", [](auto const& a, auto const& b) { return where(a < b, a, b); });
}
TEST_CASE("comparisons and logic of floats") {
  check("less", [](auto const& a, auto const& b) { return a < b; });
  check("less_equal", [](auto const& a, auto const& b) { return a <= b; });
  check("greater", [](auto const& a, auto const& b) { return a > b; });
  check("greater_equal", [](auto const& a, auto const& b) { return a >= b; });
  check("equal", [](auto const& a, auto const& b) { return a == b; });
  check("not_equal", [](auto const& a, auto const& b) { return a != b; });
  check("logical_and", [](auto const& a, auto const& b) { return a && b; });
  check("logical_or", [](auto const& a, auto const& b) { return a || b; });
  check("logical_xor", [](auto const& a, auto const& b) { return logical_xor(a, b); });
}
TEST_CASE("floor division keeps a == b * (a // b) + a % b") {
  tensor<double, 4> const a = {1.0, -1.0, 6.3, -0.3}, b = {0.1, 0.1, 0.7, 0.1};
  tensor<double, 4> const q = floor_divide(a, b), r = a % b;
  tensor<double, 4> const want = {9, -10, 9, -3};
  CHECK(array_equal(q, want));
  CHECK(allclose(q * b + r, a, 1e-15));
}
TEST_CASE("where takes scalars on either side, and conditions of any element type") {
  tensor<float, 3> const x = {-1, 0, 2};
  tensor<std::int32_t, 3> const n = {0, 5, -1};
  CHECK(array_equal(where(x > 0, x, 0), tensor<float, 3>{0, 0, 2}));
  CHECK(array_equal(where(x > 0, 1.5, x), tensor<float, 3>{-1, 0, 1.5}));
  CHECK(array_equal(where(n, 1, 2), tensor<std::int32_t, 3>{2, 1, 1}));
  CHECK(array_equal(where(x > 0, n, x), tensor<double, 3>{-1, 0, -1}));
}
TEST_CASE("a scalar on either side") {
  tensor<float, 3> const x = {1, 2, 4};
  CHECK(array_equal(1 / x, tensor<float, 3>{1, 0.5, 0.25}));
  CHECK(array_equal(10 - x, tensor<float, 3>{9, 8, 6}));
  CHECK(array_equal(x * 0.5, tensor<float, 3>{0.5, 1, 2}));
  CHECK(array_equal(2.0 < x, tensor<bool, 3>{false, false, true}));
  CHECK(array_equal(pow(2, x), tensor<float, 3>{2, 4, 16}));
  CHECK(array_equal(maximum(x, 3), tensor<float, 3>{3, 3, 4}));
}
