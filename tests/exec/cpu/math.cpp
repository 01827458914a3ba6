// What xsimd's functions leave out, on vectors and on single elements alike: expr/functions.cpp compares values.
#include <dimity/dimity.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

using namespace dimity::detail;

namespace {

/// The first lane of a function of a vector whose lanes are all x.
template <primitive P, class T>
T vector_value(T x) {
  vec<T, native_lanes<T>()> v;
  for (auto& part : v.p) part = unary_value<P>(typename vec<T, native_lanes<T>()>::part(x));
  T out[native_lanes<T>()];
  store_lanes(out, v);
  return out[0];
}
template <primitive P, class T>
T vector_value(T x, T y) {
  using V = vec<T, native_lanes<T>()>;
  V v;
  for (auto& part : v.p) part = binary_value<P>(typename V::part(x), typename V::part(y));
  T out[native_lanes<T>()];
  store_lanes(out, v);
  return out[0];
}

template <class T>
inline constexpr T infinity = std::numeric_limits<T>::infinity();
template <class T>
inline constexpr T quiet_nan = std::numeric_limits<T>::quiet_NaN();

}  // namespace

TEST_CASE_TEMPLATE("both ends of exp's range", T, float, double) {
  T const top = std::log(std::numeric_limits<T>::max()) * (1 - std::numeric_limits<T>::epsilon()), bottom = std::log(std::numeric_limits<T>::denorm_min());
  for (T const x : {top, top - T(0.2), -top, -top - 1, bottom + 1}) {
    CAPTURE(x);
    CHECK(vector_value<primitive::exp>(x) == doctest::Approx(std::exp(x)).epsilon(1e-6));
    CHECK(vector_value<primitive::exp>(x) > 0);
    CHECK(std::isfinite(vector_value<primitive::exp>(x)));
  }
  CHECK(vector_value<primitive::exp>(top + 1) == infinity<T>);
  CHECK(vector_value<primitive::exp>(infinity<T>) == infinity<T>);
  CHECK(vector_value<primitive::exp>(-infinity<T>) == 0);
  CHECK(vector_value<primitive::exp>(bottom - 1) == 0);
  CHECK(std::isnan(vector_value<primitive::exp>(quiet_nan<T>)));
  CHECK(vector_value<primitive::exp>(T(0)) == 1);
}
TEST_CASE_TEMPLATE("tanh and sigmoid reach their limits", T, float, double) {
  for (T const x : {T(30), T(1000), std::numeric_limits<T>::max(), infinity<T>}) {
    CHECK(vector_value<primitive::tanh>(x) == 1);
    CHECK(vector_value<primitive::tanh>(-x) == -1);
    CHECK(vector_value<primitive::sigmoid>(x + 20) == 1);
    if (x > 30) CHECK(vector_value<primitive::sigmoid>(-x) == 0);
  }
  CHECK(vector_value<primitive::tanh>(std::numeric_limits<T>::denorm_min()) == std::numeric_limits<T>::denorm_min());
}
TEST_CASE_TEMPLATE("powers of two are exact", T, float, double) {
  for (int e = std::numeric_limits<T>::min_exponent - std::numeric_limits<T>::digits; e < std::numeric_limits<T>::max_exponent; ++e) {
    if (vector_value<primitive::exp2>(T(e)) != std::ldexp(T(1), e)) {
      CAPTURE(e);
      FAIL_CHECK("not exact");
    }
  }
  CHECK(vector_value<primitive::exp2>(T(std::numeric_limits<T>::max_exponent)) == infinity<T>);
}
TEST_CASE("logarithms and roots of subnormal doubles") {
  for (double const x : {std::numeric_limits<double>::denorm_min(), std::numeric_limits<double>::min() / 3}) {
    CAPTURE(x);
    CHECK(vector_value<primitive::log>(x) == doctest::Approx(std::log(x)).epsilon(1e-15));
    CHECK(vector_value<primitive::log2>(x) == doctest::Approx(std::log2(x)).epsilon(1e-15));
    CHECK(vector_value<primitive::log10>(x) == doctest::Approx(std::log10(x)).epsilon(1e-15));
    CHECK(vector_value<primitive::cbrt>(x) == doctest::Approx(std::cbrt(x)).epsilon(1e-15));
    CHECK(vector_value<primitive::cbrt>(-x) == doctest::Approx(-std::cbrt(x)).epsilon(1e-15));
  }
  CHECK(vector_value<primitive::log>(0.0) == -infinity<double>);
}
TEST_CASE_TEMPLATE("zeros keep their sign", T, float, double) {
  CHECK(std::signbit(vector_value<primitive::expm1>(-T(0))));
  CHECK(std::signbit(vector_value<primitive::log1p>(-T(0))));
  CHECK(std::signbit(vector_value<primitive::tanh>(-T(0))));
  CHECK(!std::signbit(vector_value<primitive::tanh>(T(0))));
  CHECK(std::signbit(vector_value<primitive::ceil>(T(-0.5))));
  CHECK(std::signbit(vector_value<primitive::trunc>(T(-0.5))));
  CHECK(std::signbit(vector_value<primitive::floor>(-T(0))));
  CHECK(!std::signbit(vector_value<primitive::floor>(T(0.5))));
}
TEST_CASE_TEMPLATE("nan", T, float, double) {
  CHECK(std::isnan(vector_value<primitive::maximum>(quiet_nan<T>, T(1))));
  CHECK(std::isnan(vector_value<primitive::maximum>(T(1), quiet_nan<T>)));
  CHECK(std::isnan(vector_value<primitive::minimum>(quiet_nan<T>, T(1))));
  CHECK(std::isnan(vector_value<primitive::minimum>(T(1), quiet_nan<T>)));
  CHECK(std::isnan(vector_value<primitive::relu>(quiet_nan<T>)));
  CHECK(std::isnan(vector_value<primitive::sign>(quiet_nan<T>)));
  CHECK(std::isnan(vector_value<primitive::acosh>(T(0.5))));
  CHECK(std::isnan(vector_value<primitive::acosh>(T(-1e30))));
  CHECK(std::isnan(vector_value<primitive::tanh>(quiet_nan<T>)));
  CHECK(std::isnan(vector_value<primitive::sigmoid>(-quiet_nan<T>)));
  CHECK(std::isnan(vector_value<primitive::erf>(quiet_nan<T>)));
  CHECK(std::isnan(vector_value<primitive::erfc>(quiet_nan<T>)));
}
TEST_CASE_TEMPLATE("masks", T, float, double, std::int32_t, std::int64_t) {
  constexpr int lanes = native_lanes<T>();
  bool a[lanes], b[lanes], out[lanes];
  for (int i = 0; i < lanes; ++i) {
    a[i] = i % 2;
    b[i] = i / 2 % 2;
  }
  auto const check = [&]<primitive P>(std::integral_constant<primitive, P>, auto expected) {
    auto const x = load_mask<T, lanes>(a), y = load_mask<T, lanes>(b);
    store_mask(out, map_parts<mask<T, lanes>>([](auto const& p, auto const& q) { return logical_value<P>(p, q); }, x, y));
    for (int i = 0; i < lanes; ++i) CHECK(out[i] == expected(a[i], b[i]));
  };
  check(std::integral_constant<primitive, primitive::bitwise_and>{}, [](bool x, bool y) { return x && y; });
  check(std::integral_constant<primitive, primitive::bitwise_or>{}, [](bool x, bool y) { return x || y; });
  check(std::integral_constant<primitive, primitive::bitwise_xor>{}, [](bool x, bool y) { return x != y; });
  check(std::integral_constant<primitive, primitive::equal>{}, [](bool x, bool y) { return x == y; });
  check(std::integral_constant<primitive, primitive::less>{}, [](bool x, bool y) { return x < y; });
  check(std::integral_constant<primitive, primitive::less_equal>{}, [](bool x, bool y) { return x <= y; });
}
TEST_CASE("integer functions") {
  CHECK(floor_divide(-7, 2) == -4);
  CHECK(floor_divide(7, 0) == 0);
  CHECK(floor_divide(std::int8_t{-128}, std::int8_t{-1}) == -128);
  CHECK(python_remainder(-7, 3) == 2);
  CHECK(python_remainder(7, -3) == -2);
  CHECK(python_remainder(7, 0) == 0);
  CHECK(python_remainder(-0.5, 2.0) == 1.5);
  CHECK(std::signbit(python_remainder(4.0, -2.0)));
  CHECK(integer_power(3, 4) == 81);
  CHECK(integer_power(std::int64_t{-1}, std::int64_t{-3}) == -1);
  CHECK(integer_power(2, -1) == 0);
  CHECK(integer_power(std::int16_t{-300}, std::int16_t{3}) == static_cast<std::int16_t>(-27000000 & 0xffff));
  CHECK(vector_value<primitive::shift_right>(std::int32_t{-8}, std::int32_t{40}) == -1);
  CHECK(vector_value<primitive::shift_left>(std::int32_t{1}, std::int32_t{32}) == 0);
}
