// Elementary functions of native batches of float. Coefficients are tests/support/minimax.py's, which says how they were fitted.
//
// None of them branches: subnormal results, overflow, nan, infinities and the sign of zero come out of the same few operations for every lane.
#pragma once

#include <dimity/exec/cpu/simd.hpp>

#include <bit>
#include <cstdint>

namespace dimity::detail {

#if defined(__AVX512F__)
template <class X>
inline constexpr bool has_512_bits = sizeof(X) == 64;
#else
template <class X>
inline constexpr bool has_512_bits = false;
#endif

#if defined(__FMA__) || defined(__AVX512F__) || defined(__aarch64__)
inline constexpr bool is_fused = true;
#else
inline constexpr bool is_fused = false;
#endif
/// a * b + c, in one rounding where the machine can. xsimd 8.1's is a product and a sum on AVX-512.
template <class X>
DIMITY_INLINE X multiply_add(X const& a, X const& b, X const& c) {
#if defined(__AVX512F__)
  if constexpr (has_512_bits<X>) return _mm512_fmadd_ps(a, b, c);
  else
#endif
    return xsimd::fma(a, b, c);
}
/// The largest integer that is not above a * b, up to a few 2^-14, plus `shift`, a float so large that only integers are next to it.
template <class X>
DIMITY_INLINE X round_down_sum(X const& a, X const& b, X const& shift) {
#if defined(__AVX512F__)
  if constexpr (has_512_bits<X>) return _mm512_fmadd_round_ps(a, b, shift, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC);
  else
#endif
    return multiply_add(a, b, X(-0.4999f)) + shift;  // not -0.5: the sum would be a tie where a is 0, and go down
}
/// `size`, which is not negative, with the sign of x.
template <class X>
DIMITY_INLINE X with_sign(X const& size, X const& x) {
#if defined(__AVX512F__)
  if constexpr (has_512_bits<X>) return _mm512_castsi512_ps(_mm512_ternarylogic_epi32(_mm512_castps_si512(size), _mm512_castps_si512(x), _mm512_set1_epi32(INT32_MIN), 0xF8));
  else
#endif
    return size | (x & X(-0.0f));
}
/// a / b. xsimd 8.1's is an approximation on Arm, where 1 / 1 need not be 1.
template <class X>
DIMITY_INLINE X quotient(X const& a, X const& b) {
#if defined(__aarch64__)
  if constexpr (std::is_same_v<typename X::value_type, float>) return vdivq_f32(a, b);
  else
#endif
    return a / b;
}
template <class A>
DIMITY_INLINE auto as_integers(xsimd::batch<float, A> const& x) {
  using I = xsimd::batch<std::int32_t, A>;
  return I(std::bit_cast<typename I::register_type>(x.data));
}
template <class A>
DIMITY_INLINE auto as_floats(xsimd::batch<std::int32_t, A> const& x) {
  using X = xsimd::batch<float, A>;
  return X(std::bit_cast<typename X::register_type>(x.data));
}

/// Added to a small number it leaves it rounded to an integer, in the low bits of the sum; its own low bits are zeros.
inline constexpr float rounding_shift = 0x1.8p23f;
inline constexpr float log2_of_e = 0x1.715476p+0f;

/// e^x. x = n ln 2 + r with an integer n, e^r = 1 + r + r^2 p(r) for |r| <= ln 2 / 2, and the exponent takes n.
template <class X>
DIMITY_INLINE X exp_lanes(X x) {
  constexpr bool wide = has_512_bits<X>;
  // Of 2^n below, biased: the product of two powers of two, because n runs from -150 to 128.
  X const shift(wide ? rounding_shift : rounding_shift + 254);
  if constexpr (!wide) x = xsimd::max(X(-104.0f), xsimd::min(X(89.0f), x));  // in this order x86 returns the nan
  X const t = multiply_add(x, X(log2_of_e), shift), n = t - shift;
  X r = multiply_add(n, X(-0x1.62e4p-1f), x);  // 15 bits, so that the product is exact where n counts
  r = multiply_add(n, X(-0x1.7f7d1cp-20f), r);
#if defined(__AVX512F__)
  // Far beyond the ends, and of infinities, r is not what it should be; scaling gives 0 and infinity all the same, if it is small and no nan.
  if constexpr (wide) {
#if defined(__AVX512DQ__)
    r = _mm512_range_ps(r, X(0.35f), 2);  // the smaller magnitude, with the sign of r
#else
    r = _mm512_max_ps(_mm512_min_ps(r, X(0.35f)), X(-0.35f));
#endif
  }
#endif
  X p = multiply_add(r, X(0x1.6b7a4ap-10f), X(0x1.12306ap-7f));
  p = multiply_add(p, r, X(0x1.55567ep-5f));
  p = multiply_add(p, r, X(0x1.5554a2p-3f));
  p = multiply_add(p, r, X(0.5f));
  if constexpr (is_fused) p = multiply_add(multiply_add(p, r, X(1.0f)), r, X(1.0f));
  else p = multiply_add(X(p * r), r, r) + X(1.0f);  // as many operations, and less is rounded next to 1
#if defined(__AVX512F__)
  if constexpr (wide) return _mm512_scalef_ps(p, n);
  else
#endif
  {
    auto const i = as_integers(t), half = (i >> 1) << 23;
    return p * as_floats(half) * as_floats((i << 23) - half);
  }
}

/// 1 / (1 + e^-x), of e^-|x|, which does not overflow and keeps the digits of small results.
template <class X>
DIMITY_INLINE X sigmoid_lanes(X const& x) {
  X const z = exp_lanes(X(-xsimd::abs(x)));
  return quotient(choose(x < X(0.0f), z, X(1.0f)), X(z + X(1.0f)));
}

/// |x| = n ln 2 / 2 + r with n = 0, 1, .. and 0 <= r < ln 2 / 2, tanh r = t = r + r^3 p(r^2), and c = tanh(n ln 2 / 2) = (2^n - 1) / (2^n + 1). The result is (t + c) / (1 + c t) = (d - 2 + 2 t) / d with
/// d = (2^n + 1) + (2^n - 1) t: the difference is exact, so that the error of d shrinks with 1 - |tanh|, and that of t with n.
template <class X>
DIMITY_INLINE X tanh_lanes(X const& x) {
  X const shift(rounding_shift + 127);  // 127 is 2^0's exponent
  X const size = xsimd::min(X(9.02f), xsimd::abs(x));  // beyond, the result is 1 in float; in this order x86 returns the nan
  X const sum = round_down_sum(size, X(2 * log2_of_e), shift), n = sum - shift;
  X const power = as_floats(as_integers(sum) << 23);
  X const r = multiply_add(n, X(-0x1.62e430p-2f), size);  // n is small enough for ln 2 of 24 bits
  X const square = r * r;
  X p = multiply_add(square, X(0x1.3f13d8p-6f), X(-0x1.b830b4p-5f));
  p = multiply_add(p, square, X(0x1.110c4cp-3f));
  p = multiply_add(p, square, X(-0x1.55554ep-2f));
  X const t = multiply_add(X(p * square), r, r), d = multiply_add(t, power - X(1.0f), power + X(1.0f));
  return with_sign(quotient(multiply_add(t, X(2.0f), d - X(2.0f)), d), x);
}

/// x + x p(x^2) for |x| < 7/8, else 1 - 2^w(|x|) with the sign of x; 2^w = 2^n 2^r with an integer n and |r| <= 1/2.
template <class X>
DIMITY_INLINE X erf_lanes(X const& x) {
  X const size = xsimd::min(X(3.92f), xsimd::abs(x));  // beyond, the result is 1 in float; in this order x86 returns the nan
  X const square = x * x;
  X p = multiply_add(square, X(-0x1.40d6aap-11f), X(0x1.48b170p-8f));
  X w = multiply_add(size, X(-0x1.e6912cp-10f), X(0x1.76883ap-6f));
  p = multiply_add(p, square, X(-0x1.b6c1d0p-6f));
  w = multiply_add(w, size, X(-0x1.0f848ep-3f));
  p = multiply_add(p, square, X(0x1.ce1d70p-4f));
  w = multiply_add(w, size, X(-0x1.dfda1ap-1f));
  p = multiply_add(p, square, X(-0x1.8126f2p-2f));
  w = multiply_add(w, size, X(-0x1.9e0322p+0f));
  p = multiply_add(p, square, X(0x1.06eba6p-3f));
  w = multiply_add(w, size, X(-0x1.3a2f76p-9f));
  X const shift(rounding_shift + 127);  // 127 is 2^0's exponent
  X const sum = w + shift, r = w - (sum - shift), power = as_floats(as_integers(sum) << 23);
  X minus_two_to_r = multiply_add(r, X(-0x1.5f3d98p-10f), X(-0x1.3d3cacp-7f));
  minus_two_to_r = multiply_add(minus_two_to_r, r, X(-0x1.c6af1cp-5f));
  minus_two_to_r = multiply_add(minus_two_to_r, r, X(-0x1.ebf850p-3f));
  minus_two_to_r = multiply_add(minus_two_to_r, r, X(-0x1.62e430p-1f));
  minus_two_to_r = multiply_add(minus_two_to_r, r, X(-0x1.000002p+0f));
  return choose(size < X(0.875f), multiply_add(p, x, x), with_sign(multiply_add(minus_two_to_r, power, X(1.0f)), x));
}

/// max(x, 0) + log(1 + z) of z = e^-|x|, with log(1 + z) = z + z^2 p(z).
template <class X>
DIMITY_INLINE X softplus_lanes(X const& x) {
  X const z = exp_lanes(X(-xsimd::abs(x)));
  X p = multiply_add(z, X(-0x1.b1915ep-9f), X(0x1.4a3d72p-6f));
  p = multiply_add(p, z, X(-0x1.d7a27ap-5f));
  p = multiply_add(p, z, X(0x1.b516e6p-4f));
  p = multiply_add(p, z, X(-0x1.3a5ce8p-3f));
  p = multiply_add(p, z, X(0x1.935236p-3f));
  p = multiply_add(p, z, X(-0x1.ff24d4p-3f));
  p = multiply_add(p, z, X(0x1.554dd6p-2f));
  p = multiply_add(p, z, X(-0x1.ffffd2p-2f));
  return multiply_add(X(p * z), z, z) + xsimd::max(X(0.0f), x);  // in this order x86 returns the nan
}

}  // namespace dimity::detail
