// The value of every elementwise primitive, on one part: a native batch or a single element.
#pragma once

#include <dimity/core/dual.hpp>
#include <dimity/core/integer_math.hpp>
#include <dimity/exec/cpu/elementary.hpp>
#include <dimity/exec/cpu/float16_lanes.hpp>
#include <dimity/program/primitive.hpp>

#include <cmath>
#include <cstdint>
#include <limits>

namespace DIMITY_NAMESPACE::detail {

template <class X>
struct element_of_part {
  using type = X;
  static constexpr bool is_batch = false;
};
template <class T, class A>
struct element_of_part<xsimd::batch<T, A>> {
  using type = T;
  static constexpr bool is_batch = true;
};

template <class X>
inline constexpr bool is_float_batch = element_of_part<X>::is_batch && std::is_same_v<typename element_of_part<X>::type, float>;

/// f applied element by element, for what xsimd has no function for.
template <class X, class F>
DIMITY_INLINE X by_element(F f, X const& a) {
  using T = typename element_of_part<X>::type;
  alignas(64) T x[X::size];
  a.store_aligned(x);
  for (std::size_t i = 0; i < X::size; ++i) x[i] = f(x[i]);
  return X::load_aligned(x);
}
template <class X, class F>
DIMITY_INLINE X by_element(F f, X const& a, X const& b) {
  using T = typename element_of_part<X>::type;
  alignas(64) T x[X::size], y[X::size];
  a.store_aligned(x);
  b.store_aligned(y);
  for (std::size_t i = 0; i < X::size; ++i) x[i] = f(x[i], y[i]);
  return X::load_aligned(x);
}

/// NumPy's remainder.
template <class T>
T python_remainder(T a, T b) {
  if constexpr (std::is_integral_v<T>) {
    return integer_remainder(a, b);
  } else {
    using std::fmod;
    T r = fmod(a, b);
    if (r != T(0)) {
      if ((r < T(0)) != (b < T(0))) r = r + b;
      return r;
    }
    if constexpr (std::is_floating_point_v<T>) return std::copysign(r, b);
    return r;
  }
}

/// `a != b` as IEEE 754 has it. xsimd's own is false where a nan takes part (8.1, AVX and AVX-512: it asks for "ordered and not equal").
template <class X>
DIMITY_INLINE auto differs(X const& a, X const& b) {
  if constexpr (element_of_part<X>::is_batch) return ~(a == b);
  else return a != b;
}
template <class X>
DIMITY_INLINE X keep_nan(X const& a, X const& result) {
  return choose(differs(a, a), a, result);
}

// elementary.hpp has the functions that activations and softmax are made of. xsimd's others are within 3 ulp of the true value where they are defined well
// (tests/expr/functions.cpp has the table); what follows is what they leave out: the ends of exp2's range, subnormal operands of double logarithms, the sign of zero.
// The rare lanes are behind a branch, which cost 2 to 16% of exp where arithmetic without a branch cost 24 to 68% (a microbenchmark on AVX-512, AVX2 and SSE2).

template <class X>
DIMITY_INLINE X exp_of(X const& a) {
  if constexpr (element_of_part<X>::is_batch) {
    return exp_lanes(a);
  } else {
    using std::exp;
    return exp(a);
  }
}
template <class X>
[[gnu::noinline, gnu::cold]] X exp2_at_far_lanes(X a, X near) {
  using T = typename element_of_part<X>::type;
  // Moved by a power of two that the exponent of T can take back, once more rounded only where the result is subnormal.
  constexpr T shift = sizeof(T) == 4 ? T(64) : T(512), scale = sizeof(T) == 4 ? T(0x1p64) : T(0x1p512);
  X const up = xsimd::exp2(a - X(shift)) * X(scale), down = xsimd::exp2(a + X(shift)) * X(T(1) / scale);
  X const end(sizeof(T) == 4 ? T(126) : T(1022));
  return choose(end < a, up, choose(a < -end, down, near));
}
template <class X>
DIMITY_INLINE X exp2_of(X const& a) {
  if constexpr (element_of_part<X>::is_batch) {
    using T = typename element_of_part<X>::type;
    X const y = xsimd::exp2(a), size = xsimd::abs(a);
    if (xsimd::any((X(sizeof(T) == 4 ? T(126) : T(1022)) < size) & (size < X(sizeof(T) == 4 ? T(151) : T(1076))))) [[unlikely]] return exp2_at_far_lanes(a, y);
    return y;
  } else {
    using std::exp2;
    return exp2(a);
  }
}
/// xsimd's expm1 is infinite from a little above here on, where the result is not yet; 1 no longer counts there.
template <class T>
inline constexpr T expm1_far = sizeof(T) == 4 ? T(87) : T(708);
template <class X>
[[gnu::noinline, gnu::cold]] X expm1_at_far_lanes(X a, X near) {
  return choose(X(expm1_far<typename element_of_part<X>::type>) < a, exp_lanes(a), near);
}
template <class X>
DIMITY_INLINE X expm1_of(X const& a) {
  if constexpr (element_of_part<X>::is_batch) {
    using T = typename element_of_part<X>::type;
    X const y = choose(a == X(T(0)), a, xsimd::expm1(a));
    if (xsimd::any((X(expm1_far<T>) < a) & (a < X(sizeof(T) == 4 ? T(104) : T(746))))) [[unlikely]] return expm1_at_far_lanes(a, y);
    return y;
  } else {
    using std::expm1;
    return expm1(a);
  }
}

/// log, log2, log10, cbrt of doubles, of which xsimd 8 takes subnormal ones for others.
template <primitive P, class X>
[[gnu::noinline, gnu::cold]] X at_subnormal_lanes(X a, X y) {
  X const scaled = a * X(0x1p54);
  auto const small = xsimd::abs(a) < X(std::numeric_limits<double>::min());
  if constexpr (P == primitive::log) return choose(small, xsimd::log(scaled) - X(54 * 0.693147180559945309417), y);
  else if constexpr (P == primitive::log2) return choose(small, xsimd::log2(scaled) - X(54.0), y);
  else if constexpr (P == primitive::log10) return choose(small, xsimd::log10(scaled) - X(54 * 0.301029995663981195214), y);
  else return choose(small, xsimd::cbrt(scaled) * X(0x1p-18), y);
}
template <primitive P, class X>
DIMITY_INLINE X with_subnormals(X const& a, X const& y) {
  if constexpr (std::is_same_v<typename element_of_part<X>::type, double> && element_of_part<X>::is_batch) {
    X const size = xsimd::abs(a);
    if (xsimd::any((X(0.0) < size) & (size < X(std::numeric_limits<double>::min())))) [[unlikely]] return at_subnormal_lanes<P>(a, y);
  }
  return y;
}

/// xsimd 8.1's rounding loses the sign of zero on SSE2, which has no instruction for it, and on Arm.
template <class X>
DIMITY_INLINE X with_sign_of([[maybe_unused]] X const& a, X const& y) {
#if (defined(__SSE2__) && !defined(__SSE4_1__)) || defined(__aarch64__)
  if constexpr (element_of_part<X>::is_batch) return xsimd::copysign(y, a);
#endif
  return y;
}

/// Wrapping arithmetic for integers: overflow is defined, as in NumPy.
template <class T, class F>
DIMITY_INLINE T wrap_around(F f, T a, T b) {
  if constexpr (std::is_integral_v<T>) {
    using U = typename wide_unsigned<T>::type;
    return static_cast<T>(f(static_cast<U>(a), static_cast<U>(b)));
  } else {
    return static_cast<T>(f(a, b));
  }
}

template <primitive P, class X>
DIMITY_INLINE X unary_value(X const& a) {
  using std::log, std::log2, std::log10, std::log1p, std::sqrt, std::cbrt, std::sin, std::cos, std::tan, std::asin, std::acos,
      std::atan, std::sinh, std::cosh, std::tanh, std::asinh, std::acosh, std::atanh, std::erf, std::erfc, std::floor, std::ceil, std::trunc, std::nearbyint;
  using T = typename element_of_part<X>::type;
  constexpr bool is_integer = std::is_integral_v<T>, is_batch = element_of_part<X>::is_batch;
  if constexpr (P == primitive::copy) return a;
  else if constexpr (P == primitive::negative) {
    if constexpr (is_integer && !is_batch) return wrap_around<T>([](auto x, auto y) { return x - y; }, T(0), a);
    else return -a;
  } else if constexpr (P == primitive::square) {
    if constexpr (is_integer && !is_batch) return wrap_around<T>([](auto x, auto y) { return x * y; }, a, a);
    else return a * a;
  } else if constexpr (P == primitive::abs) {
    if constexpr (is_integer && std::is_unsigned_v<T>) return a;
    else if constexpr (is_integer) {
      if constexpr (is_batch) return choose(a < X(T(0)), -a, a);
      else return a < 0 ? wrap_around<T>([](auto x, auto y) { return x - y; }, T(0), a) : a;
    } else if constexpr (is_batch) return xsimd::abs(a);
    else { using std::fabs; return fabs(a); }
  } else if constexpr (P == primitive::sign) {
    X const zero(T(0)), one(T(1));
    if constexpr (std::is_unsigned_v<T>) return choose(a == zero, zero, one);
    else {
      X const s = choose(zero < a, one, choose(a < zero, X(T(-1)), zero));
      if constexpr (is_integer) return s;
      else return keep_nan(a, s);
    }
  } else if constexpr (P == primitive::relu) {
    X const zero(T(0));
    if constexpr (is_batch && !is_integer) return xsimd::max(zero, a);  // in this order x86 returns the nan
    else return choose(a < zero, zero, a);
  } else if constexpr (P == primitive::bitwise_not) {
    if constexpr (is_integer) return static_cast<X>(~a);
    else return a;
  } else if constexpr (is_integer) {
    if constexpr (P == primitive::floor || P == primitive::ceil || P == primitive::round || P == primitive::trunc) return a;
    else if constexpr (is_batch) return by_element([](T x) { return unary_value<P>(x); }, a);
    else return static_cast<T>(unary_value<P>(static_cast<double>(a)));
  }
  else if constexpr (P == primitive::exp) return exp_of(a);
  else if constexpr (P == primitive::exp2) return exp2_of(a);
  else if constexpr (P == primitive::expm1) return expm1_of(a);
  else if constexpr (P == primitive::log) return with_subnormals<P>(a, X(log(a)));
  else if constexpr (P == primitive::log2) return with_subnormals<P>(a, X(log2(a)));
  else if constexpr (P == primitive::log10) return with_subnormals<P>(a, X(log10(a)));
  else if constexpr (P == primitive::log1p) {
    if constexpr (is_batch) return choose(a == X(T(0)), a, log1p(a));
    else return log1p(a);
  }
  else if constexpr (P == primitive::sqrt) {
    if constexpr (is_batch) return square_root(a);
    else return sqrt(a);
  }
  else if constexpr (P == primitive::rsqrt) {
    if constexpr (is_batch) return quotient(X(T(1)), square_root(a));
    else return X(T(1)) / sqrt(a);
  }
  else if constexpr (P == primitive::cbrt) return with_subnormals<P>(a, X(cbrt(a)));
  else if constexpr (P == primitive::sin) return sin(a);
  else if constexpr (P == primitive::cos) return cos(a);
  else if constexpr (P == primitive::tan) return tan(a);
  else if constexpr (P == primitive::asin) return asin(a);
  else if constexpr (P == primitive::acos) return acos(a);
  else if constexpr (P == primitive::atan) return atan(a);
  else if constexpr (P == primitive::sinh) return sinh(a);
  else if constexpr (P == primitive::cosh) return cosh(a);
  else if constexpr (P == primitive::tanh) {
    if constexpr (is_batch) return tanh_lanes(a);
    else return tanh(a);
  }
  else if constexpr (P == primitive::asinh) return asinh(a);
  else if constexpr (P == primitive::acosh) {
    if constexpr (is_batch) return choose(a < X(T(1)), X(std::numeric_limits<T>::quiet_NaN()), acosh(a));
    else return acosh(a);
  }
  else if constexpr (P == primitive::atanh) return atanh(a);
  else if constexpr (P == primitive::erf) {
    // xsimd's is 67 ulp off for doubles, and nan for large ones.
    if constexpr (is_float_batch<X>) return erf_lanes(a);
    else if constexpr (is_batch) return by_element([](T x) { return std::erf(x); }, a);
    else return erf(a);
  }
  else if constexpr (P == primitive::erfc) {
    // xsimd's loses all digits where erfc is small.
    if constexpr (is_batch) return by_element([](T x) { return std::erfc(x); }, a);
    else return erfc(a);
  }
  else if constexpr (P == primitive::sigmoid) {
    if constexpr (is_batch) return sigmoid_lanes(a);
    else return X(T(1)) / (X(T(1)) + exp_of(X(-a)));
  } else if constexpr (P == primitive::softplus) {
    // Without fused multiply-adds the polynomial is 2.2 ulp off, xsimd's logarithm 1.9.
    if constexpr (is_float_batch<X> && is_fused) return softplus_lanes(a);
    else return unary_value<primitive::relu>(a) + log1p(exp_of(X(-unary_value<primitive::abs>(a))));
  }
  else if constexpr (P == primitive::floor) return with_sign_of(a, X(floor(a)));
  else if constexpr (P == primitive::ceil) return with_sign_of(a, X(ceil(a)));
  else if constexpr (P == primitive::trunc) return with_sign_of(a, X(trunc(a)));
  else if constexpr (P == primitive::round) return nearbyint(a);
  else static_assert(P == primitive::copy, "a primitive without a value");
}

template <primitive P, class X>
DIMITY_INLINE X binary_value(X const& a, X const& b) {
  using T = typename element_of_part<X>::type;
  constexpr bool is_integer = std::is_integral_v<T>, is_batch = element_of_part<X>::is_batch;
  if constexpr (P == primitive::add) {
    if constexpr (is_batch) return a + b;
    else return wrap_around<T>([](auto x, auto y) { return x + y; }, a, b);
  } else if constexpr (P == primitive::subtract) {
    if constexpr (is_batch) return a - b;
    else return wrap_around<T>([](auto x, auto y) { return x - y; }, a, b);
  } else if constexpr (P == primitive::multiply) {
    if constexpr (is_batch) return a * b;
    else return wrap_around<T>([](auto x, auto y) { return x * y; }, a, b);
  } else if constexpr (P == primitive::maximum || P == primitive::minimum) {
    if constexpr (is_batch && !is_integer) return keep_nan(a, P == primitive::maximum ? xsimd::max(a, b) : xsimd::min(a, b));
    else if constexpr (is_integer) return P == primitive::maximum ? X(choose(a < b, b, a)) : X(choose(b < a, b, a));
    else return a != a ? a : b != b ? b : P == primitive::maximum ? (a < b ? b : a) : (b < a ? b : a);
  } else if constexpr (P == primitive::divide && !is_integer) {
    if constexpr (is_batch) return quotient(a, b);
    else return a / b;
  } else if constexpr (P == primitive::bitwise_and || P == primitive::bitwise_or || P == primitive::bitwise_xor) {
    if constexpr (!is_integer) return a;
    else if constexpr (P == primitive::bitwise_and) return static_cast<X>(a & b);
    else if constexpr (P == primitive::bitwise_or) return static_cast<X>(a | b);
    else return static_cast<X>(a ^ b);
  } else if constexpr (is_batch) {
    if constexpr (P == primitive::power && !is_integer) return by_element([](T x, T y) { return std::pow(x, y); }, a, b);
    else if constexpr (P == primitive::atan2 && !is_integer) return by_element([](T x, T y) { return std::atan2(x, y); }, a, b);
    else if constexpr (P == primitive::hypot && !is_integer) return by_element([](T x, T y) { return std::hypot(x, y); }, a, b);
    else return by_element([](T x, T y) { return binary_value<P>(x, y); }, a, b);
  } else if constexpr (P == primitive::remainder) {
    return python_remainder(a, b);
  } else if constexpr (is_integer) {
    if constexpr (P == primitive::divide) return floor_divide(a, b);
    else if constexpr (P == primitive::power) return integer_power(a, b);
    else if constexpr (P == primitive::shift_left || P == primitive::shift_right) {
      using U = std::make_unsigned_t<T>;
      constexpr int bits = static_cast<int>(sizeof(T)) * 8;
      bool const too_far = static_cast<U>(b) >= static_cast<U>(bits);
      if constexpr (P == primitive::shift_left) return too_far ? T(0) : static_cast<T>(static_cast<U>(a) << b);
      else if constexpr (std::is_unsigned_v<T>) return too_far ? T(0) : static_cast<T>(a >> b);
      else return too_far ? static_cast<T>(a < 0 ? -1 : 0) : static_cast<T>(a >> b);
    } else return static_cast<T>(binary_value<P>(static_cast<double>(a), static_cast<double>(b)));
  } else {
    using std::pow, std::atan2, std::hypot;
    if constexpr (P == primitive::power) return pow(a, b);
    else if constexpr (P == primitive::atan2) return atan2(a, b);
    else if constexpr (P == primitive::hypot) return hypot(a, b);
    else return a;
  }
}

template <primitive P, class X>
DIMITY_INLINE auto comparison_value(X const& a, X const& b) {
  if constexpr (P == primitive::less) return a < b;
  else if constexpr (P == primitive::less_equal) return a <= b;
  else if constexpr (P == primitive::equal) return a == b;
  else return differs(a, b);
}

template <primitive P, class M>
DIMITY_INLINE M logical_value(M const& a, M const& b) {
  if constexpr (std::is_same_v<M, bool>) {
    if constexpr (P == primitive::bitwise_and || P == primitive::minimum || P == primitive::multiply) return a && b;
    else if constexpr (P == primitive::bitwise_or || P == primitive::maximum || P == primitive::add) return a || b;
    else if constexpr (P == primitive::equal) return a == b;
    else if constexpr (P == primitive::less) return !a && b;
    else if constexpr (P == primitive::less_equal) return !a || b;
    else return a != b;
  } else {
    if constexpr (P == primitive::bitwise_and || P == primitive::minimum || P == primitive::multiply) return a & b;
    else if constexpr (P == primitive::bitwise_or || P == primitive::maximum || P == primitive::add) return a | b;
    else if constexpr (P == primitive::less) return ~a & b;
    else if constexpr (P == primitive::less_equal) return ~a | b;
    // Spelled out: the exclusive or of xsimd 8.1's masks is an inclusive one on AVX-512.
    else if constexpr (P == primitive::equal) return (a & b) | ~(a | b);
    else return (a | b) & ~(a & b);
  }
}

template <primitive P, class X>
DIMITY_INLINE auto predicate_value(X const& a) {
  using T = typename element_of_part<X>::type;
  if constexpr (std::is_integral_v<T>) {
    // Of the form that comparing gives, whatever a is.
    if constexpr (P == primitive::isfinite) return a == a;
    else return a < a;
  } else if constexpr (P == primitive::isnan) return differs(a, a);
  else if constexpr (P == primitive::isinf) return unary_value<primitive::abs>(a) == X(std::numeric_limits<T>::infinity());
  else return unary_value<primitive::abs>(a) < X(std::numeric_limits<T>::infinity());
}

/// The element that changes nothing in a reduction.
template <primitive P, class T>
constexpr T reduction_identity() {
  using limits = std::numeric_limits<T>;
  if constexpr (is_dual<T>::value) {
    using V = decltype(T{}.value);
    return T(reduction_identity<P, V>());
  } else if constexpr (P == primitive::prod || P == primitive::all) return T(1);
  else if constexpr (P == primitive::max) return limits::has_infinity ? static_cast<T>(-limits::infinity()) : limits::lowest();
  else if constexpr (P == primitive::min) return limits::has_infinity ? limits::infinity() : limits::max();
  else return T(0);
}
constexpr primitive combiner_of(primitive reduction) {
  switch (reduction) {
    case primitive::sum: return primitive::add;
    case primitive::prod: return primitive::multiply;
    case primitive::max: return primitive::maximum;
    case primitive::min: return primitive::minimum;
    case primitive::any: return primitive::bitwise_or;
    default: return primitive::bitwise_and;
  }
}

}  // namespace DIMITY_NAMESPACE::detail
