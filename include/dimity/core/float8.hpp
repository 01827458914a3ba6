// The 8-bit floating-point numbers of the Open Compute Project's "OCP 8-bit Floating Point Specification (OFP8)", revision 1.0: float8_e4m3fn and float8_e5m2. They are for storage, as the 16-bit ones: whatever is computed with them is computed in float.
#pragma once

#include <dimity/core/float16.hpp>

namespace DIMITY_NAMESPACE {
namespace detail {

/// Nearest, ties to even; a nan above 448 (464 and less round to it), because there is no infinity.
constexpr std::uint8_t float8_e4m3fn_bits(float x) {
  auto const u = std::bit_cast<std::uint32_t>(x);
  std::uint32_t const sign = u >> 24 & 0x80u, size = u & 0x7fffffffu;
  if (size > 0x43e80000u) return static_cast<std::uint8_t>(sign | 0x7fu);
  // Below 2^-6 the spacing is 2^-9, which is that of floats from 2^14 on: adding 2^14 rounds to it.
  if (size < 0x3c800000u) return static_cast<std::uint8_t>(sign | (std::bit_cast<std::uint32_t>(std::bit_cast<float>(size) + 0x1p14f) - 0x46800000u));
  return static_cast<std::uint8_t>(sign | ((size - 0x3c000000u + 0x7ffffu + (size >> 20 & 1u)) >> 20));
}
constexpr float float8_e4m3fn_value(std::uint8_t bits) {
  std::uint32_t const sign = (bits & 0x80u) << 24, size = bits & 0x7fu;
  if (size == 0x7fu) return std::bit_cast<float>(sign | 0x7fc00000u);
  // Not as a subnormal float times 2^120, which is 0 where the processor flushes those.
  float const x = size < 8u ? std::bit_cast<float>(size + 0x46800000u) - 0x1p14f : std::bit_cast<float>((size << 20) + 0x3c000000u);
  return sign != 0 ? -x : x;
}

/// Nearest, ties to even; infinite from 61440 on.
constexpr std::uint8_t float8_e5m2_bits(float x) {
  auto const u = std::bit_cast<std::uint32_t>(x);
  std::uint32_t const sign = u >> 24 & 0x80u, size = u & 0x7fffffffu;
  if (size > 0x7f800000u) return static_cast<std::uint8_t>(sign | 0x7eu);
  if (size >= 0x47700000u) return static_cast<std::uint8_t>(sign | 0x7cu);
  // Below 2^-14 the spacing is 2^-16, which is that of floats from 2^7 on.
  if (size < 0x38800000u) return static_cast<std::uint8_t>(sign | (std::bit_cast<std::uint32_t>(std::bit_cast<float>(size) + 0x1p7f) - 0x43000000u));
  return static_cast<std::uint8_t>(sign | ((size - 0x38000000u + 0xfffffu + (size >> 21 & 1u)) >> 21));
}
/// They are the upper halves of float16's.
constexpr float float8_e5m2_value(std::uint8_t bits) { return float16_value(static_cast<std::uint16_t>(bits << 8)); }

}  // namespace detail

/// 4 bits of exponent and 4 significant ones: up to 448, subnormal below 2^-6, no infinity: what is too large becomes a nan, as in ml_dtypes (clip first to saturate). For weights and activations, beside a scale.
struct float8_e4m3fn {
  std::uint8_t bits;

  float8_e4m3fn() = default;
  template <class T>
    requires(std::is_arithmetic_v<T> && !std::is_same_v<T, long double>)
  constexpr float8_e4m3fn(T x) : bits(detail::float8_e4m3fn_bits(detail::narrowed(x))) {}
  constexpr operator float() const { return detail::float8_e4m3fn_value(bits); }
  static constexpr float8_e4m3fn from_bits(std::uint8_t bits) { return std::bit_cast<float8_e4m3fn>(bits); }
};

/// 5 bits of exponent, as float16 has, and 3 significant ones: up to 57344, then infinite. For gradients, beside a scale.
struct float8_e5m2 {
  std::uint8_t bits;

  float8_e5m2() = default;
  template <class T>
    requires(std::is_arithmetic_v<T> && !std::is_same_v<T, long double>)
  constexpr float8_e5m2(T x) : bits(detail::float8_e5m2_bits(detail::narrowed(x))) {}
  constexpr operator float() const { return detail::float8_e5m2_value(bits); }
  static constexpr float8_e5m2 from_bits(std::uint8_t bits) { return std::bit_cast<float8_e5m2>(bits); }
};

namespace detail {

/// Floating-point numbers that are stored, and computed with in float.
template <class T>
concept storage_float = std::is_same_v<T, float16> || std::is_same_v<T, bfloat16> || std::is_same_v<T, float8_e4m3fn> || std::is_same_v<T, float8_e5m2>;

}  // namespace detail
}  // namespace DIMITY_NAMESPACE

namespace std {

// What is not said here is as for float.
template <>
class numeric_limits<dimity::float8_e4m3fn> : public numeric_limits<float> {
 public:
  static constexpr bool is_iec559 = false, has_infinity = false, has_signaling_NaN = false;
  static constexpr int digits = 4, digits10 = 0, max_digits10 = 3, min_exponent = -5, max_exponent = 9, min_exponent10 = -1, max_exponent10 = 2;
  static constexpr dimity::float8_e4m3fn min() { return dimity::float8_e4m3fn::from_bits(0x08); }
  static constexpr dimity::float8_e4m3fn max() { return dimity::float8_e4m3fn::from_bits(0x7e); }
  static constexpr dimity::float8_e4m3fn lowest() { return dimity::float8_e4m3fn::from_bits(0xfe); }
  static constexpr dimity::float8_e4m3fn epsilon() { return dimity::float8_e4m3fn::from_bits(0x20); }
  static constexpr dimity::float8_e4m3fn infinity() { return dimity::float8_e4m3fn::from_bits(0x7f); }
  static constexpr dimity::float8_e4m3fn quiet_NaN() { return dimity::float8_e4m3fn::from_bits(0x7f); }
  static constexpr dimity::float8_e4m3fn round_error() { return 0.5f; }
  static constexpr dimity::float8_e4m3fn signaling_NaN() { return dimity::float8_e4m3fn::from_bits(0x7f); }
  static constexpr dimity::float8_e4m3fn denorm_min() { return dimity::float8_e4m3fn::from_bits(0x01); }
};
template <>
class numeric_limits<dimity::float8_e5m2> : public numeric_limits<float> {
 public:
  static constexpr bool is_iec559 = false;
  static constexpr int digits = 3, digits10 = 0, max_digits10 = 2, min_exponent = -13, max_exponent = 16, min_exponent10 = -4, max_exponent10 = 4;
  static constexpr dimity::float8_e5m2 min() { return dimity::float8_e5m2::from_bits(0x04); }
  static constexpr dimity::float8_e5m2 max() { return dimity::float8_e5m2::from_bits(0x7b); }
  static constexpr dimity::float8_e5m2 lowest() { return dimity::float8_e5m2::from_bits(0xfb); }
  static constexpr dimity::float8_e5m2 epsilon() { return dimity::float8_e5m2::from_bits(0x34); }
  static constexpr dimity::float8_e5m2 infinity() { return dimity::float8_e5m2::from_bits(0x7c); }
  static constexpr dimity::float8_e5m2 quiet_NaN() { return dimity::float8_e5m2::from_bits(0x7e); }
  static constexpr dimity::float8_e5m2 round_error() { return 0.5f; }
  static constexpr dimity::float8_e5m2 signaling_NaN() { return dimity::float8_e5m2::from_bits(0x7d); }
  static constexpr dimity::float8_e5m2 denorm_min() { return dimity::float8_e5m2::from_bits(0x01); }
};

}  // namespace std
