// Dropout: which elements, what becomes of the others, probabilities at the edges, and the gradient's mask.
#include <dimity/dimity.hpp>
#include <dimity/plan/facts.hpp>
#include <dimity/transform/check_gradients.hpp>
#include <doctest/doctest.h>

#include <cmath>
#include <limits>

using namespace dimity;

namespace {

constexpr auto quarter = [](auto const& k, auto const& x) { return nn::dropout(x, k, 0.25); };
constexpr auto none = [](auto const& k, auto const& x) { return nn::dropout(x, k, 0.0); };
constexpr auto any_part = [](auto const& k, auto const& x, auto const& p) { return nn::dropout(x, k, p); };

template <class X>
int zeros_in(X const& x) {
  int n = 0;
  for (auto e : x) n += e == 0;
  return n;
}

}  // namespace

TEST_CASE("kept elements are divided by the probability to stay, the others are 0") {
  auto const x = eval(random::uniform<double, 100, 100>(key{1}) + 1.0);
  tensor<double, 100, 100> const y = nn::dropout(x, key{2}, 0.25);
  CHECK(std::abs(zeros_in(y) - 2500) < 200);
  CHECK(array_equal(y, where(y == 0.0, zeros<double, 100, 100>(), x * static_cast<double>(1 / 0.75f))));
  CHECK(std::abs(static_cast<double>(mean(y)) - static_cast<double>(mean(x))) < 0.03);
  auto const bits = random::bernoulli<100, 100>(key{2}, 0.75);
  CHECK(array_equal(y != 0.0, bits));
}
TEST_CASE("the key decides") {
  auto const x = ones<float, 64>();
  tensor<float, 64> const a = nn::dropout(x, key{1}, 0.5), b = nn::dropout(x, key{1}, 0.5), c = nn::dropout(x, key{2}, 0.5), d = compile(any_part)(key{1}, x, 0.5f);
  CHECK(array_equal(a, b));
  CHECK(!array_equal(a, c));
  CHECK(array_equal(a, d));
}
TEST_CASE("a probability of 0 changes nothing, of 1 leaves nothing") {
  constexpr float nan = std::numeric_limits<float>::quiet_NaN(), inf = std::numeric_limits<float>::infinity();
  tensor<float, 4> const x = {1, -0.0f, inf, nan};
  for (tensor<float, 4> const& y : {eval(nn::dropout(x, key{1}, 0.0)), compile(none)(key{1}, x), compile(any_part)(key{1}, x, 0.0f)}) {
    CHECK((y(0) == 1 && std::signbit(y(1)) && y(2) == inf && y(3) != y(3)));
  }
  CHECK(zeros_in(eval(nn::dropout(x, key{1}, 1.0))) == 4);
  tensor<float, 4> const g = grad<1>([](auto const& k, auto const& v, auto const& p) { return sum(square(nn::dropout(v, k, p))); })(key{1}, tensor<float, 4>{1, 2, 3, 4}, 1.0f);
  CHECK(zeros_in(g) == 4);
  constexpr auto& plan = compile(none).plan<key, tensor<float, 32, 64>>;
  static_assert(step_count(plan) == 1 && primitive_count(plan) == 0);
}
TEST_CASE("the gradient has the same zeros") {
  auto const x = eval(random::normal<double, 5, 7>(key{3}));
  constexpr auto loss = [](auto const& k, auto const& v) { return sum(square(nn::dropout(v, k, 0.25))); };
  tensor<double, 5, 7> const y = nn::dropout(x, key{4}, 0.25), g = grad<1>(loss)(key{4}, x);
  CHECK(allclose(g, 2.0 * y / 0.75));
  CHECK(check_gradients([](auto const& v, auto const& k) { return sum(square(nn::dropout(tanh(v), k, 0.25))); }, x, key{4}));
  constexpr auto& plan = compile(grad<1>(loss)).plan<key, tensor<double, 5, 7>>;
  static_assert(primitive_count(plan) == 1);
}
TEST_CASE("vmap: one key for all entries or one for each, a batch chosen at run time, a probability for each column") {
  auto const x = ones<float, 3, 40>();
  tensor<float, 3, 40> const alike = vmap<whole, mapped>(quarter)(key{1}, x);
  CHECK((array_equal(row(alike, 0), row(alike, 1)) && zeros_in(alike) > 0));
  auto const keys = random::split<3>(key{1});
  tensor<float, 3, 40> const own = vmap<mapped, mapped>(quarter)(stack_trees(keys), x);
  for (int i = 0; i < 3; ++i) CHECK(array_equal(row(own, i), nn::dropout(row(x, i), keys[static_cast<std::size_t>(i)], 0.25)));
  tensor<float, dim<"batch">, 40> some(2);
  some = 1.0f;
  tensor<float, dim<"batch">, 40> const y = compile(quarter)(key{1}, some);
  CHECK(array_equal(y, nn::dropout(ones<float, 2, 40>(), key{1}, 0.25)));
  tensor<float, 2> const p = {0, 1};
  tensor<float, 50, 2> const columns = nn::dropout(ones<float, 50, 2>(), key{1}, p);
  CHECK((static_cast<float>(sum(column(columns, 0))) == 50 && static_cast<float>(sum(column(columns, 1))) == 0));
}
TEST_CASE("an expression may outlive a temporary key") {
  auto const e = nn::dropout(ones<float, 64>(), key{1}, 0.5);
  tensor<float, 64> const other = nn::dropout(ones<float, 64>(), key{2}, 0.5), y = e;
  CHECK((array_equal(y, nn::dropout(ones<float, 64>(), key{1}, 0.5)) && !array_equal(y, other)));
}
