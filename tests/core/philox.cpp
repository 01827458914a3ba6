#include <dimity/core/philox.hpp>
#include <doctest/doctest.h>

using dimity::detail::philox4x32;
using dimity::detail::philox_block;

namespace {

constexpr bool gives(philox_block counter, std::uint32_t key0, std::uint32_t key1, philox_block expected) {
  philox_block const b = philox4x32(counter, key0, key1);
  for (int i = 0; i < 4; ++i)
    if (b.word[i] != expected.word[i]) return false;
  return true;
}

}  // namespace

// The three vectors for philox4x32 with 10 rounds in Random123 (D. E. Shaw Research), tests/kat_vectors.
TEST_CASE("philox4x32 reproduces Random123's known answers, also at compile time") {
  constexpr std::uint32_t ones = 0xffffffffu;
  static_assert(gives({{0, 0, 0, 0}}, 0, 0, {{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}}));
  static_assert(gives({{ones, ones, ones, ones}}, ones, ones, {{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}}));
  static_assert(gives({{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}}, 0xa4093822, 0x299f31d0, {{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}}));
  CHECK(gives({{0, 0, 0, 0}}, 0, 0, {{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}}));
  CHECK(gives({{ones, ones, ones, ones}}, ones, ones, {{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}}));
  CHECK(gives({{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}}, 0xa4093822, 0x299f31d0, {{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}}));
}

TEST_CASE("one changed bit of the counter or the key changes about half of all bits") {
  philox_block const base = philox4x32({{1, 2, 3, 4}}, 5, 6);
  int least = 128, most = 0;
  for (int bit = 0; bit < 192; ++bit) {
    philox_block c{{1, 2, 3, 4}};
    std::uint32_t key[2] = {5, 6};
    (bit < 128 ? c.word[bit / 32] : key[bit / 32 - 4]) ^= 1u << (bit % 32);
    philox_block const b = philox4x32(c, key[0], key[1]);
    int changed = 0;
    for (int i = 0; i < 4; ++i) changed += __builtin_popcount(b.word[i] ^ base.word[i]);
    least = changed < least ? changed : least;
    most = changed > most ? changed : most;
  }
  // 64 expected, standard deviation 5.7.
  CHECK(least > 40);
  CHECK(most < 88);
}
