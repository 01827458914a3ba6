// The step that all products are made of, sum + a * b, in the forms that machines have for small types: several neighbouring terms are multiplied and added up in each lane at once.
#pragma once

#include <dimity/exec/cpu/simd.hpp>

#include <cstdint>
#include <cstring>
#include <type_traits>

namespace DIMITY_NAMESPACE::detail::mm {

template <class T>
using batch = native_batch<T>;

template <class T>
inline constexpr int lanes = static_cast<int>(batch<T>::size);

// GCC and Clang vectors, used only where xsimd 8.1 has no compile-time shuffle.
template <class T, int N>
struct raw_vector {
  using type [[gnu::vector_size(N * sizeof(T))]] = T;
};
template <class T, int N = lanes<T>>
using raw = typename raw_vector<T, N>::type;

template <class T>
[[gnu::always_inline]] inline raw<T> to_raw(batch<T> v) {
  return (raw<T>)(typename batch<T>::register_type)(v);
}
template <class T>
[[gnu::always_inline]] inline batch<T> from_raw(raw<T> v) {
  return batch<T>((typename batch<T>::register_type)(v));
}

/// Terms of a sum, successive k of one row or column, that lie in one element of 32 bits.
enum class term_kind : signed char { one, bfloat16_pair, int16_pair, bytes };

/// The element type of kernels is float for pairs of bfloat16 and std::uint32_t for the others. x86 multiplies bytes without a sign by bytes with one (VNNI), ARM bytes of one kind: where a problem's are not so, one operand is read
/// with its uppermost bits flipped, which adds 128 to bytes with a sign and takes it from the others, and 128 times the other operand's terms is taken from the sums, or added, afterwards.
struct term_group {
  term_kind kind = term_kind::one;
  bool left_signed = true, right_signed = true;  ///< bytes as they are multiplied
  bool flips_left = false, flips_right = false;
  bool operator==(term_group const&) const = default;
};
constexpr term_group swapped(term_group g) { return {g.kind, g.right_signed, g.left_signed, g.flips_right, g.flips_left}; }

#if defined(__AVX512BF16__)
inline constexpr bool multiplies_bfloat16 = true;
#else
inline constexpr bool multiplies_bfloat16 = false;
#endif
#if defined(__AVX512VNNI__) && defined(__AVX512BW__)
#define DIMITY_BYTE_PRODUCTS 512
#elif defined(__AVXVNNI__) && defined(__AVX2__) && !defined(__AVX512F__)
#define DIMITY_BYTE_PRODUCTS 256
#elif defined(__ARM_FEATURE_DOTPROD) && defined(__aarch64__) && !defined(__ARM_FEATURE_SVE)
#define DIMITY_BYTE_PRODUCTS 128
#else
#define DIMITY_BYTE_PRODUCTS 0
#endif
inline constexpr bool multiplies_bytes = DIMITY_BYTE_PRODUCTS != 0;
inline constexpr bool wants_equal_signs = DIMITY_BYTE_PRODUCTS == 128;
#if (defined(__SSE2__) && !defined(__AVX512F__)) || defined(__AVX512BW__)
inline constexpr bool multiplies_int16 = true;
#else
inline constexpr bool multiplies_int16 = false;
#endif

template <bool Flips, class T>
[[gnu::always_inline]] inline batch<T> flipped(batch<T> const& v) {
  if constexpr (Flips) return v ^ batch<T>(T{0x80808080u});
  else return v;
}

/// sum + a * b of unsigned integers, modulo their range.
template <class T>
[[gnu::always_inline]] inline batch<T> add_integer_product(batch<T> const& a, batch<T> const& b, batch<T> const& sum) {
#if defined(__CUDACC__)
  return a * b + sum;
#else
  return from_raw<T>(to_raw<T>(a) * to_raw<T>(b) + to_raw<T>(sum));
#endif
}
#if DIMITY_BYTE_PRODUCTS == 512
using byte_register = __m512i;
#define DIMITY_VNNI_PREFIX
#elif DIMITY_BYTE_PRODUCTS == 256
using byte_register = __m256i;
#define DIMITY_VNNI_PREFIX "%{vex%} "
#endif
#if DIMITY_BYTE_PRODUCTS >= 256
/// sum + x * y of bytes without (x) and with signs (y), and of int16. As text for g++, which of the functions for them makes tiles that leave the registers at every step (g++ 12; a third of the speed).
[[gnu::always_inline]] inline byte_register vnni_bytes(byte_register sum, byte_register x, byte_register y) {
#if defined(__clang__) && DIMITY_BYTE_PRODUCTS == 512
  return _mm512_dpbusd_epi32(sum, x, y);
#elif defined(__clang__)
  return _mm256_dpbusd_avx_epi32(sum, x, y);
#else
  __asm__(DIMITY_VNNI_PREFIX "vpdpbusd {%2, %1, %0|%0, %1, %2}" : "+v"(sum) : "v"(x), "v"(y));
  return sum;
#endif
}
[[gnu::always_inline]] inline byte_register vnni_int16(byte_register sum, byte_register x, byte_register y) {
#if defined(__clang__) && DIMITY_BYTE_PRODUCTS == 512
  return _mm512_dpwssd_epi32(sum, x, y);
#elif defined(__clang__)
  return _mm256_dpwssd_avx_epi32(sum, x, y);
#else
  __asm__(DIMITY_VNNI_PREFIX "vpdpwssd {%2, %1, %0|%0, %1, %2}" : "+v"(sum) : "v"(x), "v"(y));
  return sum;
#endif
}
#endif
template <term_group Group>
[[gnu::always_inline]] inline batch<std::uint32_t> add_byte_products([[maybe_unused]] batch<std::uint32_t> const& a, [[maybe_unused]] batch<std::uint32_t> const& b, batch<std::uint32_t> const& sum) {
  // In terms of Group: nvcc refuses an assertion that fails whatever Group is, although nothing calls this.
  static_assert(Group.kind != term_kind::bytes || (multiplies_bytes && (Group.left_signed == Group.right_signed) == wants_equal_signs));
#if DIMITY_BYTE_PRODUCTS >= 256
  if constexpr (Group.left_signed) return vnni_bytes(sum.data, b.data, a.data);
  else return vnni_bytes(sum.data, a.data, b.data);
#elif DIMITY_BYTE_PRODUCTS == 128
  if constexpr (Group.left_signed) return vreinterpretq_u32_s32(vdotq_s32(vreinterpretq_s32_u32(sum.data), vreinterpretq_s8_u32(a.data), vreinterpretq_s8_u32(b.data)));
  else return vdotq_u32(sum.data, vreinterpretq_u8_u32(a.data), vreinterpretq_u8_u32(b.data));
#else
  return sum;
#endif
}
[[gnu::always_inline]] inline batch<std::uint32_t> add_int16_products([[maybe_unused]] batch<std::uint32_t> const& a, [[maybe_unused]] batch<std::uint32_t> const& b, batch<std::uint32_t> const& sum) {
#if DIMITY_BYTE_PRODUCTS >= 256
  return vnni_int16(sum.data, a.data, b.data);
#elif defined(__AVX512BW__)
  return _mm512_add_epi32(sum.data, _mm512_madd_epi16(a.data, b.data));
#elif defined(__AVX2__)
  return _mm256_add_epi32(sum.data, _mm256_madd_epi16(a.data, b.data));
#elif defined(__SSE2__)
  return _mm_add_epi32(sum.data, _mm_madd_epi16(a.data, b.data));
#else
  return sum;
#endif
}

/// sum + a * b; of groups, in each lane the sum of the products of their terms. Operands that are to be flipped are flipped already.
template <term_group Group, class T>
[[gnu::always_inline]] inline batch<T> accumulated(batch<T> const& a, batch<T> const& b, batch<T> const& sum) {
  if constexpr (Group.kind == term_kind::bytes) {
    return add_byte_products<Group>(a, b, sum);
  } else if constexpr (Group.kind == term_kind::int16_pair) {
    static_assert(multiplies_int16 || Group.kind != term_kind::int16_pair);
    return add_int16_products(a, b, sum);
#if defined(__AVX512BF16__)
  } else if constexpr (Group.kind == term_kind::bfloat16_pair) {
    return _mm512_dpbf16_ps(sum.data, __builtin_bit_cast(__m512bh, a.data), __builtin_bit_cast(__m512bh, b.data));
#endif
  } else if constexpr (std::is_integral_v<T>) {
    return add_integer_product<T>(a, b, sum);
  } else {
    static_assert(Group.kind == term_kind::one);
    return fma(a, b, sum);
  }
}

}  // namespace DIMITY_NAMESPACE::detail::mm
