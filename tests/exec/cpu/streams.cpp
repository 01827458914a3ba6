// Results larger than the caches, which are written past them: every element, also where the address or the number of elements does not fit vectors, and on several threads.
#include <dimity/dimity.hpp>
#include <dimity/threads.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <memory>

using namespace dimity;

namespace {

constexpr extent_t many = (extent_t{8} << 20) + 13;  // 32 MiB of floats and a tail

float number_at(extent_t i) { return static_cast<float>(i % 1021) * 0.5f - 100; }

}  // namespace

TEST_CASE("a long line, its copy, and a line that begins between vectors") {
  static_assert(many * sizeof(float) >= detail::streamed_bytes);
  tensor<float, many> x(uninitialized), y(uninitialized);
  for (extent_t i = 0; i < many; ++i) x.data()[i] = number_at(i);
  extent_t wrong = 0;
  auto const check = [&](float const* at, float factor, float offset) {
    for (extent_t i = 0; i < many; ++i) wrong += at[i] != number_at(i) * factor + offset;
  };
  y = x * 2.0f + 1.0f;
  check(y.data(), 2, 1);
  tensor<float, many> copied = x;
  check(copied.data(), 1, 0);
  copied = y;
  check(copied.data(), 2, 1);
  y = y * 0.5f;  // in place
  check(y.data(), 1, 0.5f);
  y = eval(x + 3.0f, cpu{.threads = 3});
  check(y.data(), 1, 3);
  auto const room = std::make_unique<float[]>(static_cast<std::size_t>(many) + 1);
  for (int shift : {0, 1}) {
    tensor_view<float, shape<many>, strides<1>> view(room.get() + shift);
    view = x - 1.0f;
    check(room.get() + shift, 1, -1);
  }
  CHECK(wrong == 0);
}
TEST_CASE("many rows, several results and a sum at once") {
  using matrix = tensor<float, 4099, 2051>;
  static_assert(4099 * 2051 * sizeof(float) >= detail::streamed_bytes);
  matrix x(uninitialized);
  for (extent_t i = 0; i < 4099 * 2051; ++i) x.data()[i] = number_at(i);
  auto const both = [](auto const& m) { return std::tuple{m * 2.0f, m - max(m, axis<1>, keep_dims), sum(m, axis<1>)}; };
  auto const [twice, below, sums] = compile(both)(x);
  auto const [twice2, below2, sums2] = compile(both, cpu{.threads = 2})(x);
  extent_t wrong = 0;
  for (extent_t i = 0; i < 4099; ++i) {
    float largest = x(i, 0);
    for (extent_t j = 0; j < 2051; ++j) largest = x(i, j) > largest ? x(i, j) : largest;
    for (extent_t j = 0; j < 2051; ++j) wrong += twice(i, j) != 2 * x(i, j) || below(i, j) != x(i, j) - largest || twice2(i, j) != twice(i, j) || below2(i, j) != below(i, j);
    wrong += sums(i) != sums2(i);
  }
  CHECK(wrong == 0);
}
