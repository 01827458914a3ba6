// The value of every elementwise primitive on one element, in device code. The semantics are those of exec/cpu/math.hpp: NumPy's.
#pragma once

#include <dimity/core/device.hpp>
#include <dimity/core/dtype.hpp>
#include <dimity/core/integer_math.hpp>
#include <dimity/exec/cuda/language.hpp>
#include <dimity/program/primitive.hpp>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>

namespace DIMITY_NAMESPACE::detail {

// Constants of class scope: constexpr functions of the standard library cannot be called from device code.
template <class T>
struct device_limits {
  static constexpr T infinity = std::numeric_limits<T>::has_infinity ? std::numeric_limits<T>::infinity() : std::numeric_limits<T>::max();
  static constexpr T lowest = std::numeric_limits<T>::has_infinity ? -std::numeric_limits<T>::infinity() : std::numeric_limits<T>::lowest();
  static constexpr T epsilon = std::numeric_limits<T>::epsilon(), nan = std::numeric_limits<T>::quiet_NaN();
};

// ---- 16- and 8-bit floats: only moved, and converted where a program says so

DIMITY_DEVICE float float_from_bits(std::uint32_t u) {
  float x;
  std::memcpy(&x, &u, 4);
  return x;
}
DIMITY_DEVICE std::uint32_t bits_of_float(float x) {
  std::uint32_t u;
  std::memcpy(&u, &x, 4);
  return u;
}
DIMITY_DEVICE float widen(bfloat16 x) { return float_from_bits(static_cast<std::uint32_t>(x.bits) << 16); }
DIMITY_DEVICE float widen(float16 x) {
#if defined(__CUDA_ARCH__)
  float y;
  asm("cvt.f32.f16 %0, %1;" : "=f"(y) : "h"(x.bits));
  return y;
#else
  std::uint32_t const sign = (x.bits & 0x8000u) << 16, size = x.bits & 0x7fffu;
  if (size >= 0x7c00u) return float_from_bits(sign | 0x7f800000u | (size & 0x3ffu) << 13);
  if (size < 0x400u) return sign != 0 ? -(static_cast<float>(size) * 0x1p-24f) : static_cast<float>(size) * 0x1p-24f;
  return float_from_bits(sign | ((size << 13) + 0x38000000u));
#endif
}
template <class T>
  requires(sizeof(T) == 1)
DIMITY_DEVICE float widen(T x) {
  return float8_value<T>(x.bits);
}
template <class T>
DIMITY_DEVICE T narrow_float(float x) {
  T r;
  if constexpr (sizeof(T) == 1) {
    r.bits = float8_bits<T>(x);  // the GPU's own conversion saturates, which no other does
  } else {
#if defined(__CUDA_ARCH__)
    if constexpr (std::is_same_v<T, bfloat16>) asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(r.bits) : "f"(x));
    else asm("cvt.rn.f16.f32 %0, %1;" : "=h"(r.bits) : "f"(x));
#else
    if constexpr (std::is_same_v<T, bfloat16>) r.bits = bfloat16_bits(x);
    else r.bits = float16_bits(x);
#endif
  }
  return r;
}
/// Any number as a float that rounds to the same 16 bits (core/float16.hpp: round_to_odd).
template <class T>
DIMITY_DEVICE float narrow_to_float(T x) {
  if constexpr (std::is_same_v<T, float> || (std::is_integral_v<T> && sizeof(T) < 4)) {
    return static_cast<float>(x);
  } else if constexpr (std::is_integral_v<T> && sizeof(T) == 8) {
    constexpr T exact = T(1) << 53, low = 0xfff;
    bool const fits = x <= exact && (std::is_unsigned_v<T> || x >= T(0) - exact);
    return narrow_to_float(static_cast<double>(fits || (x & low) == 0 ? x : static_cast<T>((x & ~low) | (low + 1) / 2)));
  } else {
    double const d = static_cast<double>(x);
    if (d > 3.40282346638528859812e38 || d < -3.40282346638528859812e38) return d > 0 ? device_limits<float>::infinity : device_limits<float>::lowest;
    float const nearest = static_cast<float>(d);
    double const back = nearest;
    if (back == d || d != d) return nearest;
    std::uint32_t bits = bits_of_float(nearest);
    if ((back > d) == (d > 0)) --bits;
    return float_from_bits(bits | 1u);
  }
}

template <class To, class From>
DIMITY_DEVICE To device_cast(From x) {
  if constexpr (std::is_same_v<To, From>) return x;
  else if constexpr (storage_float<From>) return device_cast<To>(widen(x));
  else if constexpr (storage_float<To>) return narrow_float<To>(narrow_to_float(x));
  else return static_cast<To>(x);
}

// ---- functions

/// NumPy's remainder.
template <class T>
DIMITY_DEVICE T python_remainder_of(T a, T b) {
  if constexpr (std::is_integral_v<T>) {
    return integer_remainder(a, b);
  } else {
    T r = std::fmod(a, b);
    if (r != T(0)) return (r < T(0)) != (b < T(0)) ? r + b : r;
    return std::copysign(r, b);
  }
}

template <primitive P, cuda_precision Wanted = cuda_precision::standard, class T>
DIMITY_DEVICE T device_unary(T a) {
  constexpr bool is_integer = std::is_integral_v<T>;
  [[maybe_unused]] constexpr bool quick = Wanted == cuda_precision::fast && std::is_same_v<T, float>;
  using U = typename std::conditional_t<is_integer, wide_unsigned<T>, std::type_identity<T>>::type;
  if constexpr (P == primitive::copy) return a;
  else if constexpr (P == primitive::negative) {
    if constexpr (is_integer) return static_cast<T>(U(0) - static_cast<U>(a));
    else return -a;
  } else if constexpr (P == primitive::square) {
    return static_cast<T>(static_cast<U>(a) * static_cast<U>(a));
  } else if constexpr (P == primitive::abs) {
    if constexpr (!is_integer) return std::fabs(a);
    else if constexpr (std::is_unsigned_v<T>) return a;
    else return a < 0 ? static_cast<T>(U(0) - static_cast<U>(a)) : a;
  } else if constexpr (P == primitive::sign) {
    if constexpr (std::is_unsigned_v<T>) return a == T(0) ? T(0) : T(1);
    else if constexpr (is_integer) return a > T(0) ? T(1) : a < T(0) ? T(-1) : T(0);
    else return a > T(0) ? T(1) : a < T(0) ? T(-1) : a != a ? a : T(0);
  } else if constexpr (P == primitive::relu) return a < T(0) ? T(0) : a;
  else if constexpr (P == primitive::bitwise_not) {
    if constexpr (is_integer) return static_cast<T>(~a);
    else return a;
  } else if constexpr (is_integer) {
    if constexpr (P == primitive::floor || P == primitive::ceil || P == primitive::round || P == primitive::trunc) return a;
    else return static_cast<T>(device_unary<P>(static_cast<double>(a)));
  }
#if defined(__CUDA_ARCH__)
  else if constexpr (quick && P == primitive::exp) return __expf(a);
  else if constexpr (quick && P == primitive::log) return __logf(a);
  else if constexpr (quick && P == primitive::tanh) {
    T r;
    asm("tanh.approx.f32 %0, %1;" : "=f"(r) : "f"(a));
    return r;
  } else if constexpr (quick && P == primitive::sqrt) {
    T r;
    asm("sqrt.approx.f32 %0, %1;" : "=f"(r) : "f"(a));
    return r;
  }
#endif
  else if constexpr (P == primitive::exp) return std::exp(a);
  else if constexpr (P == primitive::exp2) return std::exp2(a);
  else if constexpr (P == primitive::expm1) return std::expm1(a);
  else if constexpr (P == primitive::log) return std::log(a);
  else if constexpr (P == primitive::log2) return std::log2(a);
  else if constexpr (P == primitive::log10) return std::log10(a);
  else if constexpr (P == primitive::log1p) return std::log1p(a);
  else if constexpr (P == primitive::sqrt) return std::sqrt(a);
#if defined(__CUDA_ARCH__)
  else if constexpr (P == primitive::rsqrt) return ::rsqrt(a);
#else
  else if constexpr (P == primitive::rsqrt) return T(1) / std::sqrt(a);
#endif
  else if constexpr (P == primitive::cbrt) return std::cbrt(a);
  else if constexpr (P == primitive::sin) return std::sin(a);
  else if constexpr (P == primitive::cos) return std::cos(a);
  else if constexpr (P == primitive::tan) return std::tan(a);
  else if constexpr (P == primitive::asin) return std::asin(a);
  else if constexpr (P == primitive::acos) return std::acos(a);
  else if constexpr (P == primitive::atan) return std::atan(a);
  else if constexpr (P == primitive::sinh) return std::sinh(a);
  else if constexpr (P == primitive::cosh) return std::cosh(a);
  else if constexpr (P == primitive::tanh) return std::tanh(a);
  else if constexpr (P == primitive::asinh) return std::asinh(a);
  else if constexpr (P == primitive::acosh) return std::acosh(a);
  else if constexpr (P == primitive::atanh) return std::atanh(a);
  else if constexpr (P == primitive::erf) return std::erf(a);
  else if constexpr (P == primitive::erfc) return std::erfc(a);
  else if constexpr (P == primitive::sigmoid) {
#if defined(__CUDA_ARCH__)
    // Division as IEEE 754 has it is a call of some fifty instructions; the denominator lies between 1 and infinity, where the quick one is within 2 ulp, and 0 from 2^126 on.
    if constexpr (sizeof(T) == 4 && Wanted != cuda_precision::strict) return __fdividef(T(1), T(1) + device_unary<primitive::exp, Wanted>(-a));
    else
#endif
      return T(1) / (T(1) + std::exp(-a));
  } else if constexpr (P == primitive::softplus) return (a < T(0) ? T(0) : a) + std::log1p(std::exp(-std::fabs(a)));
  else if constexpr (P == primitive::floor) return std::floor(a);
  else if constexpr (P == primitive::ceil) return std::ceil(a);
  else if constexpr (P == primitive::trunc) return std::trunc(a);
  else if constexpr (P == primitive::round) return std::nearbyint(a);
  else static_assert(P == primitive::copy, "a primitive without a value");
}

template <primitive P, cuda_precision Wanted = cuda_precision::standard, class T>
DIMITY_DEVICE T device_binary(T a, T b) {
  constexpr bool is_integer = std::is_integral_v<T>;
  using U = typename std::conditional_t<is_integer, wide_unsigned<T>, std::type_identity<T>>::type;
  if constexpr (P == primitive::add) return static_cast<T>(static_cast<U>(a) + static_cast<U>(b));
  else if constexpr (P == primitive::subtract) return static_cast<T>(static_cast<U>(a) - static_cast<U>(b));
  else if constexpr (P == primitive::multiply) return static_cast<T>(static_cast<U>(a) * static_cast<U>(b));
  else if constexpr (P == primitive::maximum || P == primitive::minimum) {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
    if constexpr (std::is_same_v<T, float>) {
      T r;
      if constexpr (P == primitive::maximum) asm("max.NaN.f32 %0, %1, %2;" : "=f"(r) : "f"(a), "f"(b));
      else asm("min.NaN.f32 %0, %1, %2;" : "=f"(r) : "f"(a), "f"(b));
      return r;
    }
#endif
    bool const second = P == primitive::maximum ? a < b : b < a;
    if constexpr (is_integer) return second ? b : a;
    else return a != a ? a : b != b ? b : second ? b : a;
  } else if constexpr (P == primitive::bitwise_and) return static_cast<T>(a & b);
  else if constexpr (P == primitive::bitwise_or) return static_cast<T>(a | b);
  else if constexpr (P == primitive::bitwise_xor) return static_cast<T>(a ^ b);
  else if constexpr (P == primitive::remainder) return python_remainder_of(a, b);
  else if constexpr (is_integer) {
    if constexpr (P == primitive::divide) return floor_divide(a, b);
    else if constexpr (P == primitive::power) return integer_power(a, b);
    else if constexpr (P == primitive::shift_left || P == primitive::shift_right) {
      using S = std::make_unsigned_t<T>;
      constexpr int bits = static_cast<int>(sizeof(T)) * 8;
      bool const too_far = static_cast<S>(b) >= static_cast<S>(bits);
      if constexpr (P == primitive::shift_left) return too_far ? T(0) : static_cast<T>(static_cast<U>(a) << b);
      else if constexpr (std::is_unsigned_v<T>) return too_far ? T(0) : static_cast<T>(a >> b);
      else return too_far ? static_cast<T>(a < 0 ? -1 : 0) : static_cast<T>(a >> b);
    } else return static_cast<T>(device_binary<P>(static_cast<double>(a), static_cast<double>(b)));
  }
#if defined(__CUDA_ARCH__)
  else if constexpr (P == primitive::divide && Wanted == cuda_precision::fast && std::is_same_v<T, float>) return __fdividef(a, b);
#endif
  else if constexpr (P == primitive::divide) return a / b;
  else if constexpr (P == primitive::power) return std::pow(a, b);
  else if constexpr (P == primitive::atan2) return std::atan2(a, b);
  else if constexpr (P == primitive::hypot) return std::hypot(a, b);
  else static_assert(P == primitive::add, "a primitive without a value");
}

template <primitive P, class T>
DIMITY_DEVICE bool device_comparison(T a, T b) {
  if constexpr (P == primitive::less) return a < b;
  else if constexpr (P == primitive::less_equal) return a <= b;
  else if constexpr (P == primitive::equal) return a == b;
  else return a != b;
}
template <primitive P>
DIMITY_DEVICE bool device_logical(bool a, bool b) {
  if constexpr (P == primitive::bitwise_and || P == primitive::minimum || P == primitive::multiply) return a && b;
  else if constexpr (P == primitive::bitwise_or || P == primitive::maximum || P == primitive::add) return a || b;
  else if constexpr (P == primitive::equal) return a == b;
  else if constexpr (P == primitive::less) return !a && b;
  else if constexpr (P == primitive::less_equal) return !a || b;
  else return a != b;
}
template <primitive P, class T>
DIMITY_DEVICE bool device_predicate(T a) {
  if constexpr (std::is_integral_v<T>) return P == primitive::isfinite;
  else if constexpr (P == primitive::isnan) return a != a;
  else if constexpr (P == primitive::isinf) return std::fabs(a) == device_limits<T>::infinity;
  else return std::fabs(a) < device_limits<T>::infinity;
}

/// What a reduction starts from, and how two parts of it become one. `Reduction` is one of sum .. all.
template <primitive Reduction, class T>
struct device_reduction {
  static constexpr T identity = Reduction == primitive::prod || Reduction == primitive::all ? T(1) : Reduction == primitive::max ? device_limits<T>::lowest : Reduction == primitive::min ? device_limits<T>::infinity : T(0);
  DIMITY_DEVICE static T join(T a, T b) {
    if constexpr (std::is_same_v<T, bool>) return Reduction == primitive::any || Reduction == primitive::max || Reduction == primitive::sum ? a || b : a && b;
    else if constexpr (Reduction == primitive::sum) return device_binary<primitive::add>(a, b);
    else if constexpr (Reduction == primitive::prod) return device_binary<primitive::multiply>(a, b);
    else if constexpr (Reduction == primitive::max) return device_binary<primitive::maximum>(a, b);
    else if constexpr (Reduction == primitive::min) return device_binary<primitive::minimum>(a, b);
    else if constexpr (Reduction == primitive::any) return device_binary<primitive::bitwise_or>(a, b);
    else return device_binary<primitive::bitwise_and>(a, b);
  }
};

}  // namespace DIMITY_NAMESPACE::detail
