// Vectors of the bits of 16- and 8-bit floats, and conversion of the 8-bit ones to and from the bits of floats.
#pragma once

#include <dimity/exec/cpu/simd.hpp>

#include <bit>
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
/// As float8_value().
template <class T, int W>
DIMITY_INLINE void widen_any(byte_words<W> const& x, typename float_words<W>::type& out) {
  using format = float8_format<T>;
  using words = typename float_words<W>::type;
  using values = typename float_words<W>::value;
  words w;
  widen_bytes<W>(x, w);
  words const size = w & 0x7fu, near = size + format::grid;
  values const small = reinterpret_cast<values>(near) - std::bit_cast<float>(format::grid);
  words const finite = size < (1u << (23 - format::shift)) ? reinterpret_cast<words>(small) : (size << format::shift) + format::bias;
  out = (size >= format::not_finite ? (size << format::shift) | 0x7f800000u : finite) | ((w & 0x80u) << 24);
}
/// By way of float16, where the machine has it: the same exponent and fraction there are 2^8 too small, also of subnormal numbers.
template <int W>
DIMITY_INLINE void widen_words(float8_e4m3fn, byte_words<W> const& x, typename float_words<W>::type& out) {
  using words [[maybe_unused]] = typename float_words<W>::type;
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
  widen_any<float8_e4m3fn, W>(x, out);
}
/// They are the upper halves of float16's.
template <int W>
DIMITY_INLINE void widen_words(float8_e5m2, byte_words<W> const& x, typename float_words<W>::type& out) {
  using words [[maybe_unused]] = typename float_words<W>::type;
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
  widen_any<float8_e5m2, W>(x, out);
}
/// As float8_bits().
template <int W, class T>
  requires(sizeof(T) == 1)
DIMITY_INLINE void narrow_words(T, typename float_words<W>::type const& u, byte_words<W>& out) {
  using format = float8_format<T>;
  using words = typename float_words<W>::type;
  using values = typename float_words<W>::value;
  words const sign = (u >> 24) & 0x80u, size = u & 0x7fffffffu;
  words const small = reinterpret_cast<words>(reinterpret_cast<values>(size) + std::bit_cast<float>(format::grid)) - format::grid;
  words const normal = (size - format::bias + ((1u << (format::shift - 1)) - 1) + ((size >> format::shift) & 1u)) >> format::shift;
  words result = size < format::least_normal ? small : normal;
  result = size >= format::too_large ? words{} + format::beyond : result;
  result = size > 0x7f800000u ? words{} + format::nan : result;
  narrow_bytes<W>(sign | result, out);
}
#endif

}  // namespace DIMITY_NAMESPACE::detail
