// Copies of whole tensors.
#pragma once

#include <cstddef>
#include <cstring>

#if defined(__SSE2__) && !defined(__CUDACC__)
#include <emmintrin.h>
#endif

#include <dimity/core/config.hpp>

namespace DIMITY_NAMESPACE::detail {

/// From here on results are written past the caches, which they would leave before anyone reads them: a line that is stored in the usual way is read first, a third to a half of all traffic
/// (`make bench-peers`: copy and triad of 16 Mi floats).
inline constexpr std::size_t streamed_bytes = std::size_t{32} << 20;

/// Between two blocks that do not overlap; both are aligned to 64 bytes where they are large.
inline void copy_bytes(void* to, void const* from, std::size_t bytes) {
#if defined(__SSE2__) && !defined(__CUDACC__)
  // glibc's memcpy does this too, from sizes that depend on what it believes of the caches.
  if (bytes >= streamed_bytes) {
    auto* t = static_cast<char*>(to);
    auto const* f = static_cast<char const*>(from);
    std::size_t const lines = bytes / 64;
    for (std::size_t i = 0; i < lines; ++i, t += 64, f += 64) {
      __m128i const a = _mm_load_si128(reinterpret_cast<__m128i const*>(f)), b = _mm_load_si128(reinterpret_cast<__m128i const*>(f + 16));
      __m128i const c = _mm_load_si128(reinterpret_cast<__m128i const*>(f + 32)), d = _mm_load_si128(reinterpret_cast<__m128i const*>(f + 48));
      _mm_stream_si128(reinterpret_cast<__m128i*>(t), a);
      _mm_stream_si128(reinterpret_cast<__m128i*>(t + 16), b);
      _mm_stream_si128(reinterpret_cast<__m128i*>(t + 32), c);
      _mm_stream_si128(reinterpret_cast<__m128i*>(t + 48), d);
    }
    _mm_sfence();
    std::memcpy(t, f, bytes % 64);
    return;
  }
#endif
  std::memcpy(to, from, bytes);
}

}  // namespace DIMITY_NAMESPACE::detail
