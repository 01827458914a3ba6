// Embeddings: rows at indices of any shape, at the edges of the table, their gradient, and how they start.
#include <dimity/dimity.hpp>
#include <dimity/plan/facts.hpp>
#include <dimity/transform/check_gradients.hpp>
#include <doctest/doctest.h>

#include <cstdint>

using namespace dimity;

namespace {

constexpr auto apply = [](auto const& table, auto const& indices) { return table(indices); };
constexpr auto loss = [](auto const& table, auto const& indices) { return sum(square(table(indices))); };

nn::embedding<double, 3, 2> example() { return {{{1, 2}, {3, 4}, {5, 6}}}; }

}  // namespace

TEST_CASE("rows at indices of any shape and integer type") {
  auto const table = example();
  tensor<double, 2> const one = table(1);
  CHECK(array_equal(one, tensor<double, 2>{3, 4}));
  tensor<double, 3, 2> const some = table(tensor<std::int64_t, 3>{2, 0, 2});
  CHECK(array_equal(some, tensor<double, 3, 2>{{5, 6}, {1, 2}, {5, 6}}));
  tensor<double, 2, 1, 2> const nested = table(tensor<std::uint8_t, 2, 1>{{1}, {2}});
  CHECK(array_equal(nested, tensor<double, 2, 1, 2>{{{3, 4}}, {{5, 6}}}));
  CHECK(array_equal(compile(apply)(table, tensor<std::int32_t, 3>{2, 0, 2}), some));
}
TEST_CASE("indices outside: negative ones count from the end, the others give the nearest row") {
  tensor<double, 4, 2> const rows = example()(tensor<int, 4>{-1, -3, 3, -100});
  CHECK(array_equal(rows, tensor<double, 4, 2>{{5, 6}, {1, 2}, {5, 6}, {1, 2}}));
}
TEST_CASE("the gradient adds into the rows that were taken") {
  auto const g = grad(loss)(example(), tensor<int, 3>{2, 0, 2});
  CHECK(array_equal(g.weight, tensor<double, 3, 2>{{2, 4}, {0, 0}, {20, 24}}));
  CHECK(check_gradients(loss, nn::init<nn::embedding<double, 7, 3>>(key{1}), tensor<int, 2, 3>{{1, 6, 1}, {0, 3, 1}}));
}
TEST_CASE("vmap, and as many indices as a call has") {
  auto const table = nn::init<nn::embedding<float, 5, 3>>(key{2});
  tensor<int, 2, 2> const indices = {{4, 1}, {0, 4}};
  tensor<float, 2, 2, 3> const rows = vmap<whole, mapped>(apply)(table, indices);
  CHECK(array_equal(rows, table(indices)));
  for (extent_t const n : {0, 1, 3}) {
    tensor<int, dim<"tokens">> some(n);
    for (auto& e : some) e = 4;
    auto const y = compile(apply)(table, some);
    CHECK(y.extent(0) == static_cast<std::size_t>(n));
    for (extent_t i = 0; i < n; ++i) CHECK(array_equal(row(y, i), row(table.weight, 4)));
  }
}
TEST_CASE("rows start standard normal, in float as in double") {
  auto const d = nn::init<nn::embedding<double, 1000, 33>>(key{1});
  auto const f = nn::init<nn::embedding<float, 1000, 33>>(key{1});
  CHECK(std::abs(static_cast<double>(mean(d.weight))) < 0.02);
  CHECK(std::abs(static_cast<double>(var(d.weight)) - 1) < 0.03);
  CHECK(std::abs(static_cast<double>(mean(pow(d.weight, 4.0))) - 3) < 0.2);
  CHECK(f.weight(999, 32) == static_cast<float>(d.weight(999, 32)));
  CHECK(d.weight(0, 0) != nn::init<nn::embedding<double, 1000, 33>>(key{2}).weight(0, 0));
}
TEST_CASE("plan: one gather, which what follows reads") {
  constexpr auto& plan = compile([](auto const& table, auto const& indices) { return tanh(table(indices)); }).plan<nn::embedding<float, 100, 16>, tensor<int, 8, 4>>;
  static_assert(step_count(plan) == 2 && primitive_count(plan) == 1);
  CHECK(bytes_written(plan) == 2 * 8 * 4 * 16 * 4);
}
