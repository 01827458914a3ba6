// The derivative of every reduction, over every kind of axis set, and of cumulative functions.
#include "derivatives.hpp"

using namespace dimity;
using test::check_derivatives;
using test::spread;

TEST_CASE("sum and mean over axis subsets") {
  check_derivatives([](auto const& x) { return std::tuple{sum(square(x)), sum(square(x), axis<0>), sum(square(x), axis<1>), sum(square(x), axis<2>)}; }, spread<tensor<double, 2, 3, 4>>(-1, 1));
  check_derivatives([](auto const& x) { return std::tuple{sum(exp(x), axis<0, 2>), sum(exp(x), axis<1, 2>, keep_dims), mean(exp(x), axis<0, 1>), mean(exp(x))}; }, spread<tensor<double, 2, 3, 4>>(-1, 1));
}
TEST_CASE("max and min") {
  check_derivatives([](auto const& x) { return std::tuple{max(x), max(x, axis<0>), max(x, axis<-1>, keep_dims), min(x), min(x, axis<0, 2>), max(x, axis<1>) - min(x, axis<1>)}; }, spread<tensor<double, 2, 3, 4>>(-1, 1));
  // Equal maxima share the derivative.
  tensor<double, 2, 3> const g = grad([](auto const& x) { return sum(max(x, axis<1>)); })(tensor<double, 2, 3>{{1, 3, 3}, {2, 2, 2}});
  CHECK((g(0, 0) == 0 && g(0, 1) == 0.5 && g(0, 2) == 0.5));
  CHECK(g(1, 1) == doctest::Approx(1.0 / 3));
}
TEST_CASE("prod, with zeros") {
  check_derivatives([](auto const& x) { return std::tuple{prod(x), prod(x, axis<0>), prod(x, axis<1>), prod(x, axis<0, 2>)}; }, spread<tensor<double, 2, 3, 2>>(0.5, 1.6));
  constexpr auto all = [](auto const& x) { return prod(x); };
  tensor<double, 4> const one = grad(all)(tensor<double, 4>{2, 0, 3, 5}), two = grad(all)(tensor<double, 4>{2, 0, 0, 5});
  CHECK((one(0) == 0 && one(1) == 30 && one(2) == 0 && one(3) == 0));
  CHECK((two(0) == 0 && two(1) == 0 && two(2) == 0 && two(3) == 0));
}
TEST_CASE("moments, norms, logsumexp, softmax") {
  check_derivatives([](auto const& x) { return std::tuple{var(x), var(x, axis<1>), dimity::std(x, axis<0>), norm(x), norm(x, axis<1>)}; }, spread<tensor<double, 3, 4>>(-1, 1));
  check_derivatives([](auto const& x) { return std::tuple{logsumexp(x), logsumexp(x, axis<0>), softmax(x, axis<-1>), softmax(x, axis<0>), log_softmax(x, axis<-1>)}; }, spread<tensor<double, 3, 4>>(-1, 1));
}
TEST_CASE("cumulative functions, with zeros") {
  check_derivatives([](auto const& x) { return std::tuple{cumulative_sum(x, axis<0>), cumulative_sum(x, axis<1>), cumulative_prod(x, axis<0>), cumulative_prod(x, axis<1>)}; }, spread<tensor<double, 3, 4>>(0.5, 1.6));
  tensor<double, 3> const g = grad([](auto const& x) { return sum(cumulative_prod(x, axis<0>)); })(tensor<double, 3>{2, 0, 3});
  CHECK((g(0) == 1 && g(1) == 2 + 6 && g(2) == 0));
}
