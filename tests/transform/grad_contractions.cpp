// The derivative of every contraction.
#include "derivatives.hpp"

using namespace dimity;
using test::check_derivatives;
using test::spread;

TEST_CASE("contractions") {
  check_derivatives([](auto const& a, auto const& b) { return std::tuple{matmul(a, b), matmul(transpose(b), transpose(a)), dot(a, b)}; }, spread<tensor<double, 3, 4>>(-1, 1), spread<tensor<double, 4, 5>>(-1, 1));
  check_derivatives([](auto const& a, auto const& b) { return std::tuple{matmul(a, b), matmul(b, b)}; }, spread<tensor<double, 2, 3, 4>>(-1, 1), spread<tensor<double, 4, 4>>(-1, 1));
  check_derivatives([](auto const& a, auto const& b, auto const& m) { return std::tuple{matmul(a, b), outer(a, b), inner(a, b), matmul(m, a), matmul(b, m)}; }, spread<tensor<double, 4>>(-1, 1), spread<tensor<double, 4>>(-1, 1),
                    spread<tensor<double, 4, 4>>(-1, 1));
  check_derivatives([](auto const& a, auto const& b) { return std::tuple{tensordot<2>(a, b), tensordot<1>(a, transpose(b))}; }, spread<tensor<double, 2, 3, 4>>(-1, 1), spread<tensor<double, 3, 4>>(-1, 1));
  check_derivatives([](auto const& a, auto const& b) { return std::tuple{matmul(a, b)}; }, spread<tensor<double, 2, 1, 3, 4>>(-1, 1), spread<tensor<double, 5, 4, 2>>(-1, 1));
}
