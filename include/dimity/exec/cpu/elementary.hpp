// Elementary functions of native batches: exp, tanh and sigmoid, and of float erf and softplus too. Coefficients are tests/support/minimax.py's, which says how they were fitted.
//
// None of them branches: subnormal results, overflow, nan, infinities and the sign of zero come out of the same few operations for every lane.
#pragma once

#include <dimity/exec/cpu/simd.hpp>

#include <bit>
#include <cstdint>
#include <limits>
#include <type_traits>

namespace DIMITY_NAMESPACE::detail {

#if defined(__AVX512F__)
template <class X>
inline constexpr bool has_512_bits = sizeof(X) == 64;
#else
template <class X>
inline constexpr bool has_512_bits = false;
#endif

template <class X>
inline constexpr bool has_floats = std::is_same_v<typename X::value_type, float>;

#if defined(__FMA__) || defined(__AVX512F__) || defined(__aarch64__)
inline constexpr bool is_fused = true;
#else
inline constexpr bool is_fused = false;
#endif
/// a * b + c, in one rounding where the machine can. xsimd 8.1's is a product and a sum on AVX-512.
template <class X>
DIMITY_INLINE X multiply_add(X const& a, X const& b, X const& c) {
#if defined(__AVX512F__)
  if constexpr (has_512_bits<X> && has_floats<X>) return _mm512_fmadd_ps(a, b, c);
  else if constexpr (has_512_bits<X>) return _mm512_fmadd_pd(a, b, c);
  else
#endif
    return xsimd::fma(a, b, c);
}
/// Horner's rule; the coefficient of the highest power comes first.
template <class X, class... C>
DIMITY_INLINE X polynomial(X const& x, typename X::value_type highest, C... lower) {
  X sum(highest);
  ((sum = multiply_add(sum, x, X(lower))), ...);
  return sum;
}
/// The largest integer that is not above a * b, up to a few 2^-14, plus `shift`, a float so large that only integers are next to it.
template <class X>
DIMITY_INLINE X round_down_sum(X const& a, X const& b, X const& shift) {
#if defined(__AVX512F__)
  if constexpr (has_512_bits<X> && has_floats<X>) return _mm512_fmadd_round_ps(a, b, shift, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC);
  else if constexpr (has_512_bits<X>) return _mm512_fmadd_round_pd(a, b, shift, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC);
  else
#endif
    return multiply_add(a, b, X(typename X::value_type(-0.4999))) + shift;  // not -0.5: the sum would be a tie where a is 0, and go down
}
/// `size`, which is not negative, with the sign of x.
template <class X>
DIMITY_INLINE X with_sign(X const& size, X const& x) {
#if defined(__AVX512F__)
  if constexpr (has_512_bits<X> && has_floats<X>) return _mm512_castsi512_ps(_mm512_ternarylogic_epi32(_mm512_castps_si512(size), _mm512_castps_si512(x), _mm512_set1_epi32(INT32_MIN), 0xF8));
  else
#endif
    return size | (x & X(typename X::value_type(-0.0)));
}
/// a / b. xsimd 8.1's is an approximation on Arm, where 1 / 1 need not be 1.
template <class X>
DIMITY_INLINE X quotient(X const& a, X const& b) {
#if defined(__aarch64__)
  if constexpr (has_floats<X>) return vdivq_f32(a, b);
  else
#endif
    return a / b;
}
/// xsimd 8.1's is a product with an approximation on Arm, and loses the sign of zero.
template <class X>
DIMITY_INLINE X square_root(X const& a) {
#if defined(__aarch64__)
  if constexpr (has_floats<X>) return vsqrtq_f32(a);
  else
#endif
    return xsimd::sqrt(a);
}
/// Unsigned, because a signed shift to the right of 64 bits is no instruction before AVX-512.
template <class T, class A>
DIMITY_INLINE auto as_integers(xsimd::batch<T, A> const& x) {
  using I = xsimd::batch<std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>, A>;
  return I(std::bit_cast<typename I::register_type>(x.data));
}
template <class I, class A>
DIMITY_INLINE auto as_floats(xsimd::batch<I, A> const& x) {
  using X = xsimd::batch<std::conditional_t<sizeof(I) == 4, float, double>, A>;
  return X(std::bit_cast<typename X::register_type>(x.data));
}

/// Added to a small number it leaves it rounded to an integer, in the low bits of the sum; its own low bits are zeros.
template <class T>
inline constexpr T rounding_shift = sizeof(T) == 4 ? T(0x1.8p23) : T(0x1.8p52);
/// What the exponent's bits of 1 are.
template <class T>
inline constexpr int exponent_of_one = std::numeric_limits<T>::max_exponent - 1;
/// Where they begin.
template <class T>
inline constexpr int exponent_place = std::numeric_limits<T>::digits - 1;
inline constexpr double log2_of_e = 0x1.71547652b82fep+0;

/// p(r) = (e^r - 1 - r) / r^2
template <class X>
DIMITY_INLINE X exp_polynomial(X const& r) {
  if constexpr (has_floats<X>) return polynomial(r, 0x1.6b7a4ap-10f, 0x1.12306ap-7f, 0x1.55567ep-5f, 0x1.5554a2p-3f, 0.5f);
  else
    return polynomial(r, 0x1.ad21b21366cc8p-26, 0x1.289facd18dee1p-22, 0x1.71df54e0b21c0p-19, 0x1.a019ab115dcfep-16, 0x1.a01a011c118b0p-13, 0x1.6c16c17cca03cp-10,
                      0x1.111111112892ap-7, 0x1.55555555531f7p-5, 0x1.5555555555501p-3, 0.5);
}

/// e^x. x = n ln 2 + r with an integer n, e^r = 1 + r + r^2 p(r) for |r| <= ln 2 / 2, and the exponent takes n.
template <class X>
DIMITY_INLINE X exp_lanes(X x) {
  using T = typename X::value_type;
  constexpr bool wide = has_512_bits<X>, single = has_floats<X>;
  // 2^n below is the product of two powers of two, because n runs from -150 to 128, or -1076 to 1024.
  X const shift(wide ? rounding_shift<T> : rounding_shift<T> + 2 * exponent_of_one<T>), one(T(1));
  if constexpr (!wide) x = xsimd::max(X(single ? T(-104) : T(-746)), xsimd::min(X(single ? T(89) : T(710)), x));  // in this order x86 returns the nan
  X const t = multiply_add(x, X(static_cast<T>(log2_of_e)), shift), n = t - shift;
  X r = multiply_add(n, X(single ? T(-0x1.62e4p-1) : T(-0x1.62e42fefa2p-1)), x);  // 15 or 40 bits, so that the product is exact where n counts
  r = multiply_add(n, X(single ? T(-0x1.7f7d1cp-20) : T(-0x1.9ef35793c7673p-41)), r);
#if defined(__AVX512F__)
  // Far beyond the ends, and of infinities, r is not what it should be; scaling gives 0 and infinity all the same, if it is small and no nan.
#if defined(__AVX512DQ__)
  // The smaller magnitude, with the sign of r.
  if constexpr (wide && single) r = _mm512_range_ps(r, X(T(0.35)), 2);
  else if constexpr (wide) r = _mm512_range_pd(r, X(T(0.35)), 2);
#else
  if constexpr (wide && single) r = _mm512_max_ps(_mm512_min_ps(r, X(T(0.35))), X(T(-0.35)));
  else if constexpr (wide) r = _mm512_max_pd(_mm512_min_pd(r, X(T(0.35))), X(T(-0.35)));
#endif
#endif
  X p = exp_polynomial(r);
  if constexpr (is_fused) p = multiply_add(multiply_add(p, r, one), r, one);
  else p = multiply_add(X(p * r), r, r) + one;  // as many operations, and less is rounded next to 1
#if defined(__AVX512F__)
  if constexpr (wide && single) return _mm512_scalef_ps(p, n);
  else if constexpr (wide) return _mm512_scalef_pd(p, n);
  else
#endif
  {
    auto const i = as_integers(t), half = (i >> 1) << exponent_place<T>;
    return p * as_floats(half) * as_floats((i << exponent_place<T>) - half);
  }
}

/// 1 / (1 + e^-x), of e^-|x|, which does not overflow and keeps the digits of small results.
template <class X>
DIMITY_INLINE X sigmoid_lanes(X const& x) {
  using T = typename X::value_type;
  X const z = exp_lanes(X(-xsimd::abs(x))), one(T(1));
  return quotient(choose(x < X(T(0)), z, one), z + one);
}

/// |x| = n ln 2 / 2 + r with n = 0, 1, .. and 0 <= r < ln 2 / 2, tanh r = t = r + r^3 p(r^2), and c = tanh(n ln 2 / 2) = (2^n - 1) / (2^n + 1). The result is (t + c) / (1 + c t) = (d - 2 + 2 t) / d with
/// d = (2^n + 1) + (2^n - 1) t: the difference is exact, so that the error of d shrinks with 1 - |tanh|, and that of t with n.
template <class X>
DIMITY_INLINE X tanh_lanes(X const& x) {
  using T = typename X::value_type;
  constexpr bool single = has_floats<X>;
  X const shift(rounding_shift<T> + exponent_of_one<T>), one(T(1)), two(T(2));
  X const size = xsimd::min(X(single ? T(9.02) : T(19.1)), xsimd::abs(x));  // beyond, the result is 1; in this order x86 returns the nan
  X const sum = round_down_sum(size, X(static_cast<T>(2 * log2_of_e)), shift), n = sum - shift;
  X const power = as_floats(as_integers(sum) << exponent_place<T>);
  X r = multiply_add(n, X(single ? T(-0x1.62e430p-2) : T(-0x1.62e42fefa39efp-2)), size);
  if constexpr (!single) r = multiply_add(n, X(T(-0x1.abc9e3b39803fp-57)), r);  // 0.2 ulp; float's ln 2 happens to be near enough
  X const square = r * r;
  X p;
  if constexpr (single) p = polynomial(square, 0x1.3f13d8p-6f, -0x1.b830b4p-5f, 0x1.110c4cp-3f, -0x1.55554ep-2f);
  else
    p = polynomial(square, -0x1.8c125fc0d7c58p-13, 0x1.2f05438c45b76p-11, -0x1.7d35ca57d455bp-10, 0x1.d6cf510ddda0ep-9, -0x1.226e26cd75455p-7, 0x1.664f484a0f2b5p-6,
                   -0x1.ba1ba1b9a03b2p-5, 0x1.1111111110d0fp-3, -0x1.5555555555554p-2);
  X const t = multiply_add(X(p * square), r, r), d = multiply_add(t, power - one, power + one);
  return with_sign(quotient(multiply_add(t, two, d - two), d), x);
}

/// x + x p(x^2) for |x| < 7/8, else 1 - 2^w(|x|) with the sign of x; 2^w = 2^n 2^r with an integer n and |r| <= 1/2.
template <class X>
DIMITY_INLINE X erf_lanes(X const& x) {
  X const size = xsimd::min(X(3.92f), xsimd::abs(x));  // beyond, the result is 1 in float; in this order x86 returns the nan
  X const square = x * x;
  X const p = polynomial(square, -0x1.40d6aap-11f, 0x1.48b170p-8f, -0x1.b6c1d0p-6f, 0x1.ce1d70p-4f, -0x1.8126f2p-2f, 0x1.06eba6p-3f);
  X const w = polynomial(size, -0x1.e6912cp-10f, 0x1.76883ap-6f, -0x1.0f848ep-3f, -0x1.dfda1ap-1f, -0x1.9e0322p+0f, -0x1.3a2f76p-9f);
  X const shift(rounding_shift<float> + exponent_of_one<float>);
  X const sum = w + shift, r = w - (sum - shift), power = as_floats(as_integers(sum) << exponent_place<float>);
  X const minus_two_to_r = polynomial(r, -0x1.5f3d98p-10f, -0x1.3d3cacp-7f, -0x1.c6af1cp-5f, -0x1.ebf850p-3f, -0x1.62e430p-1f, -0x1.000002p+0f);
  return choose(size < X(0.875f), multiply_add(p, x, x), with_sign(multiply_add(minus_two_to_r, power, X(1.0f)), x));
}

/// max(x, 0) + log(1 + z) of z = e^-|x|, with log(1 + z) = z + z^2 p(z).
template <class X>
DIMITY_INLINE X softplus_lanes(X const& x) {
  X const z = exp_lanes(X(-xsimd::abs(x)));
  X const p = polynomial(z, -0x1.b1915ep-9f, 0x1.4a3d72p-6f, -0x1.d7a27ap-5f, 0x1.b516e6p-4f, -0x1.3a5ce8p-3f, 0x1.935236p-3f, -0x1.ff24d4p-3f, 0x1.554dd6p-2f, -0x1.ffffd2p-2f);
  return multiply_add(X(p * z), z, z) + xsimd::max(X(0.0f), x);  // in this order x86 returns the nan
}

}  // namespace DIMITY_NAMESPACE::detail
