// Lanes of 16- and 8-bit floats: loaded, stored, and converted to and from float, in which everything is computed.
#pragma once

#include <dimity/exec/cpu/convert.hpp>
#include <dimity/exec/cpu/float8_words.hpp>

#include <cstring>

namespace DIMITY_NAMESPACE::detail {

/// W of them in one value.
template <class T, int W>
  requires storage_float<T>
struct vec<T, W> {
  static constexpr bool native = false;
  using part = typename storage_words<word_of<T>, W>::type;
  static constexpr int part_lanes = W, parts = 1;
  part p[1];
};

template <class T, int W>
  requires storage_float<T>
DIMITY_INLINE vec<T, W> load_lanes(T const* from) {
  vec<T, W> r;
  std::memcpy(&r, from, sizeof(T) * W);
  return r;
}
template <class T, int W>
  requires storage_float<T>
DIMITY_INLINE void store_lanes(T* to, vec<T, W> const& x) {
  std::memcpy(to, &x, sizeof(T) * W);
}
template <class T, int W>
  requires storage_float<T>
DIMITY_INLINE vec<T, W> load_first(T const* from, int n) {
  vec<T, W> r{};
  std::memcpy(&r, from, sizeof(T) * static_cast<std::size_t>(n));
  return r;
}
template <class T, int W>
  requires storage_float<T>
DIMITY_INLINE void store_first(T* to, vec<T, W> const& x, int n) {
  std::memcpy(to, &x, sizeof(T) * static_cast<std::size_t>(n));
}
template <class T, int W>
  requires storage_float<T>
DIMITY_INLINE vec<T, W> broadcast_to_lanes(T x) {
  vec<T, W> r;
  T all[W];
  for (int i = 0; i < W; ++i) all[i] = x;
  std::memcpy(&r, all, sizeof(T) * W);
  return r;
}

// ---- to and from W floats, given as their bits

#if !defined(__CUDACC__)
template <int W>
using half_words = typename storage_words<std::uint16_t, W>::type;
// Into `out`: returning a vector wider than a register depends on the flags, of which g++ warns.
template <int W>
DIMITY_INLINE void widen_words(bfloat16, half_words<W> const& x, typename float_words<W>::type& out) {
  using words = typename float_words<W>::type;
  // g++ 12 widens and narrows in halves where the machine has one instruction.
#if defined(__AVX512F__)
  if constexpr (W == 16) out = reinterpret_cast<words>(_mm512_slli_epi32(_mm512_cvtepu16_epi32(reinterpret_cast<__m256i>(x)), 16));
  else
#endif
#if defined(__AVX2__)
  if constexpr (W == 8) out = reinterpret_cast<words>(_mm256_slli_epi32(_mm256_cvtepu16_epi32(reinterpret_cast<__m128i>(x)), 16));
  else
#endif
    out = __builtin_convertvector(x, words) << 16;
}
/// As bfloat16_bits().
template <int W>
DIMITY_INLINE void narrow_words(bfloat16, typename float_words<W>::type const& u, half_words<W>& out) {
  using words = typename float_words<W>::type;
  using halves = half_words<W>;
#if defined(__AVX512BF16__) && defined(__AVX512DQ__)
  if constexpr (W == 16) {
    auto const x = reinterpret_cast<__m512>(u);
    // The instruction makes subnormal numbers zeros.
    if (_mm512_fpclass_ps_mask(x, 0x20) == 0) [[likely]] {
      out = reinterpret_cast<halves>(_mm512_cvtneps_pbh(x));
      return;
    }
  }
#endif
  words const rounded = (u + 0x7fffu + ((u >> 16) & 1u)) >> 16, quiet = (u >> 16) | 0x40u;
  words const narrow = (u & 0x7fffffffu) > 0x7f800000u ? quiet : rounded;
#if defined(__AVX512F__)
  if constexpr (W == 16) out = reinterpret_cast<halves>(_mm512_cvtepi32_epi16(reinterpret_cast<__m512i>(narrow)));
  else
#endif
    out = __builtin_convertvector(narrow, halves);
}
/// As float16_value(): a product takes care of subnormal numbers.
template <int W>
DIMITY_INLINE void widen_words(float16, half_words<W> const& x, typename float_words<W>::type& out) {
  using words = typename float_words<W>::type;
  using values = typename float_words<W>::value;
#if defined(__AVX512F__)
  if constexpr (W == 16) out = reinterpret_cast<words>(_mm512_cvtph_ps(reinterpret_cast<__m256i>(x)));
  else
#endif
#if defined(__F16C__)
  if constexpr (W == 8) out = reinterpret_cast<words>(_mm256_cvtph_ps(reinterpret_cast<__m128i>(x)));
  else
#endif
  {
    words const w = __builtin_convertvector(x, words), size = (w & 0x7fffu) << 13;
    values const scaled = reinterpret_cast<values>(size) * 0x1p112f;
    words const result = size >= 0x0f800000u ? (size | 0x7f800000u) : reinterpret_cast<words>(scaled);
    out = result | ((w & 0x8000u) << 16);
  }
}
/// As float16_bits().
template <int W>
DIMITY_INLINE void narrow_words(float16, typename float_words<W>::type const& u, half_words<W>& out) {
  using words = typename float_words<W>::type;
  using values = typename float_words<W>::value;
  using halves = half_words<W>;
#if defined(__AVX512F__)
  if constexpr (W == 16) out = reinterpret_cast<halves>(_mm512_cvtps_ph(reinterpret_cast<__m512>(u), _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
  else
#endif
#if defined(__F16C__)
  if constexpr (W == 8) out = reinterpret_cast<halves>(_mm256_cvtps_ph(reinterpret_cast<__m256>(u), _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
  else
#endif
  {
    words const sign = (u >> 16) & 0x8000u, size = u & 0x7fffffffu;
    words const small = reinterpret_cast<words>(reinterpret_cast<values>(size) + 0.5f) - 0x3f000000u;
    words const normal = (size - 0x38000000u + 0xfffu + ((size >> 13) & 1u)) >> 13, quiet = 0x7e00u | ((size >> 13) & 0x3ffu);
    words result = size < 0x38800000u ? small : normal;
    result = size >= 0x477ff000u ? words{} + 0x7c00u : result;
    result = size > 0x7f800000u ? quiet : result;
    out = __builtin_convertvector(sign | result, halves);
  }
}
#endif

template <class To, class From, int W>
  requires(std::is_same_v<To, float> && storage_float<From>)
DIMITY_INLINE vec<float, W> convert_lanes(vec<From, W> const& x) {
  vec<float, W> r;
#if !defined(__CUDACC__)
  if constexpr (W > 1) {
    typename float_words<W>::type words;
    widen_words<W>(From{}, x.p[0], words);
    std::memcpy(&r, &words, sizeof(r));
    return r;
  }
#endif
  From from[W];
  alignas(64) float to[W];
  store_lanes<From, W>(from, x);
  for (int i = 0; i < W; ++i) to[i] = from[i];
  return load_lanes<float, W>(to);
}
template <class To, class From, int W>
  requires storage_float<To>
DIMITY_INLINE vec<To, W> convert_lanes(vec<From, W> const& x) {
#if !defined(__CUDACC__)
  if constexpr (W > 1 && std::is_same_v<From, float>) {
    typename float_words<W>::type words;
    std::memcpy(&words, &x, sizeof(words));
    vec<To, W> r;
    narrow_words<W>(To{}, words, r.p[0]);
    return r;
  }
#endif
  alignas(64) From from[W];
  alignas(64) To to[W];
  store_lanes<From, W>(from, x);
  for (int i = 0; i < W; ++i) to[i] = To(from[i]);
  return load_lanes<To, W>(to);
}

}  // namespace DIMITY_NAMESPACE::detail
