// compile(): what goes in and comes out, where the result lies, what a call allocates.
#include <dimity/dimity.hpp>
#include <doctest/doctest.h>

#include "allocations.hpp"

#include <array>
#include <cmath>
#include <cstdint>
#include <tuple>
#include <utility>

using namespace dimity;

namespace {

constexpr auto affine = [](auto const& x, auto const& w) { return tanh(matmul(x, w)) + 1.0; };
constexpr auto several = [](auto const& x, auto const& s) { return std::tuple{x * s, std::array{sum(x), max(x)}, std::pair{x > 0.0, s}}; };

}  // namespace

TEST_CASE("the value is that of the expression") {
  tensor<double, 2, 3> const x = {{1, 2, 3}, {4, 5, 6}};
  tensor<double, 3, 2> const w = {{0.1, 0.2}, {0.3, -0.4}, {-0.5, 0.6}};
  CHECK(allclose(compile(affine)(x, w), affine(x, w)));
  static_assert(std::is_same_v<decltype(compile(affine)(x, w)), tensor<double, 2, 2>>);
}
TEST_CASE("arguments: expressions, views, scalars, results: tuples, arrays, pairs, to any depth") {
  tensor<double, 3> const x = {1, -2, 3};
  auto const [scaled, both, rest] = compile(several)(x + 1.0, 2.0);
  CHECK((scaled(0) == 4 && scaled(1) == -2 && scaled(2) == 8));
  CHECK((static_cast<double>(both[0]) == 5 && static_cast<double>(both[1]) == 4));
  CHECK((rest.first(0) && !rest.first(1)));
  CHECK(static_cast<double>(rest.second) == 2);
  auto const [viewed, b, r] = compile(several)(view(x), tensor<double>(3));
  CHECK(viewed(2) == 9);
}
TEST_CASE("a column of a matrix, an argument twice, an argument unused, constants and inputs as results") {
  tensor<double, 2, 2> const m = {{1, 2}, {3, 4}};
  tensor<double, 2> const c = compile([](auto const& v) { return v * 10.0; })(column(m, 1));
  CHECK((c(0) == 20 && c(1) == 40));
  CHECK(allclose(compile([](auto const& a, auto const& b) { return a - b; })(m, m), zeros<double, 2, 2>()));
  CHECK(allclose(compile([](auto const& a, auto const&) { return a; })(m, 5), m));
  auto const [same, twice, constant] = compile([](auto const& a) { return std::tuple{a, a, a * 0.0 + 7.0}; })(m);
  CHECK((same(1, 0) == 3 && twice(0, 1) == 2 && constant(1, 1) == 7));
}
TEST_CASE("integers and booleans go through") {
  tensor<std::int32_t, 3> const i = {1, 2, 3};
  auto const [s, even] = compile([](auto const& x) { return std::tuple{sum(x), x % 2 == 0}; })(i);
  static_assert(std::is_same_v<std::remove_cvref_t<decltype(s)>, tensor<std::int64_t>>);
  CHECK(static_cast<std::int64_t>(s) == 6);
  CHECK((!even(0) && even(1)));
}
TEST_CASE("a call allocates its results only, and only where they do not fit inline") {
  tensor<float, 64, 64> const x = full<float, 64, 64>(0.5f), w = full<float, 64, 64>(0.01f);
  constexpr auto chain = compile([](auto const& a, auto const& b) { return sum(tanh(matmul(tanh(matmul(a, b)), b))); });
  (void)chain(x, w);
  auto before = test::allocation_count();
  tensor<float> const y = chain(x, w);
  CHECK(test::allocation_count() == before);
  CHECK(static_cast<float>(y) > 0);
  constexpr auto large = compile([](auto const& a, auto const& b) { return std::tuple{a + b, sum(a)}; });
  before = test::allocation_count();
  auto const result = large(x, w);
  CHECK(test::allocation_count() == before + 1);
  CHECK(std::get<0>(result)(3, 3) == 0.51f);
}
TEST_CASE("scratch memory is a constant of the argument types") {
  constexpr auto f = compile(affine);
  static_assert(f.workspace_bytes<tensor<double, 2, 3>, tensor<double, 3, 2>> == 0);
  constexpr auto two = compile([](auto const& a, auto const& b) { return matmul(matmul(a, b), b); });
  static_assert(two.workspace_bytes<tensor<float, 64, 64>, tensor<float, 64, 64>> >= 64 * 64 * 4);
  static_assert(two.workspace_bytes<tensor<float, 64, 64>, tensor<float, 64, 64>> < 3 * 64 * 64 * 4);
}
TEST_CASE("a compiled function inside another is part of it") {
  constexpr auto inner = compile([](auto const& x) { return exp(x) * 2.0; });
  constexpr auto outer_ = compile([](auto const& x) { return sum(decltype(inner){}(x)); });
  CHECK(static_cast<double>(outer_(tensor<double, 2>{0, 1})) == doctest::Approx(2 + 2 * std::exp(1.0)));
  CHECK(grad(outer_)(tensor<double, 2>{0, 1})(0) == 2);
}
