// Conversion of lanes from one type of number to another.
#pragma once

#include <dimity/exec/cpu/simd.hpp>

#include <bit>
#include <cstdint>
#include <cstring>
#include <type_traits>

namespace DIMITY_NAMESPACE::detail {

#if !defined(__CUDACC__)
template <class T, int W>
struct lane_vector {
  typedef T type __attribute__((vector_size(sizeof(T) * W)));
};

template <class T>
inline constexpr bool is_narrow_integer = std::is_integral_v<T> && sizeof(T) < 4;

#if defined(__SSE2__)
/// 4, 8 or 16 bytes at the bottom of a register; never by way of memory, where the whole would wait for its part.
template <class V>
DIMITY_INLINE __m128i in_register(V const& x) {
  if constexpr (sizeof(V) == 4) return _mm_cvtsi32_si128(std::bit_cast<int>(x));
  else if constexpr (sizeof(V) == 8) return _mm_loadl_epi64(reinterpret_cast<__m128i const*>(&x));
  else return reinterpret_cast<__m128i>(x);
}
#endif

/// Into `out`: returning a vector wider than a register depends on the flags, of which g++ warns. Where the machine has one instruction, g++ 12 makes several of __builtin_convertvector.
template <class From, class To, int W>
DIMITY_INLINE void convert_vector(typename lane_vector<From, W>::type const& x, typename lane_vector<To, W>::type& out) {
  using result = typename lane_vector<To, W>::type;
  if constexpr (is_narrow_integer<From> && std::is_floating_point_v<To>) {
    typename lane_vector<std::int32_t, W>::type wide;
    convert_vector<From, std::int32_t, W>(x, wide);
    out = __builtin_convertvector(wide, result);
  } else if constexpr (std::is_floating_point_v<From> && is_narrow_integer<To>) {
    typename lane_vector<std::int32_t, W>::type const wide = __builtin_convertvector(x, typename lane_vector<std::int32_t, W>::type);
    convert_vector<std::int32_t, To, W>(wide, out);
#if defined(__AVX512F__)
  } else if constexpr (W == 16 && is_narrow_integer<From> && std::is_integral_v<To> && sizeof(To) == 4) {
    if constexpr (sizeof(From) == 2 && std::is_signed_v<From>) out = reinterpret_cast<result>(_mm512_cvtepi16_epi32(reinterpret_cast<__m256i>(x)));
    else if constexpr (sizeof(From) == 2) out = reinterpret_cast<result>(_mm512_cvtepu16_epi32(reinterpret_cast<__m256i>(x)));
    else if constexpr (std::is_signed_v<From>) out = reinterpret_cast<result>(_mm512_cvtepi8_epi32(reinterpret_cast<__m128i>(x)));
    else out = reinterpret_cast<result>(_mm512_cvtepu8_epi32(reinterpret_cast<__m128i>(x)));
  } else if constexpr (W == 16 && std::is_integral_v<From> && sizeof(From) == 4 && is_narrow_integer<To>) {
    if constexpr (sizeof(To) == 2) out = reinterpret_cast<result>(_mm512_cvtepi32_epi16(reinterpret_cast<__m512i>(x)));
    else out = reinterpret_cast<result>(_mm512_cvtepi32_epi8(reinterpret_cast<__m512i>(x)));
#endif
#if defined(__AVX2__)
  } else if constexpr (W == 8 && is_narrow_integer<From> && std::is_integral_v<To> && sizeof(To) == 4) {
    __m128i const low = in_register(x);
    if constexpr (sizeof(From) == 2 && std::is_signed_v<From>) out = reinterpret_cast<result>(_mm256_cvtepi16_epi32(low));
    else if constexpr (sizeof(From) == 2) out = reinterpret_cast<result>(_mm256_cvtepu16_epi32(low));
    else if constexpr (std::is_signed_v<From>) out = reinterpret_cast<result>(_mm256_cvtepi8_epi32(low));
    else out = reinterpret_cast<result>(_mm256_cvtepu8_epi32(low));
  } else if constexpr (W == 8 && std::is_integral_v<From> && sizeof(From) == 4 && is_narrow_integer<To>) {
    __m256i const all = reinterpret_cast<__m256i>(x);
    __m128i low = _mm256_castsi256_si128(all), high = _mm256_extracti128_si256(all, 1);
    __m128i const wanted = sizeof(To) == 2 ? _mm_setr_epi8(0, 1, 4, 5, 8, 9, 12, 13, -1, -1, -1, -1, -1, -1, -1, -1) : _mm_setr_epi8(0, 4, 8, 12, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1);
    low = _mm_shuffle_epi8(low, wanted);
    high = _mm_shuffle_epi8(high, wanted);
    low = sizeof(To) == 2 ? _mm_unpacklo_epi64(low, high) : _mm_unpacklo_epi32(low, high);
    std::memcpy(&out, &low, sizeof(out));
#endif
#if defined(__SSE2__)
  } else if constexpr (W == 4 && is_narrow_integer<From> && std::is_integral_v<To> && sizeof(To) == 4) {
    // Into the upper bits, from where a shift brings zeros or the sign.
    __m128i low = in_register(x);
    if constexpr (sizeof(From) == 1) low = _mm_unpacklo_epi8(low, low);
    low = _mm_unpacklo_epi16(low, low);
    constexpr int shift = 32 - 8 * static_cast<int>(sizeof(From));
    out = reinterpret_cast<result>(std::is_signed_v<From> ? _mm_srai_epi32(low, shift) : _mm_srli_epi32(low, shift));
  } else if constexpr (W == 4 && std::is_integral_v<From> && sizeof(From) == 4 && is_narrow_integer<To>) {
    // The instructions saturate; what is sign-extended before fits.
    constexpr int shift = 32 - 8 * static_cast<int>(sizeof(To));
    __m128i low = _mm_srai_epi32(_mm_slli_epi32(reinterpret_cast<__m128i>(x), shift), shift);
    low = _mm_packs_epi32(low, low);
    if constexpr (sizeof(To) == 1) low = _mm_packs_epi16(low, low);
    std::memcpy(&out, &low, sizeof(out));
#endif
  } else {
    out = __builtin_convertvector(x, result);
  }
}
#endif

/// Conversion as static_cast does it.
template <class To, class From, int W>
DIMITY_INLINE vec<To, W> convert_lanes(vec<From, W> const& x) {
  if constexpr (std::is_same_v<To, From>) {
    return x;
  } else {
#if !defined(__CUDACC__)
    if constexpr (W > 1 && std::is_arithmetic_v<From> && std::is_arithmetic_v<To> && !std::is_same_v<From, bool> && !std::is_same_v<To, bool>) {
      typename lane_vector<From, W>::type from;
      typename lane_vector<To, W>::type to;
      static_assert(sizeof(x) == sizeof(from) && sizeof(vec<To, W>) == sizeof(to));
      std::memcpy(&from, &x, sizeof(from));
      convert_vector<From, To, W>(from, to);
      vec<To, W> r;
      std::memcpy(&r, &to, sizeof(to));
      return r;
    } else
#endif
    {
      alignas(64) From from[W];
      alignas(64) To to[W];
      store_lanes<From, W>(from, x);
      for (int i = 0; i < W; ++i) to[i] = static_cast<To>(from[i]);
      return load_lanes<To, W>(to);
    }
  }
}

}  // namespace DIMITY_NAMESPACE::detail
