// The 8-bit numbers themselves: all of them, and conversion against ml_dtypes and against rounding done by search.
#include "../golden/golden.hpp"

#include <dimity/core/print.hpp>

#include <cmath>
#include <cstdint>
#include <limits>

using namespace dimity;

namespace {

template <class T>
constexpr int last_finite = std::numeric_limits<T>::max().bits;
template <class T>
std::string const name = std::is_same_v<T, float8_e4m3fn> ? "float8_e4m3fn" : "float8_e5m2";
/// Nearest by search among all finite values, ties to the even bit pattern.
template <class T>
std::uint8_t nearest(double x) {
  int const sign = std::signbit(x) ? 0x80 : 0;
  double const size = std::fabs(x);
  int best = 0;
  for (int i = 1; i <= last_finite<T>; ++i) {
    double const here = std::fabs(static_cast<double>(T::from_bits(static_cast<std::uint8_t>(i))) - size), before = std::fabs(static_cast<double>(T::from_bits(static_cast<std::uint8_t>(best))) - size);
    if (here < before || (here == before && i % 2 == 0)) best = i;
  }
  return static_cast<std::uint8_t>(sign | best);
}
template <class T>
bool same(T x, T y) {
  bool const nan = static_cast<float>(x) != static_cast<float>(x);
  return nan ? static_cast<float>(y) != static_cast<float>(y) && (x.bits & 0x80) == (y.bits & 0x80) : x.bits == y.bits;
}

static_assert(sizeof(float8_e4m3fn) == 1 && sizeof(float8_e5m2) == 1 && std::is_trivial_v<float8_e4m3fn> && std::is_trivially_copyable_v<float8_e5m2>);
static_assert(float8_e4m3fn(448).bits == 0x7e && float8_e4m3fn(464.0f).bits == 0x7e && float8_e4m3fn(465).bits == 0x7f && float8_e4m3fn(-1e30).bits == 0xff);
static_assert(float8_e4m3fn(0x1p-9).bits == 1 && float8_e4m3fn(0x1p-10).bits == 0 && float8_e4m3fn(0x1.8p-10).bits == 1 && float8_e4m3fn(-0.0).bits == 0x80);
static_assert(float8_e5m2(57344).bits == 0x7b && float8_e5m2(61439.99f).bits == 0x7b && float8_e5m2(61440.0f).bits == 0x7c && float8_e5m2(-1e30).bits == 0xfc);
static_assert(float8_e5m2(0x1p-16).bits == 1 && float8_e5m2(0x1p-17).bits == 0 && float8_e5m2(0x1.8p-17).bits == 1);
// Directly, not by way of float: what is beyond a tie by less than a float resolves.
static_assert(float8_e4m3fn(1 + 0x1p-4 + 0x1p-40).bits == 0x39 && float8_e4m3fn(1 + 0x1p-4).bits == 0x38 && float8_e5m2(1 + 0x1p-3 + 0x1p-40).bits == 0x3d);
static_assert(float8_e5m2((std::int64_t{1} << 15) + (std::int64_t{1} << 12) + 1).bits == float8_e5m2(0x1.4p15).bits);
static_assert(std::numeric_limits<float8_e4m3fn>::max() == 448.0f && std::numeric_limits<float8_e4m3fn>::epsilon() == 0x1p-3f && std::numeric_limits<float8_e4m3fn>::min() == 0x1p-6f && !std::numeric_limits<float8_e4m3fn>::has_infinity);
static_assert(std::numeric_limits<float8_e5m2>::max() == 57344.0f && std::numeric_limits<float8_e5m2>::epsilon() == 0x1p-2f && std::numeric_limits<float8_e5m2>::min() == 0x1p-14f && std::numeric_limits<float8_e5m2>::lowest() == -57344.0f);
static_assert(float8_e4m3fn(2) + float8_e4m3fn(3) == 5.0f && -float8_e5m2(2) == -2.0f && float8_e5m2(1) < float8_e5m2(2) && float8_e4m3fn(true) == 1.0f);

static_assert(promote(dtype::float8_e4m3fn, dtype::float8_e4m3fn) == dtype::float8_e4m3fn && promote(dtype::float8_e4m3fn, dtype::float8_e5m2) == dtype::float32);
static_assert(promote(dtype::float8_e4m3fn, dtype::bfloat16) == dtype::bfloat16 && promote(dtype::float16, dtype::float8_e5m2) == dtype::float16);
static_assert(promote(dtype::float8_e4m3fn, dtype::boolean) == dtype::float8_e4m3fn && promote(dtype::float8_e5m2, dtype::int8) == dtype::float32 && promote(dtype::float8_e5m2, dtype::int32) == dtype::float64);
static_assert(promote(dtype::float8_e4m3fn, dtype::float32) == dtype::float32 && promote(dtype::float64, dtype::float8_e5m2) == dtype::float64 && promote_scalar(dtype::float8_e5m2, dtype::float64) == dtype::float8_e5m2);

}  // namespace

TEST_CASE_TEMPLATE("every number of 8 bits has ml_dtypes' value, and survives the way to float and back", T, float8_e4m3fn, float8_e5m2) {
  auto const values = golden::file("float8").as<float>(name<T> + "/values");
  REQUIRE(values.size() == 256);
  int wrong = 0;
  for (std::size_t i = 0; i < 256; ++i) {
    T const x = T::from_bits(static_cast<std::uint8_t>(i));
    float const wide = x;
    wrong += !(wide == values[i] || (wide != wide && values[i] != values[i])) || std::signbit(wide) != std::signbit(values[i]) || !same(T(wide), x) || !same(T(static_cast<double>(wide)), x);
  }
  CHECK(wrong == 0);
}
TEST_CASE_TEMPLATE("ml_dtypes rounds alike", T, float8_e4m3fn, float8_e5m2) {
  golden::file const file("float8");
  auto const values = file.as<float>(name<T> + "/float");
  auto const bits = file.as<std::uint8_t>(name<T> + "/bits");
  REQUIRE(values.size() > 4096);
  int wrong = 0;
  for (std::size_t i = 0; i < values.size(); ++i) wrong += !same(T(values[i]), T::from_bits(bits[i]));
  CHECK(wrong == 0);
}
TEST_CASE_TEMPLATE("between two numbers of 8 bits the nearest, ties to even", T, float8_e4m3fn, float8_e5m2) {
  int wrong = 0;
  for (int i = 0; i < last_finite<T>; ++i) {
    double const x = T::from_bits(static_cast<std::uint8_t>(i)), step = static_cast<double>(T::from_bits(static_cast<std::uint8_t>(i + 1))) - x;
    for (double const y : {x + step / 2, x + step * 0.25, x + step * 0.75, std::nextafter(x + step / 2, 0.0), std::nextafter(x + step / 2, 1e300)})
      wrong += T(y).bits != nearest<T>(y) || T(-y).bits != nearest<T>(-y);
  }
  CHECK(wrong == 0);
}
TEST_CASE("8-bit floats are printed with the fewest digits that read back") {
  CHECK(to_string(tensor<float8_e4m3fn>(0.1)) == "0.1");
  CHECK(to_string(tensor<float8_e4m3fn, 3>{0.3, 1.125, -448}) == "[ 3.1e-01  1.1e+00 -4.5e+02]");
  CHECK(to_string(tensor<float8_e5m2, 3>{0.1, 2, 24}) == "[ 0.09  2.   24.  ]");
  CHECK(to_string(tensor<float8_e5m2, 2>{std::numeric_limits<float>::infinity(), std::nan("")}) == "[inf nan]");
}
