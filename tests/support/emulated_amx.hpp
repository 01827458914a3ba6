// Tile registers of AMX, lane by lane, for machines that have none: a test defines DIMITY_EMULATED_AMX and includes this before dimity. What the hardware would fault at throws, and what it leaves undefined is caught as well.
#pragma once

#ifndef DIMITY_EMULATED_AMX
#error "define DIMITY_EMULATED_AMX in the test itself: CMake then gives it no precompiled header"
#endif
// What is compiled with it must not meet the same functions without it in one program.
#define DIMITY_ARCHITECTURE with_emulated_amx

#include <atomic>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <stdexcept>

namespace emulated_amx {

inline bool is_available = true;
/// Products of tiles so far.
inline std::atomic<long> products = 0;

struct tile {
  std::uint32_t words[16][16];
};
struct unit {
  bool is_configured = false;
  bool is_known[8] = {};  // whether something was put into a tile
  tile tiles[8] = {};
};
inline thread_local unit state;

inline void check(bool holds, char const* what) {
  if (!holds) throw std::logic_error(what);
}
inline tile& known(int t) {
  check(state.is_configured, "a tile is used before LDTILECFG");
  check(state.is_known[t], "a tile is read that nothing was put into");
  return state.tiles[t];
}

/// Bytes as LDTILECFG reads them: palette, first row, 14 reserved, bytes of a line of 8 tiles and 8 reserved, lines of 8 tiles and 8 reserved.
inline void configure(void const* configuration) {
  unsigned char bytes[64];
  std::memcpy(bytes, configuration, sizeof(bytes));
  check(!state.is_configured, "tiles are configured twice");
  check(bytes[0] == 1 && bytes[1] == 0, "not palette 1 from row 0 on");
  for (int i = 2; i < 16; ++i) check(bytes[i] == 0, "reserved bytes are not zero");
  for (int t = 0; t < 16; ++t) {
    bool const exists = t < 8;
    check(bytes[16 + 2 * t] == (exists ? 64 : 0) && bytes[17 + 2 * t] == 0 && bytes[48 + t] == (exists ? 16 : 0), "not eight tiles of 16 lines of 64 bytes");
  }
  state = unit{};
  state.is_configured = true;
}
inline void release() {
  check(state.is_configured, "tiles are released that were not configured");
  state = unit{};
}
inline void load(int t, void const* from, std::int64_t stride) {
  check(state.is_configured, "a tile is loaded before LDTILECFG");
  for (int l = 0; l < 16; ++l) std::memcpy(state.tiles[t].words[l], static_cast<std::byte const*>(from) + l * stride, 64);
  state.is_known[t] = true;
}
inline void store(int t, void* to, std::int64_t stride) {
  tile const& from = known(t);
  for (int l = 0; l < 16; ++l) std::memcpy(static_cast<std::byte*>(to) + l * stride, from.words[l], 64);
}
inline void clear(int t) {
  check(state.is_configured, "a tile is cleared before LDTILECFG");
  state.tiles[t] = tile{};
  state.is_known[t] = true;
}

inline float flushed(float x) { return std::fpclassify(x) == FP_SUBNORMAL ? std::copysign(0.0f, x) : x; }
inline float element(std::uint32_t pair, int half) { return flushed(std::bit_cast<float>(half == 0 ? pair << 16 : pair & 0xffff0000u)); }

/// TDPBF16PS as Intel's manual has it: sums of even and of odd elements apart, each step fused and rounded once.
inline void multiply(int sums, int left, int right) {
  tile& c = known(sums);
  tile const &a = known(left), &b = known(right);
  for (int m = 0; m < 16; ++m)
    for (int n = 0; n < 16; ++n) {
      float of[2] = {0, 0};
      for (int k = 0; k < 16; ++k)
        for (int half = 0; half < 2; ++half) of[half] = flushed(std::fma(element(a.words[m][k], half), element(b.words[k][n], half), of[half]));
      c.words[m][n] = std::bit_cast<std::uint32_t>(flushed(flushed(std::bit_cast<float>(c.words[m][n])) + flushed(of[0] + of[1])));
    }
  ++products;
}

}  // namespace emulated_amx
