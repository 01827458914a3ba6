// Fresh parameters: their range, that they differ from leaf to leaf and key to key, and that they do not depend on the scalar.
#include <dimity/dimity.hpp>
#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <cstdint>

using namespace dimity;

namespace {

/// What init asks of a key.
struct words_key {
  std::uint32_t low, high = 0;
  constexpr std::uint32_t words(int i) const { return i == 0 ? low : high; }
};

template <class T>
struct model {
  nn::linear<T, 16, 32> first;
  std::array<nn::linear<T, 32, 32>, 2> blocks;
  tensor<T, 64, 8> matrix;
  tensor<T, 8> vector;
  tensor<std::int32_t, 4> integers;
};

template <class X>
double largest(X const& x) {
  double most = 0;
  for (auto e : x) most = std::max(most, std::abs(static_cast<double>(e)));
  return most;
}

}  // namespace

TEST_CASE("uniform within one over the square root of fan in") {
  auto const m = nn::init<model<double>>(words_key{42});
  CHECK((largest(m.first.weight) <= 0.25 && largest(m.first.weight) > 0.24));
  CHECK((largest(m.first.bias) <= 0.25 && largest(m.first.bias) > 0.15));
  CHECK((largest(m.blocks[0].weight) <= 1 / std::sqrt(32.0) && largest(m.blocks[0].weight) > 0.95 / std::sqrt(32.0)));
  CHECK((largest(m.matrix) <= 0.125 && largest(m.matrix) > 0.12));
  CHECK(largest(m.vector) == 0);
  CHECK(largest(m.integers) == 0);
  CHECK(std::abs(static_cast<double>(mean(m.blocks[0].weight))) < 0.01);
  CHECK(static_cast<double>(var(m.blocks[0].weight)) == doctest::Approx(1.0 / 32 / 3).epsilon(0.1));
}
TEST_CASE("every leaf and every key gives other numbers, the same key the same") {
  auto const a = nn::init<model<double>>(words_key{42}), b = nn::init<model<double>>(words_key{42}), c = nn::init<model<double>>(words_key{43}), d = nn::init<model<double>>(words_key{42, 1});
  CHECK(allclose(a.first.weight, b.first.weight));
  CHECK(a.blocks[0].weight(0, 0) != a.blocks[1].weight(0, 0));
  CHECK(a.first.weight(0, 0) != c.first.weight(0, 0));
  CHECK(a.first.weight(0, 0) != d.first.weight(0, 0));
}
TEST_CASE("float and double start alike") {
  auto const f = nn::init<model<float>>(words_key{7});
  auto const d = nn::init<model<double>>(words_key{7});
  CHECK(f.first.weight(3, 5) == static_cast<float>(d.first.weight(3, 5)));
  CHECK(f.matrix(63, 7) == static_cast<float>(d.matrix(63, 7)));
}
