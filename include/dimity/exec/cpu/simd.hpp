// The only header that names xsimd: native batches and what dimity needs of them.
#pragma once

#include <dimity/core/config.hpp>
#include <dimity/core/dtype.hpp>

// g++ 12 warns inside its own AVX-512 headers about operands that are undefined on purpose (GCC bug 105593).
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <xsimd/xsimd.hpp>
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <type_traits>

namespace DIMITY_NAMESPACE::detail {

/// The machine's native vector of T (float, double, integers), as chosen by the compiler flags.
template <class T>
using native_batch = xsimd::batch<T>;
template <class T>
using native_mask = xsimd::batch_bool<T>;

template <class T>
inline constexpr bool is_vectorizable = std::is_same_v<T, float> || std::is_same_v<T, double> || (std::is_integral_v<T> && !std::is_same_v<T, bool> && sizeof(T) >= 4);

template <class T>
constexpr int native_lanes() {
  if constexpr (is_vectorizable<T>) {
    return static_cast<int>(native_batch<T>::size);
  } else {
    return 1;
  }
}

template <class T, bool Native>
struct part_of {
  using type = T;
  using mask = bool;
};
template <class T>
struct part_of<T, true> {
  using type = xsimd::batch<T>;
  using mask = xsimd::batch_bool<T>;
};

/// W values of type T: native batches where W is a multiple of their size, otherwise plain elements. Every operation is written once, on one part.
template <class T, int W>
struct vec {
  static constexpr bool native = is_vectorizable<T> && W >= native_lanes<T>() && W % native_lanes<T>() == 0 && W > 1;
  using part = typename part_of<T, native>::type;
  static constexpr int part_lanes = native ? native_lanes<T>() : 1;
  static constexpr int parts = W / part_lanes;
  part p[parts];
};

/// W truth values, in the form that comparing two vec<T, W> gives.
template <class T, int W>
struct mask {
  static constexpr bool native = vec<T, W>::native;
  using part = typename part_of<T, native>::mask;
  static constexpr int part_lanes = vec<T, W>::part_lanes;
  static constexpr int parts = vec<T, W>::parts;
  part p[parts];
};

/// r.p[i] = f(x.p[i]...) for every part.
template <class R, class F, class... X>
DIMITY_INLINE R map_parts(F f, X const&... x) {
  R r;
  if constexpr (R::parts == 1) {
    r.p[0] = f(x.p[0]...);
  } else if constexpr (R::parts == 2) {
    r.p[0] = f(x.p[0]...);
    r.p[1] = f(x.p[1]...);
  } else {
    for (int i = 0; i < R::parts; ++i) r.p[i] = f(x.p[i]...);
  }
  return r;
}

template <class T, int W>
DIMITY_INLINE vec<T, W> broadcast_to_lanes(T x) {
  vec<T, W> r;
  for (int i = 0; i < vec<T, W>::parts; ++i) r.p[i] = typename vec<T, W>::part(x);
  return r;
}
template <class T, int W>
DIMITY_INLINE mask<T, W> broadcast_mask(bool x) {
  mask<T, W> r;
  for (int i = 0; i < mask<T, W>::parts; ++i) r.p[i] = typename mask<T, W>::part(x);
  return r;
}

template <class T, int W>
DIMITY_INLINE vec<T, W> load_lanes(T const* from) {
  vec<T, W> r;
  if constexpr (vec<T, W>::native) {
    for (int i = 0; i < vec<T, W>::parts; ++i) r.p[i] = native_batch<T>::load_unaligned(from + i * vec<T, W>::part_lanes);
  } else if constexpr (std::is_arithmetic_v<T>) {
    // All at once: what is read wider than it was written waits for the writes.
    std::memcpy(&r, from, sizeof(r));
  } else {
    for (int i = 0; i < W; ++i) r.p[i] = from[i];
  }
  return r;
}
template <class T, int W>
DIMITY_INLINE void store_lanes(T* to, vec<T, W> const& x) {
  if constexpr (vec<T, W>::native) {
    for (int i = 0; i < vec<T, W>::parts; ++i) x.p[i].store_unaligned(to + i * vec<T, W>::part_lanes);
  } else if constexpr (std::is_arithmetic_v<T>) {
    std::memcpy(to, &x, sizeof(x));
  } else {
    for (int i = 0; i < W; ++i) to[i] = x.p[i];
  }
}
/// Past the caches, where the address allows it; a kernel that does so ends with finish_streams().
template <class T, int W>
DIMITY_INLINE void stream_lanes(T* to, vec<T, W> const& x) {
#if defined(__SSE2__) && !defined(__CUDACC__)
  if constexpr (vec<T, W>::native && std::is_floating_point_v<T>) {
    constexpr std::size_t bytes = sizeof(typename vec<T, W>::part);
    if ((reinterpret_cast<std::uintptr_t>(to) & (bytes - 1)) == 0) {
      for (int i = 0; i < vec<T, W>::parts; ++i) {
        T* const at = to + i * vec<T, W>::part_lanes;
        if constexpr (bytes == 16 && sizeof(T) == 4) _mm_stream_ps(at, x.p[i]);
        else if constexpr (bytes == 16) _mm_stream_pd(at, x.p[i]);
#if defined(__AVX__)
        else if constexpr (bytes == 32 && sizeof(T) == 4) _mm256_stream_ps(at, x.p[i]);
        else if constexpr (bytes == 32) _mm256_stream_pd(at, x.p[i]);
#endif
#if defined(__AVX512F__)
        else if constexpr (bytes == 64 && sizeof(T) == 4) _mm512_stream_ps(at, x.p[i]);
        else if constexpr (bytes == 64) _mm512_stream_pd(at, x.p[i]);
#endif
      }
      return;
    }
  }
#endif
  store_lanes<T, W>(to, x);
}
/// What was streamed is there for other threads before anything that follows.
inline void finish_streams() {
#if defined(__SSE2__) && !defined(__CUDACC__)
  _mm_sfence();
#endif
}
template <class T, int W>
DIMITY_INLINE mask<T, W> load_mask(bool const* from) {
  mask<T, W> r;
  if constexpr (mask<T, W>::native) {
    for (int i = 0; i < mask<T, W>::parts; ++i) r.p[i] = native_mask<T>::load_unaligned(from + i * mask<T, W>::part_lanes);
  } else {
    for (int i = 0; i < W; ++i) r.p[i] = from[i];
  }
  return r;
}
template <class T, int W>
DIMITY_INLINE void store_mask(bool* to, mask<T, W> const& x) {
  if constexpr (mask<T, W>::native) {
    for (int i = 0; i < mask<T, W>::parts; ++i) x.p[i].store_unaligned(to + i * mask<T, W>::part_lanes);
  } else {
    for (int i = 0; i < W; ++i) to[i] = x.p[i];
  }
}

/// The first n lanes from memory, zeros behind them; never reads past them.
template <class T, int W>
DIMITY_INLINE vec<T, W> load_first(T const* from, int n) {
#if defined(__AVX512F__)
  if constexpr (vec<T, W>::parts == 1 && vec<T, W>::native && std::is_same_v<T, float>) {
    return {{native_batch<T>(_mm512_maskz_loadu_ps(static_cast<__mmask16>((1u << n) - 1u), from))}};
  } else if constexpr (vec<T, W>::parts == 1 && vec<T, W>::native && std::is_same_v<T, double>) {
    return {{native_batch<T>(_mm512_maskz_loadu_pd(static_cast<__mmask8>((1u << n) - 1u), from))}};
  } else if constexpr (vec<T, W>::parts == 1 && vec<T, W>::native && sizeof(T) == 4) {
    return {{native_batch<T>(_mm512_maskz_loadu_epi32(static_cast<__mmask16>((1u << n) - 1u), from))}};
  } else if constexpr (vec<T, W>::parts == 1 && vec<T, W>::native && sizeof(T) == 8) {
    return {{native_batch<T>(_mm512_maskz_loadu_epi64(static_cast<__mmask8>((1u << n) - 1u), from))}};
  } else
#endif
  {
    alignas(64) T buffer[W] = {};
    for (int i = 0; i < n; ++i) buffer[i] = from[i];
    return load_lanes<T, W>(buffer);
  }
}
template <class T, int W>
DIMITY_INLINE void store_first(T* to, vec<T, W> const& x, int n) {
#if defined(__AVX512F__)
  if constexpr (vec<T, W>::parts == 1 && vec<T, W>::native && std::is_same_v<T, float>) {
    _mm512_mask_storeu_ps(to, static_cast<__mmask16>((1u << n) - 1u), x.p[0]);
  } else if constexpr (vec<T, W>::parts == 1 && vec<T, W>::native && std::is_same_v<T, double>) {
    _mm512_mask_storeu_pd(to, static_cast<__mmask8>((1u << n) - 1u), x.p[0]);
  } else if constexpr (vec<T, W>::parts == 1 && vec<T, W>::native && sizeof(T) == 4) {
    _mm512_mask_storeu_epi32(to, static_cast<__mmask16>((1u << n) - 1u), x.p[0]);
  } else if constexpr (vec<T, W>::parts == 1 && vec<T, W>::native && sizeof(T) == 8) {
    _mm512_mask_storeu_epi64(to, static_cast<__mmask8>((1u << n) - 1u), x.p[0]);
  } else
#endif
  {
    alignas(64) T buffer[W];
    store_lanes<T, W>(buffer, x);
    for (int i = 0; i < n; ++i) to[i] = buffer[i];
  }
}

/// from[0], from[2], .. for the first n lanes, zeros behind them; never reads past them.
template <class T, int W>
DIMITY_INLINE vec<T, W> load_every_second(T const* from, int n) {
#if defined(__AVX512F__)
  if constexpr (vec<T, W>::parts == 1 && vec<T, W>::native && std::is_same_v<T, float>) {
    unsigned const wanted = static_cast<unsigned>((std::uint64_t{1} << (2 * n - 1)) - 1);
    __m512 const low = _mm512_maskz_loadu_ps(static_cast<__mmask16>(wanted), from), high = _mm512_maskz_loadu_ps(static_cast<__mmask16>(wanted >> 16), from + 16);
    return {{native_batch<T>(_mm512_permutex2var_ps(low, _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30), high))}};
  } else if constexpr (vec<T, W>::parts == 1 && vec<T, W>::native && std::is_same_v<T, double>) {
    unsigned const wanted = (1u << (2 * n - 1)) - 1u;
    __m512d const low = _mm512_maskz_loadu_pd(static_cast<__mmask8>(wanted), from), high = _mm512_maskz_loadu_pd(static_cast<__mmask8>(wanted >> 8), from + 8);
    return {{native_batch<T>(_mm512_permutex2var_pd(low, _mm512_setr_epi64(0, 2, 4, 6, 8, 10, 12, 14), high))}};
  } else
#endif
  {
    alignas(64) T buffer[W] = {};
    for (int i = 0; i < n; ++i) buffer[i] = from[2 * i];
    return load_lanes<T, W>(buffer);
  }
}

/// to[0], to[2], .. = even, to[1], to[3], .. = odd, for the first n lanes of each.
template <class T, int W>
DIMITY_INLINE void store_alternating(T* to, vec<T, W> const& even, vec<T, W> const& odd, int n) {
#if defined(__AVX512F__)
  if constexpr (vec<T, W>::parts == 1 && vec<T, W>::native && std::is_same_v<T, float>) {
    unsigned const wanted = static_cast<unsigned>((std::uint64_t{1} << (2 * n)) - 1);
    __m512 const low = _mm512_permutex2var_ps(even.p[0], _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23), odd.p[0]);
    __m512 const high = _mm512_permutex2var_ps(even.p[0], _mm512_setr_epi32(8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31), odd.p[0]);
    _mm512_mask_storeu_ps(to, static_cast<__mmask16>(wanted), low);
    _mm512_mask_storeu_ps(to + 16, static_cast<__mmask16>(wanted >> 16), high);
  } else
#endif
  {
    alignas(64) T first[W], second[W];
    store_lanes<T, W>(first, even);
    store_lanes<T, W>(second, odd);
    for (int i = 0; i < n; ++i) {
      to[2 * i] = first[i];
      to[2 * i + 1] = second[i];
    }
  }
}

/// A register in two halves, while it has halves that are registers themselves.
template <class X>
struct halves {
  static constexpr bool exist = false;
};
#if defined(__AVX512F__)
template <class A>
  requires std::is_same_v<typename xsimd::batch<float, A>::register_type, __m512>
struct halves<xsimd::batch<float, A>> {
  static constexpr bool exist = true;
  using type = xsimd::batch<float, xsimd::avx2>;
  DIMITY_INLINE static type low(xsimd::batch<float, A> const& x) { return _mm512_castps512_ps256(x); }
  DIMITY_INLINE static type high(xsimd::batch<float, A> const& x) { return _mm256_castpd_ps(_mm512_extractf64x4_pd(_mm512_castps_pd(x), 1)); }
};
template <class A>
  requires std::is_same_v<typename xsimd::batch<double, A>::register_type, __m512d>
struct halves<xsimd::batch<double, A>> {
  static constexpr bool exist = true;
  using type = xsimd::batch<double, xsimd::avx2>;
  DIMITY_INLINE static type low(xsimd::batch<double, A> const& x) { return _mm512_castpd512_pd256(x); }
  DIMITY_INLINE static type high(xsimd::batch<double, A> const& x) { return _mm512_extractf64x4_pd(x, 1); }
};
#endif
#if defined(__AVX2__)
template <class A>
  requires std::is_same_v<typename xsimd::batch<float, A>::register_type, __m256>
struct halves<xsimd::batch<float, A>> {
  static constexpr bool exist = true;
  using type = xsimd::batch<float, xsimd::sse4_1>;
  DIMITY_INLINE static type low(xsimd::batch<float, A> const& x) { return _mm256_castps256_ps128(x); }
  DIMITY_INLINE static type high(xsimd::batch<float, A> const& x) { return _mm256_extractf128_ps(x, 1); }
};
template <class A>
  requires std::is_same_v<typename xsimd::batch<double, A>::register_type, __m256d>
struct halves<xsimd::batch<double, A>> {
  static constexpr bool exist = true;
  using type = xsimd::batch<double, xsimd::sse4_1>;
  DIMITY_INLINE static type low(xsimd::batch<double, A> const& x) { return _mm256_castpd256_pd128(x); }
  DIMITY_INLINE static type high(xsimd::batch<double, A> const& x) { return _mm256_extractf128_pd(x, 1); }
};
#endif
/// All lanes combined in a binary tree: halves first, so that only the last few are scalars.
template <class F, class X>
DIMITY_INLINE auto combine_lanes(F const& f, X const& x) {
  if constexpr (halves<X>::exist) {
    return combine_lanes(f, f(halves<X>::low(x), halves<X>::high(x)));
  } else {
    using T = typename X::value_type;
    alignas(64) T buffer[X::size];
    x.store_aligned(buffer);
    for (std::size_t h = X::size / 2; h > 0; h /= 2)
      for (std::size_t i = 0; i < h; ++i) buffer[i] = f(buffer[i], buffer[i + h]);
    return buffer[0];
  }
}

template <class T, int W>
DIMITY_INLINE vec<T, W> lane_numbers(T first) {
  alignas(64) static constexpr auto from_zero = [] {
    std::array<T, W> a{};
    for (int i = 0; i < W; ++i) a[static_cast<std::size_t>(i)] = static_cast<T>(i);
    return a;
  }();
  vec<T, W> r = load_lanes<T, W>(from_zero.data());
  for (int i = 0; i < vec<T, W>::parts; ++i) r.p[i] = static_cast<typename vec<T, W>::part>(r.p[i] + typename vec<T, W>::part(first));
  return r;
}

template <class T, class A>
DIMITY_INLINE xsimd::batch<T, A> choose(xsimd::batch_bool<T, A> const& condition, xsimd::batch<T, A> const& yes, xsimd::batch<T, A> const& no) {
#if defined(__AVX512F__)
  // xsimd 8.1 names the intrinsics of all widths in one switch, which g++ refuses without optimisation, where they are macros.
  if constexpr (std::is_integral_v<T> && sizeof(xsimd::batch<T, A>) == 64) {
    if constexpr (sizeof(T) == 4) return _mm512_mask_blend_epi32(condition.data, no, yes);
    else return _mm512_mask_blend_epi64(condition.data, no, yes);
  } else
#endif
    return xsimd::select(condition, yes, no);
}
template <class T>
DIMITY_INLINE T choose(bool condition, T const& yes, T const& no) {
  return condition ? yes : no;
}

/// The same truth values in the form of another element type.
template <class To, class From, int W>
DIMITY_INLINE mask<To, W> convert_mask(mask<From, W> const& x) {
  if constexpr (std::is_same_v<To, From>) {
    return x;
  } else if constexpr (mask<To, W>::native && mask<From, W>::native && sizeof(To) == sizeof(From)) {
    using part = typename mask<To, W>::part;
    mask<To, W> r;
    for (int i = 0; i < mask<To, W>::parts; ++i) r.p[i] = part(std::bit_cast<typename part::register_type>(x.p[i].data));
    return r;
#if defined(__AVX512F__)
  } else if constexpr (mask<To, W>::native && mask<From, W>::native && W <= 64) {
    // One bit for each lane.
    using part = typename mask<To, W>::part;
    std::uint64_t bits = 0;
    for (int i = 0; i < mask<From, W>::parts; ++i) bits |= static_cast<std::uint64_t>(x.p[i].data) << (i * mask<From, W>::part_lanes);
    mask<To, W> r;
    for (int i = 0; i < mask<To, W>::parts; ++i) r.p[i] = part(static_cast<typename part::register_type>(bits >> (i * mask<To, W>::part_lanes)));
    return r;
#endif
  } else {
    alignas(64) bool buffer[W];
    store_mask<From, W>(buffer, x);
    return load_mask<To, W>(buffer);
  }
}

}  // namespace DIMITY_NAMESPACE::detail
