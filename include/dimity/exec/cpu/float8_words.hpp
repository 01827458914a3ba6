// Vectors of the bits of 16- and 8-bit floats, and conversion of the 8-bit ones to and from the bits of floats.
#pragma once

#include <dimity/exec/cpu/simd.hpp>

#include <cstdint>
#include <cstring>

namespace DIMITY_NAMESPACE::detail {

#if defined(__CUDACC__)
template <class Word, int W>
struct storage_words {
  struct alignas(W % 4 == 0 ? 4 * sizeof(Word) : sizeof(Word)) type {
    Word word[W];
  };
};
#else
/// The compilers' own vectors: each instruction set has its instructions for widening and narrowing them.
template <class Word, int W>
struct storage_words {
  typedef Word type __attribute__((vector_size(sizeof(Word) * W)));
};
#endif
template <class Word>
struct storage_words<Word, 1> {
  using type = Word;
};
template <class T>
using word_of = decltype(T::bits);

#if !defined(__CUDACC__)
template <int W>
struct float_words {
  typedef std::uint32_t type __attribute__((vector_size(4 * W)));
  typedef float value __attribute__((vector_size(4 * W)));
};
template <int W>
using byte_words = typename storage_words<std::uint8_t, W>::type;

/// W bytes as words.
template <int W>
DIMITY_INLINE void widen_bytes(byte_words<W> const& x, typename float_words<W>::type& out) {
  using words = typename float_words<W>::type;
#if defined(__AVX512F__)
  if constexpr (W == 16) out = reinterpret_cast<words>(_mm512_cvtepu8_epi32(reinterpret_cast<__m128i>(x)));
  else
#endif
    out = __builtin_convertvector(x, words);
}
template <int W>
DIMITY_INLINE void narrow_bytes(typename float_words<W>::type const& x, byte_words<W>& out) {
  using bytes = byte_words<W>;
#if defined(__AVX512F__)
  if constexpr (W == 16) out = reinterpret_cast<bytes>(_mm512_cvtepi32_epi8(reinterpret_cast<__m512i>(x)));
  else
#endif
    out = __builtin_convertvector(x, bytes);
}
/// As float8_e4m3fn_value(). By way of float16, where the machine has it: the same exponent and fraction there are 2^8 too small, also of subnormal numbers.
template <int W>
DIMITY_INLINE void widen_words(float8_e4m3fn, byte_words<W> const& x, typename float_words<W>::type& out) {
  using words = typename float_words<W>::type;
  using values = typename float_words<W>::value;
#if defined(__AVX512F__) && defined(__AVX512BW__) && defined(__AVX512VL__)
  if constexpr (W == 16) {
    auto const bytes = reinterpret_cast<__m128i>(x);
    // The sign comes in twice, and stays in the upper place.
    __m256i const half = _mm256_and_si256(_mm256_slli_epi16(_mm256_cvtepi8_epi16(bytes), 7), _mm256_set1_epi16(static_cast<short>(0xbf80)));
    __mmask16 const nan = _mm_cmpeq_epi8_mask(_mm_or_si128(bytes, _mm_set1_epi8(static_cast<char>(0x80))), _mm_set1_epi8(-1));
    __m512i const value = _mm512_castps_si512(_mm512_mul_ps(_mm512_cvtph_ps(half), _mm512_set1_ps(256.0f)));
    out = reinterpret_cast<words>(_mm512_mask_or_epi32(value, nan, value, _mm512_set1_epi32(0x7fc00000)));
    return;
  }
#endif
#if defined(__AVX2__) && defined(__F16C__)
  if constexpr (W == 8) {
    std::int64_t eight;
    std::memcpy(&eight, &x, 8);
    __m128i const half = _mm_and_si128(_mm_slli_epi16(_mm_cvtepi8_epi16(_mm_cvtsi64_si128(eight)), 7), _mm_set1_epi16(static_cast<short>(0xbf80)));
    __m128i const nan = _mm_cmpeq_epi16(_mm_or_si128(half, _mm_set1_epi16(static_cast<short>(0x8000))), _mm_set1_epi16(static_cast<short>(0xbf80)));
    __m256 const value = _mm256_mul_ps(_mm256_cvtph_ps(half), _mm256_set1_ps(256.0f));
    out = reinterpret_cast<words>(_mm256_or_si256(_mm256_castps_si256(value), _mm256_and_si256(_mm256_cvtepi16_epi32(nan), _mm256_set1_epi32(0x7fc00000))));
    return;
  }
#endif
  words w;
  widen_bytes<W>(x, w);
  words const size = w & 0x7fu, near = size + 0x46800000u;
  values const small = reinterpret_cast<values>(near) - 0x1p14f;
  words const finite = size < 8u ? reinterpret_cast<words>(small) : (size << 20) + 0x3c000000u;
  out = (size == 0x7fu ? words{} + 0x7fc00000u : finite) | ((w & 0x80u) << 24);
}
/// As float8_e4m3fn_bits().
template <int W>
DIMITY_INLINE void narrow_words(float8_e4m3fn, typename float_words<W>::type const& u, byte_words<W>& out) {
  using words = typename float_words<W>::type;
  using values = typename float_words<W>::value;
  words const sign = (u >> 24) & 0x80u, size = u & 0x7fffffffu;
  words const small = reinterpret_cast<words>(reinterpret_cast<values>(size) + 0x1p14f) - 0x46800000u;
  words const normal = (size - 0x3c000000u + 0x7ffffu + ((size >> 20) & 1u)) >> 20;
  words result = size < 0x3c800000u ? small : normal;
  result = size > 0x43e80000u ? words{} + 0x7fu : result;
  narrow_bytes<W>(sign | result, out);
}
/// As float8_e5m2_value(): the upper halves of float16's.
template <int W>
DIMITY_INLINE void widen_words(float8_e5m2, byte_words<W> const& x, typename float_words<W>::type& out) {
  using words = typename float_words<W>::type;
  using values = typename float_words<W>::value;
#if defined(__AVX512F__)
  if constexpr (W == 16) {
    out = reinterpret_cast<words>(_mm512_cvtph_ps(_mm256_slli_epi16(_mm256_cvtepu8_epi16(reinterpret_cast<__m128i>(x)), 8)));
    return;
  }
#endif
#if defined(__AVX2__) && defined(__F16C__)
  if constexpr (W == 8) {
    std::int64_t eight;
    std::memcpy(&eight, &x, 8);
    out = reinterpret_cast<words>(_mm256_cvtph_ps(_mm_slli_epi16(_mm_cvtepu8_epi16(_mm_cvtsi64_si128(eight)), 8)));
    return;
  }
#endif
  words w;
  widen_bytes<W>(x, w);
  words const size = w & 0x7fu, near = size + 0x43000000u;
  values const small = reinterpret_cast<values>(near) - 0x1p7f;
  words const finite = size < 4u ? reinterpret_cast<words>(small) : (size << 21) + 0x38000000u;
  out = (size >= 0x7cu ? (size << 21) | 0x7f800000u : finite) | ((w & 0x80u) << 24);
}
/// As float8_e5m2_bits().
template <int W>
DIMITY_INLINE void narrow_words(float8_e5m2, typename float_words<W>::type const& u, byte_words<W>& out) {
  using words = typename float_words<W>::type;
  using values = typename float_words<W>::value;
  words const sign = (u >> 24) & 0x80u, size = u & 0x7fffffffu;
  words const small = reinterpret_cast<words>(reinterpret_cast<values>(size) + 0x1p7f) - 0x43000000u;
  words const normal = (size - 0x38000000u + 0xfffffu + ((size >> 21) & 1u)) >> 21;
  words result = size < 0x38800000u ? small : normal;
  result = size >= 0x47700000u ? words{} + 0x7cu : result;
  result = size > 0x7f800000u ? words{} + 0x7eu : result;
  narrow_bytes<W>(sign | result, out);
}
#endif

}  // namespace DIMITY_NAMESPACE::detail
