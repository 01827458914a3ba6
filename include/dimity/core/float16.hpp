// The 16-bit floating-point numbers: float16 (IEEE 754 binary16) and bfloat16 (the upper half of a float). They are for storage: whatever is computed with them is computed in float.
#pragma once

#include <bit>
#include <cstdint>
#include <limits>
#include <type_traits>

#include <dimity/core/config.hpp>

namespace DIMITY_NAMESPACE {
namespace detail {

/// Rounds towards zero and makes the last bit odd where something was lost: rounding the result once more, to less than half as many bits, then gives what rounding x directly would.
/// Boldo and Melquiond, "Emulation of a FMA and correctly rounded sums: proved algorithms using rounding to odd", 2008.
constexpr float round_to_odd(double x) {
  if (x > std::numeric_limits<float>::max()) return std::numeric_limits<float>::infinity();  // which 16 bits do not hold either
  if (x < -std::numeric_limits<float>::max()) return -std::numeric_limits<float>::infinity();
  float const nearest = static_cast<float>(x);
  double const back = nearest;
  if (back == x || x != x) return nearest;
  auto bits = std::bit_cast<std::uint32_t>(nearest);
  if ((back > x) == (x > 0)) --bits;  // towards zero
  return std::bit_cast<float>(bits | 1u);
}
/// Any number as a float that rounds to the same 16 bits.
template <class T>
constexpr float narrowed(T x) {
  if constexpr (std::is_same_v<T, float> || (std::is_integral_v<T> && sizeof(T) < 4)) return static_cast<float>(x);
  else if constexpr (sizeof(T) <= 4 || std::is_same_v<T, double>) return round_to_odd(static_cast<double>(x));
  else {
    // Of large 64-bit integers a double holds the bits from the eleventh on: whether anything is below is kept in that one.
    constexpr T exact = T(1) << 53, low = 0xfff;
    bool const fits = x <= exact && (std::is_unsigned_v<T> || x >= T(0) - exact);
    return round_to_odd(static_cast<double>(fits || (x & low) == 0 ? x : static_cast<T>((x & ~low) | (low + 1) / 2)));
  }
}

/// Nearest, ties to even; a nan stays one.
constexpr std::uint16_t bfloat16_bits(float x) {
  auto const u = std::bit_cast<std::uint32_t>(x);
  if (x != x) return static_cast<std::uint16_t>(u >> 16 | 0x40u);
  return static_cast<std::uint16_t>((u + 0x7fffu + (u >> 16 & 1u)) >> 16);
}
constexpr float bfloat16_value(std::uint16_t bits) { return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16); }

constexpr std::uint16_t float16_bits(float x) {
  auto const u = std::bit_cast<std::uint32_t>(x);
  std::uint32_t const sign = u >> 16 & 0x8000u, size = u & 0x7fffffffu;
  if (size > 0x7f800000u) return static_cast<std::uint16_t>(sign | 0x7e00u | (size >> 13 & 0x3ffu));
  if (size >= 0x477ff000u) return static_cast<std::uint16_t>(sign | 0x7c00u);  // 65520 and more
  if (size < 0x38800000u) {
    // Below 2^-14 the spacing is 2^-24: adding 1/2, whose spacing is that of multiples of 2^-24, rounds to it.
    float const shifted = std::bit_cast<float>(size) + 0.5f;
    return static_cast<std::uint16_t>(sign | (std::bit_cast<std::uint32_t>(shifted) - 0x3f000000u));
  }
  return static_cast<std::uint16_t>(sign | ((size - 0x38000000u + 0xfffu + (size >> 13 & 1u)) >> 13));
}
constexpr float float16_value(std::uint16_t bits) {
  std::uint32_t const sign = (bits & 0x8000u) << 16, size = bits & 0x7fffu;
  if (size >= 0x7c00u) return std::bit_cast<float>(sign | 0x7f800000u | (size & 0x3ffu) << 13);
  if (size < 0x400u) {
    float const x = static_cast<float>(size) * 0x1p-24f;
    return sign != 0 ? -x : x;
  }
  return std::bit_cast<float>(sign | ((size << 13) + 0x38000000u));
}

}  // namespace detail

/// 8 bits of exponent, as float has, and 8 significant ones: 2 to 3 decimal digits up to 3.4e38. Arithmetic operators convert to float; conversion from any number rounds once, to nearest even.
struct bfloat16 {
  std::uint16_t bits;

  bfloat16() = default;
  template <class T>
    requires(std::is_arithmetic_v<T> && !std::is_same_v<T, long double>)
  constexpr bfloat16(T x) : bits(detail::bfloat16_bits(detail::narrowed(x))) {}
  constexpr operator float() const { return detail::bfloat16_value(bits); }
  static constexpr bfloat16 from_bits(std::uint16_t bits) { return std::bit_cast<bfloat16>(bits); }
};

/// 5 bits of exponent and 11 significant ones: 3 to 4 decimal digits up to 65504, subnormal below 6.1e-5. Otherwise as bfloat16.
struct float16 {
  std::uint16_t bits;

  float16() = default;
  template <class T>
    requires(std::is_arithmetic_v<T> && !std::is_same_v<T, long double>)
  constexpr float16(T x) : bits(detail::float16_bits(detail::narrowed(x))) {}
  constexpr operator float() const { return detail::float16_value(bits); }
  static constexpr float16 from_bits(std::uint16_t bits) { return std::bit_cast<float16>(bits); }
};

}  // namespace DIMITY_NAMESPACE

namespace std {

// What is not said here is as for float.
template <>
class numeric_limits<dimity::bfloat16> : public numeric_limits<float> {
 public:
  static constexpr bool is_iec559 = false;
  static constexpr int digits = 8, digits10 = 2, max_digits10 = 4, min_exponent = -125, max_exponent = 128, min_exponent10 = -37, max_exponent10 = 38;
  static constexpr dimity::bfloat16 min() { return dimity::bfloat16::from_bits(0x0080); }
  static constexpr dimity::bfloat16 max() { return dimity::bfloat16::from_bits(0x7f7f); }
  static constexpr dimity::bfloat16 lowest() { return dimity::bfloat16::from_bits(0xff7f); }
  static constexpr dimity::bfloat16 epsilon() { return dimity::bfloat16::from_bits(0x3c00); }
  static constexpr dimity::bfloat16 infinity() { return dimity::bfloat16::from_bits(0x7f80); }
  static constexpr dimity::bfloat16 quiet_NaN() { return dimity::bfloat16::from_bits(0x7fc0); }
  static constexpr dimity::bfloat16 round_error() { return 0.5f; }
  static constexpr dimity::bfloat16 signaling_NaN() { return dimity::bfloat16::from_bits(0x7fa0); }
  static constexpr dimity::bfloat16 denorm_min() { return dimity::bfloat16::from_bits(0x0001); }
};
template <>
class numeric_limits<dimity::float16> : public numeric_limits<float> {
 public:
  static constexpr int digits = 11, digits10 = 3, max_digits10 = 5, min_exponent = -13, max_exponent = 16, min_exponent10 = -4, max_exponent10 = 4;
  static constexpr dimity::float16 min() { return dimity::float16::from_bits(0x0400); }
  static constexpr dimity::float16 max() { return dimity::float16::from_bits(0x7bff); }
  static constexpr dimity::float16 lowest() { return dimity::float16::from_bits(0xfbff); }
  static constexpr dimity::float16 epsilon() { return dimity::float16::from_bits(0x1400); }
  static constexpr dimity::float16 infinity() { return dimity::float16::from_bits(0x7c00); }
  static constexpr dimity::float16 quiet_NaN() { return dimity::float16::from_bits(0x7e00); }
  static constexpr dimity::float16 round_error() { return 0.5f; }
  static constexpr dimity::float16 signaling_NaN() { return dimity::float16::from_bits(0x7d00); }
  static constexpr dimity::float16 denorm_min() { return dimity::float16::from_bits(0x0001); }
};

}  // namespace std
