// Philox4x32-10, the counter-based generator of Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
#pragma once

#include <cstdint>

#include <dimity/core/config.hpp>

namespace DIMITY_NAMESPACE::detail {

struct philox_block {
  std::uint32_t word[4];
};

/// Ten rounds: 128 bits of counter and 64 bits of key to 128 random bits. Checked against Random123's published vectors.
constexpr philox_block philox4x32(philox_block counter, std::uint32_t key0, std::uint32_t key1) {
  constexpr std::uint64_t m0 = 0xD2511F53u, m1 = 0xCD9E8D57u;
  constexpr std::uint32_t w0 = 0x9E3779B9u, w1 = 0xBB67AE85u;
  std::uint32_t c0 = counter.word[0], c1 = counter.word[1], c2 = counter.word[2], c3 = counter.word[3];
  for (int round = 0; round < 10; ++round) {
    std::uint64_t const p0 = m0 * c0, p1 = m1 * c2;
    std::uint32_t const n0 = static_cast<std::uint32_t>(p1 >> 32) ^ c1 ^ key0, n2 = static_cast<std::uint32_t>(p0 >> 32) ^ c3 ^ key1;
    c1 = static_cast<std::uint32_t>(p1);
    c3 = static_cast<std::uint32_t>(p0);
    c0 = n0;
    c2 = n2;
    key0 += w0;
    key1 += w1;
  }
  return {{c0, c1, c2, c3}};
}

}  // namespace DIMITY_NAMESPACE::detail
