// Matrices and functions of them that the tests of factorisations on a GPU share.
#pragma once

#include "on_cuda.hpp"

namespace test {

inline constexpr auto solve = [](auto const& a, auto const& b) { return dimity::linalg::solve(a, b); };
inline constexpr auto factor = [](auto const& a) { return dimity::linalg::cholesky(a); };
inline constexpr auto determinant = [](auto const& a) { return dimity::linalg::slogdet(a); };
template <class T, dimity::extent_t N>
dimity::tensor<T, 3, N, N> positive() {
  auto const x = numbers<T, 3, N, N>(1);
  return dimity::eval(dimity::matmul(x, dimity::permute<0, 2, 1>(x)) + static_cast<T>(N) * dimity::eye<T, N>());
}
/// Rows must be exchanged.
template <class T, dimity::extent_t N>
dimity::tensor<T, 3, N, N> regular() {
  dimity::tensor<T, 3, N, N> a = numbers<T, 3, N, N>(2);
  for (int m = 0; m < 3; ++m)
    for (int i = 0; i < N; ++i) a(m, i, (i + 1) % N) += static_cast<T>(4);
  return a;
}
template <class T>
inline constexpr double tolerance = std::is_same_v<T, float> ? 2e-4 : 1e-10;

}  // namespace test
