// The 16-bit numbers themselves: conversion in both directions against NumPy and ml_dtypes, and against rounding done by search.
#include "../golden/golden.hpp"

#include <dimity/core/print.hpp>

#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

using namespace dimity;

namespace {

template <class T>
bool is_nan_bits(std::uint16_t bits) {
  constexpr int infinity = std::numeric_limits<T>::infinity().bits;
  return (bits & 0x7fff) > infinity;
}
/// Nearest by search among all finite values, ties to the even bit pattern; what is half a step beyond the largest overflows.
template <class T>
std::uint16_t nearest(double x) {
  std::uint16_t const sign = std::signbit(x) ? 0x8000 : 0, infinity = std::numeric_limits<T>::infinity().bits;
  double const size = std::fabs(x);
  std::uint16_t low = 0, high = infinity;  // the last one not above size
  while (high - low > 1) {
    auto const middle = static_cast<std::uint16_t>((low + high) / 2);
    (static_cast<double>(T::from_bits(middle)) <= size ? low : high) = middle;
  }
  double const below = T::from_bits(low), step = low + 1 == infinity ? below - static_cast<double>(T::from_bits(low - 1)) : static_cast<double>(T::from_bits(low + 1)) - below;
  double const middle = below + step / 2;
  bool const up = size > middle || (size == middle && low % 2 == 1);
  return static_cast<std::uint16_t>(sign | (low + (up ? 1 : 0)));
}

static_assert(sizeof(float16) == 2 && sizeof(bfloat16) == 2 && std::is_trivial_v<float16> && std::is_trivially_copyable_v<bfloat16>);
static_assert(static_cast<float>(bfloat16(1.0f)) == 1.0f && bfloat16(1.00390625f).bits == 0x3f80 && bfloat16(1.01171875f).bits == 0x3f82);  // ties to even
static_assert(float16(65504.0f).bits == 0x7bff && float16(65519.99f).bits == 0x7bff && float16(65520.0f).bits == 0x7c00 && float16(-1e30).bits == 0xfc00);
static_assert(float16(0x1p-24).bits == 1 && float16(0x1p-25).bits == 0 && float16(0x1.8p-25).bits == 1 && float16(-0.0).bits == 0x8000);
// Directly, not by way of float: 1 + 2^-11 + 2^-40 is above a tie that float cannot tell it from.
static_assert(float16(1 + 0x1p-11 + 0x1p-40).bits == 0x3c01 && float16(1 + 0x1p-11).bits == 0x3c00 && float16(1 + 0x1p-11 - 0x1p-40).bits == 0x3c00);
static_assert(bfloat16(1 + 0x1p-8 + 0x1p-40).bits == 0x3f81 && bfloat16(-(1 + 0x1p-8 + 0x1p-40)).bits == 0xbf81);
static_assert(bfloat16((std::int64_t{1} << 62) + (std::int64_t{1} << 54) + 1).bits == bfloat16(0x1.02p62).bits && bfloat16((std::int64_t{1} << 62) + (std::int64_t{1} << 54)).bits == bfloat16(0x1p62).bits);
static_assert(bfloat16(std::numeric_limits<std::int64_t>::min()).bits == bfloat16(-0x1p63).bits && bfloat16(std::numeric_limits<std::uint64_t>::max()).bits == bfloat16(0x1p64).bits);
template <class T>
constexpr bool holds_integers() {
  for (std::int64_t i = -256; i <= 256; ++i)
    if (T(i) != static_cast<float>(i) || (i >= 0 && T(static_cast<std::uint64_t>(i)) != static_cast<float>(i))) return false;
  for (std::int64_t i : {1000, 2047, 2049, -2049, 5000, 60001})
    if (T(i).bits != T(static_cast<double>(i)).bits || T(i).bits != T(static_cast<std::int32_t>(i)).bits) return false;
  return true;
}
static_assert(holds_integers<float16>() && holds_integers<bfloat16>());
static_assert(bfloat16((std::uint64_t{1} << 63) + (std::uint64_t{1} << 55) + 1).bits == bfloat16(0x1.02p63).bits && bfloat16((std::uint64_t{1} << 63) + (std::uint64_t{1} << 55)).bits == bfloat16(0x1p63).bits);
static_assert(bfloat16((std::int64_t{1} << 53) + 1).bits == bfloat16(0x1p53).bits && bfloat16(-(std::int64_t{1} << 62) - (std::int64_t{1} << 54) - 1).bits == bfloat16(-0x1.02p62).bits);
static_assert(float16(1e300).bits == 0x7c00 && bfloat16(-1e300).bits == 0xff80 && bfloat16(3.4e38).bits == 0x7f80);
static_assert(std::numeric_limits<float16>::max() == 65504.0f && std::numeric_limits<float16>::epsilon() == 0x1p-10f && std::numeric_limits<float16>::min() == 0x1p-14f);
static_assert(std::numeric_limits<bfloat16>::epsilon() == 0x1p-7f && std::numeric_limits<bfloat16>::min() == std::numeric_limits<float>::min() && std::numeric_limits<bfloat16>::lowest() < -3.38e38f);
static_assert(bfloat16(2) + bfloat16(3) == 5.0f && -bfloat16(2) == -2.0f && bfloat16(1) < bfloat16(2) && bfloat16(true) == 1.0f);

}  // namespace

TEST_CASE_TEMPLATE("every number survives the way to float and back", T, float16, bfloat16) {
  int wrong = 0;
  for (int i = 0; i < 65536; ++i) {
    T const x = T::from_bits(static_cast<std::uint16_t>(i));
    float const wide = x;
    std::uint16_t const back = T(wide).bits;
    if (is_nan_bits<T>(x.bits)) wrong += !(wide != wide) || !is_nan_bits<T>(back) || (back & 0x8000) != (x.bits & 0x8000);
    else wrong += back != x.bits || T(static_cast<double>(wide)).bits != x.bits;
  }
  CHECK(wrong == 0);
}
TEST_CASE_TEMPLATE("between two numbers the nearest, ties to even", T, float16, bfloat16) {
  int wrong = 0;
  for (int i = 0; i < std::numeric_limits<T>::infinity().bits; ++i) {
    double const x = T::from_bits(static_cast<std::uint16_t>(i));
    double const step = i + 1 == std::numeric_limits<T>::infinity().bits ? x - static_cast<double>(T::from_bits(static_cast<std::uint16_t>(i - 1))) : static_cast<double>(T::from_bits(static_cast<std::uint16_t>(i + 1))) - x;
    for (double const y : {x + step / 2, x + step * 0.25, x + step * 0.75, std::nextafter(x + step / 2, 0.0), std::nextafter(x + step / 2, 1e300)}) {
      wrong += T(y).bits != nearest<T>(y) || T(-y).bits != nearest<T>(-y);
      auto const f = static_cast<float>(y);
      wrong += T(f).bits != nearest<T>(f);
    }
  }
  CHECK(wrong == 0);
}
TEST_CASE("as NumPy and ml_dtypes convert") {
  golden::file const file("float16");
  auto const check = [&]<class From>(std::string const& name, std::vector<From> const& from) {
    int wrong = 0;
    auto const sixteen = file.as<std::uint16_t>(name + "/float16");
    for (std::size_t i = 0; i < from.size(); ++i)
      wrong += is_nan_bits<float16>(sixteen[i]) ? !is_nan_bits<float16>(float16(from[i]).bits) : float16(from[i]).bits != sixteen[i];
    if (name != "double") {
      auto const brain = file.as<std::uint16_t>(name + "/bfloat16");
      for (std::size_t i = 0; i < from.size(); ++i)
        wrong += is_nan_bits<bfloat16>(brain[i]) ? !is_nan_bits<bfloat16>(bfloat16(from[i]).bits) : bfloat16(from[i]).bits != brain[i];
    }
    CHECK(wrong == 0);
    CHECK(from.size() > 500);
  };
  check("float", file.as<float>("float"));
  check("double", file.as<double>("double"));
  check("int", file.as<std::int32_t>("int"));
}
TEST_CASE("printed with the fewest digits that read back, as NumPy prints float16") {
  auto const text = [](auto const& x) { return to_string(x); };
  CHECK(text(tensor<float16>(0.1)) == "0.1");
  CHECK(text(tensor<float16>(2048)) == "2.048e+03");
  CHECK(text(tensor<float16>(65504)) == "6.55e+04");
  CHECK(text(tensor<float16>(9e-5)) == "9e-05");
  CHECK(text(tensor<float16>(999)) == "999.0");
  CHECK(text(tensor<float16, 3>{0.1, 2, 999}) == "[1.00e-01 2.00e+00 9.99e+02]");
  CHECK(text(tensor<float16, 3>{3.14159, 100.3, 1.0 / 3}) == "[  3.14   100.3      0.3333]");
  CHECK(text(tensor<float16, 2>{1, 2048}) == "[1.000e+00 2.048e+03]");
  CHECK(text(tensor<bfloat16, 2, 2>{{1.5, -2}, {0.1, 6.1}}) == "[[ 1.5 -2. ]\n [ 0.1  6.1]]");
  CHECK(text(tensor<bfloat16, 2>{std::numeric_limits<float>::infinity(), std::nan("")}) == "[inf nan]");
}
