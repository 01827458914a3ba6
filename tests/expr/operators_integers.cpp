// Operators and functions of integers and truth values against NumPy: wrap-around, division by zero, shifts beyond the width, powers.
#include "../golden/golden.hpp"

using namespace dimity;

namespace {

golden::file const& data() {
  static golden::file const f("integers");
  return f;
}

template <class T>
struct suite {
  static constexpr extent_t count = std::is_same_v<T, bool> ? 19 : std::is_signed_v<T> ? 233 : 137;
  std::string type = name_of(dtype_of<T>);
  tensor<T, count> a = data().get<T, count>(type + "/a"), b = data().get<T, count>(type + "/b");

  template <class X>
  void check(std::string const& name, X const& x) const {
    auto const y = eval(x);
    using R = typename decltype(y)::value_type;
    golden::check_same(type + "/" + name, golden::span_of(y), data().values<R>(type + "/" + name));
  }
  void arithmetic() const {
    check("add", a + b);
    check("subtract", a - b);
    check("multiply", a * b);
    check("remainder", a % b);
    check("floor_divide", floor_divide(a, b));
    check("pow", pow(a, b));
    check("divide", a / b);
    check("negative", -a);
    check("abs", abs(a));
    check("sign", sign(a));
    check("square", square(a));
    check("relu", relu(a));
  }
  void logic() const {
    check("left_shift", a << b);
    check("right_shift", a >> b);
    check("bitwise_and", a & b);
    check("bitwise_or", a | b);
    check("bitwise_xor", a ^ b);
    check("invert", ~a);
    check("logical_not", !a);
    check("logical_and", a && b);
    check("logical_xor", logical_xor(a, b));
    check("maximum", maximum(a, b));
    check("minimum", minimum(a, b));
    check("less", a < b);
    check("less_equal", a <= b);
    check("equal", a == b);
    check("not_equal", a != b);
    check("to_float32", cast<float>(a));
    golden::check_ulps(type + "/sqrt", golden::span_of(eval(sqrt(abs(cast<double>(a))))), data().values<double>(type + "/sqrt"), 1);
  }
};

}  // namespace

TEST_CASE_TEMPLATE("arithmetic of integers", T, std::int8_t, std::int16_t, std::int32_t, std::int64_t, std::uint8_t, std::uint16_t, std::uint32_t, std::uint64_t) {
  suite<T>().arithmetic();
}
TEST_CASE_TEMPLATE("bits, order and conversion of integers", T, std::int8_t, std::int32_t, std::uint8_t, std::uint64_t) { suite<T>().logic(); }
TEST_CASE("truth values") {
  suite<bool> const s;
  auto const &a = s.a, &b = s.b;
  s.check("add", a + b);
  s.check("multiply", a * b);
  s.check("maximum", maximum(a, b));
  s.check("minimum", minimum(a, b));
  s.check("less", a < b);
  s.check("less_equal", a <= b);
  s.check("equal", a == b);
  s.check("not_equal", a != b);
  s.check("bitwise_and", a & b);
  s.check("bitwise_or", a | b);
  s.check("bitwise_xor", a ^ b);
  s.check("invert", ~a);
  s.check("remainder", a % b);
  s.check("floor_divide", floor_divide(a, b));
  s.check("pow", pow(a, b));
  s.check("divide", a / b);
  s.check("sqrt", sqrt(a));
}
