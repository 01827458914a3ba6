#include <dimity/dimity.hpp>
#include <doctest/doctest.h>

#include <cmath>
#include <limits>

using namespace dimity;

namespace {

template <class T, extent_t... E>
tensor<T, E...> numbered() {
  tensor<T, E...> x;
  int i = 0;
  for (T& e : x) e = static_cast<T>((i++ * 7 + 3) % 23);
  return x;
}
template <class A, class B>
bool same(A const& a, B const& b) {
  static_assert(std::is_same_v<typename A::shape_type, typename B::shape_type>);
  for (std::size_t i = 0; i < a.size(); ++i)
    if (a.data()[i] != b.data()[i]) return false;
  return true;
}

}  // namespace

TEST_CASE("take along an axis") {
  auto const x = numbered<float, 4, 3, 2>();
  tensor<int, 5> const i = {3, 0, 0, -1, 2};
  auto const rows = eval(take(x, i, axis<0>));
  static_assert(std::is_same_v<decltype(rows), tensor<float, 5, 3, 2> const>);
  int const at[] = {3, 0, 0, 3, 2};
  for (int r = 0; r < 5; ++r)
    for (int j = 0; j < 3; ++j)
      for (int k = 0; k < 2; ++k) CHECK(rows(r, j, k) == x(at[r], j, k));
  tensor<std::uint8_t, 2, 2> const m = {{2, 1}, {0, 2}};
  tensor<float, 4, 2, 2, 2> const middle = take(x, m, axis<1>);
  for (int a = 0; a < 4; ++a)
    for (int p = 0; p < 2; ++p)
      for (int q = 0; q < 2; ++q)
        for (int k = 0; k < 2; ++k) CHECK(middle(a, p, q, k) == x(a, m(p, q), k));
  tensor<std::int64_t, 3> const l = {1, -2, 1};
  tensor<float, 4, 3, 3> const last = take(x, l, axis<-1>);
  CHECK(last(2, 1, 1) == x(2, 1, 0));
  CHECK(last(2, 1, 2) == x(2, 1, 1));
  tensor<float, 3, 2> const one = take(x, 2, axis<0>);
  CHECK(same(one, eval(pick<0>(x, 2))));
  tensor<float, 5> const flat = take(x, i);
  CHECK(flat(0) == x(0, 1, 1));
  CHECK(flat(3) == x(3, 2, 1));
}

TEST_CASE("take of expressions, and indices outside are moved to the nearest element") {
  auto const x = numbered<double, 3, 4>();
  tensor<int, 4> const i = {7, -9, 1, -3};
  tensor<double, 4, 4> const y = take(x * 2.0 + 1.0, i + 0, axis<0>) * 0.5;
  int const at[] = {2, 0, 1, 0};
  for (int r = 0; r < 4; ++r)
    for (int c = 0; c < 4; ++c) CHECK(y(r, c) == x(at[r], c) + 0.5);
  tensor<double, 4, 4> const t = take(transpose(x), i, axis<1>);
  for (int r = 0; r < 4; ++r)
    for (int c = 0; c < 4; ++c) CHECK(t(c, r) == x(at[r], c));
  tensor<bool, 3> const flags = {true, false, true};
  tensor<bool, 4> const taken = take(flags, i, axis<0>);
  CHECK(taken(0));
  CHECK(!taken(2));
}

TEST_CASE("take_along_axis follows numpy") {
  auto const x = numbered<float, 3, 4>();
  tensor<int, 3, 2> const i = {{0, -1}, {2, 2}, {9, 1}};
  tensor<float, 3, 2> const y = take_along_axis(x, i, axis<1>);
  int const at[3][2] = {{0, 3}, {2, 2}, {3, 1}};
  for (int r = 0; r < 3; ++r)
    for (int c = 0; c < 2; ++c) CHECK(y(r, c) == x(r, at[r][c]));
  tensor<int, 2, 4> const j = {{0, 1, 2, -1}, {1, -3, 0, 5}};
  tensor<float, 2, 4> const z = take_along_axis(x, j, axis<0>);
  int const from[2][4] = {{0, 1, 2, 2}, {1, 0, 0, 2}};
  for (int r = 0; r < 2; ++r)
    for (int c = 0; c < 4; ++c) CHECK(z(r, c) == x(from[r][c], c));
  auto const cube = numbered<double, 2, 3, 4>();
  tensor<int, 2, 2, 4> k;
  for (std::size_t n = 0; n < k.size(); ++n) k.data()[n] = static_cast<int>(n % 3);
  tensor<double, 2, 2, 4> const w = take_along_axis(cube, k, axis<1>);
  for (int a = 0; a < 2; ++a)
    for (int b = 0; b < 2; ++b)
      for (int c = 0; c < 4; ++c) CHECK(w(a, b, c) == cube(a, k(a, b, c), c));
  // Other axes broadcast.
  tensor<int, 1, 2> const shared = {{3, 0}};
  tensor<float, 3, 2> const columns = take_along_axis(x, shared, axis<1>);
  for (int r = 0; r < 3; ++r) CHECK(columns(r, 0) == x(r, 3));
  tensor<float, 3, 1> const best = take_along_axis(x, argmax(x, axis<1>, keep_dims), axis<1>);
  CHECK(same(best, eval(max(x, axis<1>, keep_dims))));
}

TEST_CASE("scatter_add adds every occurrence") {
  tensor<float, 4, 2> const base = {{1, 2}, {3, 4}, {5, 6}, {7, 8}};
  tensor<int, 3> const i = {2, 0, 2};
  tensor<float, 3, 2> const u = {{10, 20}, {30, 40}, {50, 60}};
  tensor<float, 4, 2> const expected = {{31, 42}, {3, 4}, {65, 86}, {7, 8}};
  CHECK(same(eval(scatter_add(base, i, u, axis<0>)), expected));
  tensor<float, 2, 4> const turned = scatter_add(transpose(base), i, transpose(u), axis<1>);
  CHECK(same(turned, eval(transpose(expected))));
  tensor<std::uint8_t, 3, 4> const pixels = {{0, 1, 1, 3}, {3, 3, 0, 1}, {2, 1, 1, 1}};
  tensor<int, 4> const histogram = scatter_add(zeros<int, 4>(), pixels, 1, axis<0>);
  tensor<int, 4> const counts = {2, 6, 1, 3};
  CHECK(same(histogram, counts));
  tensor<float, 4, 2> in_place = base;
  in_place = scatter_add(in_place, i, u, axis<0>);
  CHECK(same(in_place, expected));
}

TEST_CASE("one_hot") {
  tensor<int, 2, 2> const i = {{0, 2}, {-1, 3}};
  auto const y = eval(one_hot<3>(i));
  static_assert(std::is_same_v<decltype(y), tensor<float, 2, 2, 3> const>);
  tensor<float, 2, 2, 3> const expected = {{{1, 0, 0}, {0, 0, 1}}, {{0, 0, 0}, {0, 0, 0}}};
  CHECK(same(y, expected));
  tensor<std::uint8_t, 2> const small = {200, 1};
  tensor<double, 2, 300> const wide = one_hot<300, double>(small);
  CHECK(wide(0, 200) == 1);
  CHECK(static_cast<double>(sum(wide)) == 2);
  tensor<std::uint64_t, 1> const large = {std::uint64_t{1} << 32};
  CHECK(static_cast<float>(sum(one_hot<3>(large))) == 0);
  tensor<bool, 2, 2, 3> const mask = one_hot<3, bool>(i);
  CHECK(mask(0, 1, 2));
}

TEST_CASE("argsort and sort: stable, nan last, any axis") {
  float const nan = std::numeric_limits<float>::quiet_NaN(), inf = std::numeric_limits<float>::infinity();
  tensor<float, 9> const x = {3, nan, -1, 3, -inf, 0, nan, inf, -1};
  tensor<std::int64_t, 9> const order = argsort(x);
  tensor<std::int64_t, 9> const expected = {4, 2, 8, 5, 0, 3, 7, 1, 6};
  CHECK(same(order, expected));
  tensor<float, 9> const sorted = sort(x);
  CHECK(sorted(0) == -inf);
  CHECK(sorted(6) == inf);
  CHECK(std::isnan(sorted(7)));
  auto const m = numbered<int, 5, 7>();
  tensor<int, 5, 7> const by_row = sort(m), by_column = sort(m, axis<0>);
  for (int r = 0; r < 5; ++r)
    for (int c = 1; c < 7; ++c) CHECK(by_row(r, c - 1) <= by_row(r, c));
  for (int c = 0; c < 7; ++c)
    for (int r = 1; r < 5; ++r) CHECK(by_column(r - 1, c) <= by_column(r, c));
  CHECK(static_cast<std::int64_t>(sum(by_column)) == static_cast<std::int64_t>(sum(m)));
  auto const cube = numbered<double, 3, 4, 2>();
  tensor<double, 3, 4, 2> const middle = sort(cube, axis<1>);
  for (int a = 0; a < 3; ++a)
    for (int c = 0; c < 2; ++c)
      for (int b = 1; b < 4; ++b) CHECK(middle(a, b - 1, c) <= middle(a, b, c));
  // An operand that is computed is needed twice, in two orders.
  tensor<int, 5, 7> const descending = -sort(-m, axis<0>);
  for (int c = 0; c < 7; ++c)
    for (int r = 0; r < 5; ++r) CHECK(descending(r, c) == by_column(4 - r, c));
  tensor<double, 3, 4, 2> const again = take_along_axis(cube, argsort(cube, axis<1>), axis<1>);
  CHECK(same(again, middle));
}

TEST_CASE("derivatives go to the elements that were chosen") {
  auto const x = numbered<double, 4, 3>();
  tensor<int, 3> const i = {2, 0, 2};
  auto const of_take = [](auto const& t, auto const& indices) { return sum(take(t, indices, axis<0>) * take(t, indices, axis<0>)); };
  tensor<double, 4, 3> const g = grad(of_take)(x, i);
  for (int c = 0; c < 3; ++c) {
    CHECK(g(0, c) == 2 * x(0, c));
    CHECK(g(1, c) == 0);
    CHECK(g(2, c) == 4 * x(2, c));
  }
  auto const weighted = [](auto const& t, auto const& w) { return sum(sort(t, axis<0>) * w); };
  tensor<double, 4, 1> const w = {{1}, {10}, {100}, {1000}};
  tensor<double, 4, 3> const s = grad(weighted)(x, w);
  tensor<std::int64_t, 4, 3> const order = argsort(x, axis<0>);
  for (int r = 0; r < 4; ++r)
    for (int c = 0; c < 3; ++c) CHECK(s(static_cast<int>(order(r, c)), c) == w(r, 0));
  auto const of_scatter = [](auto const& b, auto const& indices, auto const& u) { return sum(square(scatter_add(b, indices, u, axis<0>))); };
  auto const u = numbered<double, 3, 3>();
  auto const [gb, gu] = grad<0, 2>(of_scatter)(x, i, u);
  tensor<double, 4, 3> const y = scatter_add(x, i, u, axis<0>);
  for (int r = 0; r < 4; ++r)
    for (int c = 0; c < 3; ++c) CHECK(gb(r, c) == 2 * y(r, c));
  for (int r = 0; r < 3; ++r)
    for (int c = 0; c < 3; ++c) CHECK(gu(r, c) == 2 * y(i(r), c));
}
