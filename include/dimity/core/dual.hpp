// Dual numbers: forward-mode differentiation of any generic scalar code.
#pragma once

#include <cmath>
#include <type_traits>

#include <dimity/core/config.hpp>

namespace DIMITY_NAMESPACE {

/// value + tangent * e with e * e = 0. Seed the tangent with 1 to read a derivative off the result's tangent.
/// Comparisons look at the value only. T is float, double or another dual (higher derivatives).
template <class T>
struct dual {
  T value{};
  T tangent{};

  constexpr dual() = default;
  constexpr dual(T v, T t = T{}) : value(v), tangent(t) {}
  template <class U>
    requires(std::is_arithmetic_v<U> && !std::is_same_v<U, T>)
  constexpr dual(U v) : value(static_cast<T>(v)) {}

  constexpr dual& operator+=(dual const& b) { return *this = *this + b; }
  constexpr dual& operator-=(dual const& b) { return *this = *this - b; }
  constexpr dual& operator*=(dual const& b) { return *this = *this * b; }
  constexpr dual& operator/=(dual const& b) { return *this = *this / b; }

  friend constexpr dual operator+(dual const& a) { return a; }
  friend constexpr dual operator-(dual const& a) { return {-a.value, -a.tangent}; }
  friend constexpr dual operator+(dual const& a, dual const& b) { return {a.value + b.value, a.tangent + b.tangent}; }
  friend constexpr dual operator-(dual const& a, dual const& b) { return {a.value - b.value, a.tangent - b.tangent}; }
  friend constexpr dual operator*(dual const& a, dual const& b) { return {a.value * b.value, a.tangent * b.value + a.value * b.tangent}; }
  friend constexpr dual operator/(dual const& a, dual const& b) {
    T const q = a.value / b.value;
    return {q, (a.tangent - q * b.tangent) / b.value};
  }
  friend constexpr bool operator==(dual const& a, dual const& b) { return a.value == b.value; }
  friend constexpr bool operator<(dual const& a, dual const& b) { return a.value < b.value; }
  friend constexpr bool operator>(dual const& a, dual const& b) { return b < a; }
  friend constexpr bool operator<=(dual const& a, dual const& b) { return a.value <= b.value; }
  friend constexpr bool operator>=(dual const& a, dual const& b) { return b <= a; }
};

template <class T>
struct is_dual : std::false_type {};
template <class T>
struct is_dual<dual<T>> : std::true_type {};

// Each function below is found by argument-dependent lookup; `using std::...` makes the nested call work for T = double and T = dual<...>.
// Derivatives: Abramowitz & Stegun, chapters 4 and 7.

template <class T>
dual<T> exp(dual<T> const& a) { using std::exp; T const y = exp(a.value); return {y, a.tangent * y}; }
template <class T>
dual<T> exp2(dual<T> const& a) { using std::exp2; T const y = exp2(a.value); return {y, a.tangent * y * T(0.693147180559945309417)}; }
template <class T>
dual<T> expm1(dual<T> const& a) { using std::expm1; T const y = expm1(a.value); return {y, a.tangent * (y + T(1))}; }
template <class T>
dual<T> log(dual<T> const& a) { using std::log; return {log(a.value), a.tangent / a.value}; }
template <class T>
dual<T> log2(dual<T> const& a) { using std::log2; return {log2(a.value), a.tangent / (a.value * T(0.693147180559945309417))}; }
template <class T>
dual<T> log10(dual<T> const& a) { using std::log10; return {log10(a.value), a.tangent / (a.value * T(2.302585092994045684018))}; }
template <class T>
dual<T> log1p(dual<T> const& a) { using std::log1p; return {log1p(a.value), a.tangent / (T(1) + a.value)}; }
template <class T>
dual<T> sqrt(dual<T> const& a) { using std::sqrt; T const y = sqrt(a.value); return {y, a.tangent / (y + y)}; }
template <class T>
dual<T> cbrt(dual<T> const& a) { using std::cbrt; T const y = cbrt(a.value); return {y, a.tangent / (T(3) * y * y)}; }
template <class T>
dual<T> sin(dual<T> const& a) { using std::sin; using std::cos; return {sin(a.value), a.tangent * cos(a.value)}; }
template <class T>
dual<T> cos(dual<T> const& a) { using std::sin; using std::cos; return {cos(a.value), -a.tangent * sin(a.value)}; }
template <class T>
dual<T> tan(dual<T> const& a) { using std::tan; T const y = tan(a.value); return {y, a.tangent * (T(1) + y * y)}; }
template <class T>
dual<T> asin(dual<T> const& a) { using std::asin; using std::sqrt; return {asin(a.value), a.tangent / sqrt(T(1) - a.value * a.value)}; }
template <class T>
dual<T> acos(dual<T> const& a) { using std::acos; using std::sqrt; return {acos(a.value), -a.tangent / sqrt(T(1) - a.value * a.value)}; }
template <class T>
dual<T> atan(dual<T> const& a) { using std::atan; return {atan(a.value), a.tangent / (T(1) + a.value * a.value)}; }
template <class T>
dual<T> sinh(dual<T> const& a) { using std::sinh; using std::cosh; return {sinh(a.value), a.tangent * cosh(a.value)}; }
template <class T>
dual<T> cosh(dual<T> const& a) { using std::sinh; using std::cosh; return {cosh(a.value), a.tangent * sinh(a.value)}; }
template <class T>
dual<T> tanh(dual<T> const& a) { using std::tanh; T const y = tanh(a.value); return {y, a.tangent * (T(1) - y * y)}; }
template <class T>
dual<T> asinh(dual<T> const& a) { using std::asinh; using std::sqrt; return {asinh(a.value), a.tangent / sqrt(a.value * a.value + T(1))}; }
template <class T>
dual<T> acosh(dual<T> const& a) { using std::acosh; using std::sqrt; return {acosh(a.value), a.tangent / sqrt(a.value * a.value - T(1))}; }
template <class T>
dual<T> atanh(dual<T> const& a) { using std::atanh; return {atanh(a.value), a.tangent / (T(1) - a.value * a.value)}; }
template <class T>
dual<T> erf(dual<T> const& a) {
  using std::erf; using std::exp;
  return {erf(a.value), a.tangent * T(1.128379167095512573896) * exp(-a.value * a.value)};
}
template <class T>
dual<T> erfc(dual<T> const& a) {
  using std::erfc; using std::exp;
  return {erfc(a.value), -a.tangent * T(1.128379167095512573896) * exp(-a.value * a.value)};
}
template <class T>
dual<T> abs(dual<T> const& a) { return a.value < T(0) ? -a : a; }
template <class T>
dual<T> fabs(dual<T> const& a) { return abs(a); }
template <class T>
dual<T> floor(dual<T> const& a) { using std::floor; return {floor(a.value)}; }
template <class T>
dual<T> ceil(dual<T> const& a) { using std::ceil; return {ceil(a.value)}; }
template <class T>
dual<T> trunc(dual<T> const& a) { using std::trunc; return {trunc(a.value)}; }
template <class T>
dual<T> nearbyint(dual<T> const& a) { using std::nearbyint; return {nearbyint(a.value)}; }
template <class T>
bool isnan(dual<T> const& a) { using std::isnan; return isnan(a.value); }
template <class T>
bool isinf(dual<T> const& a) { using std::isinf; return isinf(a.value); }
template <class T>
bool isfinite(dual<T> const& a) { using std::isfinite; return isfinite(a.value); }
template <class T>
dual<T> pow(dual<T> const& a, dual<T> const& b) {
  using std::pow; using std::log;
  T const y = pow(a.value, b.value);
  // log(a) may be -inf or nan where the exponent carries no tangent, and inf * 0 must not reach the result.
  T tangent = a.tangent * b.value * pow(a.value, b.value - T(1));
  if (!(b.tangent == T(0))) tangent = tangent + b.tangent * y * log(a.value);
  return {y, tangent};
}
template <class T, class U>
  requires std::is_arithmetic_v<U>
dual<T> pow(dual<T> const& a, U b) { return pow(a, dual<T>(static_cast<T>(b))); }
template <class T, class U>
  requires std::is_arithmetic_v<U>
dual<T> pow(U a, dual<T> const& b) { return pow(dual<T>(static_cast<T>(a)), b); }
template <class T>
dual<T> atan2(dual<T> const& y, dual<T> const& x) {
  using std::atan2;
  T const r2 = x.value * x.value + y.value * y.value;
  return {atan2(y.value, x.value), (y.tangent * x.value - x.tangent * y.value) / r2};
}
template <class T>
dual<T> hypot(dual<T> const& a, dual<T> const& b) {
  using std::hypot;
  T const y = hypot(a.value, b.value);
  return {y, (a.tangent * a.value + b.tangent * b.value) / y};
}
template <class T>
dual<T> fmod(dual<T> const& a, dual<T> const& b) {
  using std::fmod; using std::trunc;
  return {fmod(a.value, b.value), a.tangent - b.tangent * trunc(a.value / b.value)};
}

}  // namespace DIMITY_NAMESPACE
