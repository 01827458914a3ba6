// Models, arrays, tuples, pairs and scalars as arguments and results of transforms.
#include <dimity/dimity.hpp>
#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <cstdint>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

using namespace dimity;

namespace {

template <class T>
struct net {
  nn::linear<T, 2, 3> first;
  std::array<nn::linear<T, 3, 3>, 2> blocks;
  std::pair<tensor<T, 3>, tensor<T>> tail;
  constexpr auto operator()(auto const& x) const {
    auto h = tanh(first(x));
    for (auto const& b : blocks) h = h + b(h);
    return sum(h * tail.first) * tail.second;
  }
};
constexpr auto value = [](auto const& model, auto const& x) { return model(x); };

net<double> example() {
  net<double> m{};
  double t = 0;
  for_each_parameter(m, [&](std::string_view, auto& leaf) {
    for (auto& e : leaf) e = std::sin(t += 0.7);
  });
  return m;
}

}  // namespace

TEST_CASE("names and counts") {
  auto const m = example();
  std::vector<std::string> names;
  for_each_parameter(m, [&](std::string_view name, auto const&) { names.emplace_back(name); });
  CHECK(names == std::vector<std::string>{"first.weight", "first.bias", "blocks.0.weight", "blocks.0.bias", "blocks.1.weight", "blocks.1.bias", "tail.0", "tail.1"});
  CHECK(parameter_count(m) == 6 + 3 + 2 * 12 + 3 + 1);
}
TEST_CASE("a model's gradient is a model") {
  auto const m = example();
  tensor<double, 2> const x = {0.3, -0.8};
  net<double> const g = grad(value)(m, x);
  double const h = 1e-6;
  std::vector<double> analytic;
  for_each_parameter(g, [&](std::string_view, auto const& leaf) { analytic.insert(analytic.end(), leaf.begin(), leaf.end()); });
  std::size_t at = 0;
  net<double> moved = m;
  for_each_parameter(moved, [&](std::string_view name, auto& leaf) {
    for (auto& e : leaf) {
      double const kept = e;
      e = kept + h;
      double const up = compile(value)(moved, x);
      e = kept - h;
      double const down = compile(value)(moved, x);
      e = kept;
      CAPTURE(name);
      CHECK(analytic[at++] == doctest::Approx((up - down) / (2 * h)).epsilon(1e-7));
    }
  });
}
TEST_CASE("models come out, with other fields than went in") {
  constexpr auto doubled = [](auto const& model) {
    auto next = model;
    next.first.bias = model.first.bias * 2.0;
    next.blocks[1] = model.blocks[0];
    return next;
  };
  auto const m = example();
  net<double> const n = compile(doubled)(m);
  CHECK(n.first.bias(1) == 2 * m.first.bias(1));
  CHECK(n.blocks[1].weight(2, 2) == m.blocks[0].weight(2, 2));
  CHECK(n.tail.first(2) == m.tail.first(2));
}
TEST_CASE("tuples, arrays and pairs as arguments") {
  constexpr auto f = [](auto const& t) { return sum(std::get<0>(t) * std::get<1>(t).first) + std::get<1>(t).second * std::get<2>(t)[1]; };
  using argument = std::tuple<tensor<double, 2>, std::pair<tensor<double, 2>, double>, std::array<tensor<double>, 2>>;
  argument const x{{1, 2}, {{3, 4}, 5.0}, {tensor<double>(6), tensor<double>(7)}};
  CHECK(static_cast<double>(compile(f)(x)) == 11 + 35);
  auto const g = grad(f)(x);
  CHECK((std::get<0>(g)(1) == 4 && std::get<1>(g).first(0) == 1));
  CHECK(static_cast<double>(std::get<1>(g).second) == 7);
  CHECK(static_cast<double>(std::get<2>(g)[0]) == 0);
  CHECK(static_cast<double>(std::get<2>(g)[1]) == 5);
}
TEST_CASE("a model in two precisions from one key of its type") {
  constexpr auto widen = [](auto const& model) { return sum(model.first.weight); };
  net<float> f{};
  f.first.weight = full<float, 2, 3>(0.5f);
  CHECK(static_cast<float>(compile(widen)(f)) == 3);
  static_assert(std::is_same_v<decltype(grad(widen)(f)), net<float>>);
}
