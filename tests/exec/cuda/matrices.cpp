// heavy: many factorisations, each with a plan and a kernel of its own
#include "matrices.hpp"

using namespace dimity;
using test::determinant, test::factor, test::numbers, test::positive, test::regular, test::same_within, test::solve, test::tolerance;

TEST_CASE_TEMPLATE("cuda: systems of equations", T, float, double) {
  same_within(tolerance<T>, solve, regular<T, 1>(), numbers<T, 3, 1, 2>(3));
  same_within(tolerance<T>, solve, regular<T, 7>(), numbers<T, 3, 7, 2>(3));
  same_within(tolerance<T>, solve, regular<T, 20>(), numbers<T, 3, 20, 1>(4));
  same_within(tolerance<T>, solve, regular<T, 40>(), numbers<T, 3, 40, 5>(5));
  same_within(tolerance<T>, [](auto const& a, auto const& b) { return linalg::solve(permute<0, 2, 1>(a), b); }, regular<T, 9>(), numbers<T, 9, 3>(6));
  same_within(tolerance<T>, [](auto const& a) { return linalg::inv(a); }, regular<T, 12>());
  same_within(tolerance<T>, solve, tensor<T, 3, 0, 0>{}, tensor<T, 3, 0, 2>{});
}

TEST_CASE_TEMPLATE("cuda: Cholesky factors, triangles, determinants", T, float, double) {
  same_within(tolerance<T>, factor, positive<T, 1>());
  same_within(tolerance<T>, factor, positive<T, 9>());
  same_within(tolerance<T>, factor, positive<T, 37>());
  same_within(tolerance<T>, determinant, regular<T, 6>());
  same_within(tolerance<T>, determinant, regular<T, 33>());
  same_within(tolerance<T>, [](auto const& a) { return linalg::det(a); }, regular<T, 5>());
  auto const triangles = [](auto const& a, auto const& b) { return std::tuple{linalg::triangular_solve(a, b), linalg::triangular_solve<true>(a, b)}; };
  same_within(tolerance<T>, triangles, positive<T, 8>(), numbers<T, 3, 8, 3>(3));
  same_within(tolerance<T>, triangles, positive<T, 21>(), numbers<T, 3, 21, 40>(3));  // columns in two blocks
}
