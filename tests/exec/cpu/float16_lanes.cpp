// Vectors of 16-bit floats against conversion one by one, for every number and every width.
#include <dimity/dimity.hpp>

#include <doctest/doctest.h>

#include <bit>
#include <cstdint>
#include <cstring>
#include <random>

using namespace dimity;
using namespace dimity::detail;

namespace {

template <class T>
bool same_bits(T a, T b) {
  return std::memcmp(&a, &b, sizeof(T)) == 0;
}

template <class T, int W>
int wrong_widenings() {
  int wrong = 0;
  for (int i = 0; i < 65536; i += W) {
    T in[W];
    float out[W];
    for (int j = 0; j < W; ++j) in[j] = T::from_bits(static_cast<std::uint16_t>(i + j));
    store_lanes<float, W>(out, convert_lanes<float>(load_lanes<T, W>(in)));
    for (int j = 0; j < W; ++j) {
      float const expected = in[j];
      wrong += expected != expected ? !(out[j] != out[j]) : !same_bits(out[j], expected);
    }
  }
  return wrong;
}
template <class T, int W>
int wrong_narrowings() {
  int wrong = 0;
  std::mt19937 random(W);
  for (int i = 0; i < 20000; ++i) {
    float in[W];
    T out[W];
    for (int j = 0; j < W; ++j) {
      std::uint32_t bits = random();
      // Half of them near a tie of bfloat16, and in the range of float16.
      if (random() % 2) bits = (bits & 0xffff0000u) | (0x8000u + random() % 3 - 1);
      if (random() % 2) bits = (bits & 0x80ffffffu) | 0x38000000u | (random() % 16 << 24 & 0x0f000000u);
      in[j] = std::bit_cast<float>(bits);
    }
    store_lanes<T, W>(out, convert_lanes<T>(load_lanes<float, W>(in)));
    for (int j = 0; j < W; ++j) wrong += in[j] != in[j] ? !(static_cast<float>(out[j]) != static_cast<float>(out[j])) : out[j].bits != T(in[j]).bits;
  }
  return wrong;
}

}  // namespace

TEST_CASE_TEMPLATE("lanes convert as single numbers do", T, float16, bfloat16) {
  CHECK(wrong_widenings<T, 1>() == 0);
  CHECK(wrong_widenings<T, 2>() == 0);
  CHECK(wrong_widenings<T, 4>() == 0);
  CHECK(wrong_widenings<T, 8>() == 0);
  CHECK(wrong_widenings<T, 16>() == 0);
  CHECK(wrong_widenings<T, 32>() == 0);
  CHECK(wrong_narrowings<T, 1>() == 0);
  CHECK(wrong_narrowings<T, 2>() == 0);
  CHECK(wrong_narrowings<T, 4>() == 0);
  CHECK(wrong_narrowings<T, 8>() == 0);
  CHECK(wrong_narrowings<T, 16>() == 0);
  CHECK(wrong_narrowings<T, 32>() == 0);
}
TEST_CASE_TEMPLATE("the first lanes only", T, float16, bfloat16) {
  constexpr int width = 16;
  T in[width], out[width];
  for (int i = 0; i < width; ++i) in[i] = T(i + 1);
  for (int n = 0; n <= width; ++n) {
    for (T& x : out) x = T(-1);
    auto const first = load_first<T, width>(in, n);
    store_first<T, width>(out, first, n);
    for (int i = 0; i < width; ++i) CHECK(static_cast<float>(out[i]) == (i < n ? static_cast<float>(i + 1) : -1.0f));
    store_lanes<T, width>(out, first);
    for (int i = n; i < width; ++i) CHECK(out[i].bits == 0);
  }
  store_lanes<T, width>(out, broadcast_to_lanes<T, width>(T(2.5)));
  for (T const x : out) CHECK(static_cast<float>(x) == 2.5f);
}
