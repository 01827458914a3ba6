// associative_scan against scan.
// heavy: many compiled derivatives
#include "derivatives.hpp"

using namespace dimity;
using test::check_derivatives;
using test::spread;

namespace {

constexpr auto plus = [](auto const& a, auto const& b) { return a + b; };
constexpr auto times = [](auto const& a, auto const& b) { return matmul(a, b); };
// h_t = a_t h_{t-1} + b_t as maps: first (a, b), then (c, d).
constexpr auto then = [](auto const& f, auto const& g) { return std::pair{g.first * f.first, g.first * f.second + g.second}; };

template <extent_t N>
void check_sums() {
  auto const x = spread<tensor<double, N>>(-1, 1);
  CAPTURE(N);
  CHECK(allclose(associative_scan(plus, x), cumulative_sum(x, axis<0>), 1e-13, 1e-13));
  CHECK(allclose(associative_scan<scan_options{.reverse = true}>(plus, x), flip(cumulative_sum(flip(x, axis<0>), axis<0>), axis<0>), 1e-13, 1e-13));
}

}  // namespace

TEST_CASE("sums of any number of entries") {
  check_sums<1>();
  check_sums<2>();
  check_sums<3>();
  check_sums<4>();
  check_sums<7>();
  check_sums<16>();
  check_sums<33>();
}
TEST_CASE("an operation that does not commute") {
  auto const a = spread<tensor<double, 6, 3, 3>>(-1, 1);
  auto const got = associative_scan(times, a);
  tensor<double, 3, 3> product = pick<0>(a, 0);
  for (int i = 0; i < 6; ++i) {
    if (i > 0) product = eval(matmul(eval(product), pick<0>(a, i)));
    CHECK(allclose(pick<0>(got, i), product, 1e-12, 1e-12));
  }
  check_derivatives([](auto const& m) { return associative_scan(times, m); }, a);
}
TEST_CASE("a linear recurrence, over pairs") {
  auto const a = spread<tensor<double, 9, 2>>(-1, 1), b = spread<tensor<double, 9, 2>>(-2, 1);
  auto const [scale, h] = associative_scan(then, std::pair{a, b});
  tensor<double, 2> want = zeros<double, 2>();
  for (int i = 0; i < 9; ++i) {
    want = eval(row(a, i) * eval(want) + row(b, i));
    CHECK(allclose(row(h, i), want, 1e-12, 1e-12));
  }
}
