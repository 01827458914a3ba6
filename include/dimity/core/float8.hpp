// The 8-bit floating-point numbers of the Open Compute Project's "OCP 8-bit Floating Point Specification (OFP8)", revision 1.0: float8_e4m3fn and float8_e5m2. They are for storage, as the 16-bit ones: whatever is computed with them is computed in float.
#pragma once

#include <dimity/core/float16.hpp>
#include <dimity/core/integer_math.hpp>

namespace DIMITY_NAMESPACE {

struct float8_e4m3fn;
struct float8_e5m2;

namespace detail {

/// What the conversions need to know of a type, sizes as bits of floats: how far its fraction ends above float's, what a float's exponent is larger by, its least normal number, a power of two from which on floats are as far apart as its subnormal
/// numbers are (adding it rounds to them), the first that it does not hold; and, as its own bits, what is beyond its largest number, a nan, and the first that is not finite.
template <class T>
struct float8_format;
template <>
struct float8_format<float8_e4m3fn> {
  static constexpr std::uint32_t shift = 20, bias = 0x3c000000, least_normal = 0x3c800000, grid = 0x46800000, too_large = 0x43e80001, beyond = 0x7f, nan = 0x7f, not_finite = 0x7f;
  static constexpr float grid_number = 0x1p14f;
};
template <>
struct float8_format<float8_e5m2> {
  static constexpr std::uint32_t shift = 21, bias = 0x38000000, least_normal = 0x38800000, grid = 0x43000000, too_large = 0x47700000, beyond = 0x7c, nan = 0x7e, not_finite = 0x7c;
  static constexpr float grid_number = 0x1p7f;
};

/// Nearest, ties to even, without branches.
template <class T>
DIMITY_HOST_DEVICE constexpr std::uint8_t float8_bits(float x) {
  using format = float8_format<T>;
  auto const u = __builtin_bit_cast(std::uint32_t, x);
  std::uint32_t const sign = u >> 24 & 0x80u, size = u & 0x7fffffffu, half = (1u << (format::shift - 1)) - 1;
  std::uint32_t const normal = (size - format::bias + half + (size >> format::shift & 1u)) >> format::shift;
  constexpr float grid = format::grid_number;
  // The sum is not for nans, which constant expressions may not compute with.
  std::uint32_t const finite = size < format::least_normal ? __builtin_bit_cast(std::uint32_t, __builtin_bit_cast(float, size) + grid) - format::grid : normal;
  return static_cast<std::uint8_t>(sign | (size > 0x7f800000u ? format::nan : size >= format::too_large ? format::beyond : finite));
}
/// Subnormal numbers not by way of subnormal floats, which are 0 where the processor flushes them.
template <class T>
DIMITY_HOST_DEVICE constexpr float float8_value(std::uint8_t bits) {
  using format = float8_format<T>;
  std::uint32_t const sign = (bits & 0x80u) << 24, size = bits & 0x7fu;
  constexpr float grid = format::grid_number;
  std::uint32_t const in_grid = size + format::grid, small = __builtin_bit_cast(std::uint32_t, __builtin_bit_cast(float, in_grid) - grid);
  std::uint32_t const finite = size < 1u << (23 - format::shift) ? small : (size << format::shift) + format::bias;
  return __builtin_bit_cast(float, sign | (size >= format::not_finite ? (size << format::shift) | 0x7f800000u : finite));
}

}  // namespace detail

/// 4 bits of exponent and 4 significant ones: up to 448, subnormal below 2^-6, no infinity: what is too large becomes a nan, as in ml_dtypes (clip first to saturate). For weights and activations, beside a scale.
struct float8_e4m3fn {
  std::uint8_t bits;

  float8_e4m3fn() = default;
  template <class T>
    requires(std::is_arithmetic_v<T> && !std::is_same_v<T, long double>)
  constexpr float8_e4m3fn(T x) : bits(detail::float8_bits<float8_e4m3fn>(detail::narrowed(x))) {}
  constexpr operator float() const { return detail::float8_value<float8_e4m3fn>(bits); }
  static constexpr float8_e4m3fn from_bits(std::uint8_t bits) { return std::bit_cast<float8_e4m3fn>(bits); }
};

/// 5 bits of exponent, as float16 has, and 3 significant ones: up to 57344, then infinite. For gradients, beside a scale.
struct float8_e5m2 {
  std::uint8_t bits;

  float8_e5m2() = default;
  template <class T>
    requires(std::is_arithmetic_v<T> && !std::is_same_v<T, long double>)
  constexpr float8_e5m2(T x) : bits(detail::float8_bits<float8_e5m2>(detail::narrowed(x))) {}
  constexpr operator float() const { return detail::float8_value<float8_e5m2>(bits); }
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
