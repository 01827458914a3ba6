// With DIMITY_LAPACK the larger factorisations are LAPACK's: checked against what they promise.
// flags: -DDIMITY_LAPACK
// package: LAPACK
#include <dimity/dimity.hpp>

#include <cmath>
#include <cstdio>
#include <limits>
#include <tuple>

using namespace dimity;

namespace {

int failures = 0;

void check(bool holds, char const* what, int line) {
  if (holds) return;
  std::printf("line %d: %s\n", line, what);
  ++failures;
}
#define CHECK(...) check((__VA_ARGS__), #__VA_ARGS__, __LINE__)

template <class T, extent_t M, extent_t N>
tensor<T, M, N> made() {
  return random::normal<T, M, N>(key{5});
}
template <class X, class Y>
bool near(X const& x, Y const& y, double scale) {
  double const bound = scale * static_cast<double>(std::numeric_limits<typename X::value_type>::epsilon());
  return allclose(x, y, bound, bound);
}
/// a b, by its definition: a product of our own for every shape here would take minutes to compile.
template <class T, extent_t M, extent_t K, extent_t N>
tensor<T, M, N> product(tensor<T, M, K> const& a, tensor<T, K, N> const& b) {
  tensor<T, M, N> c;
  for (extent_t i = 0; i < M; ++i)
    for (extent_t k = 0; k < K; ++k)
      for (extent_t j = 0; j < N; ++j) c(i, j) += a(i, k) * b(k, j);
  return c;
}
template <class T, extent_t M, extent_t N>
tensor<T, N, M> transposed(tensor<T, M, N> const& a) {
  return transpose(a);
}
template <class T, extent_t M, extent_t N>
void check_factors() {
  auto const a = made<T, M, N>();
  auto const [u, s, vh] = linalg::svd(a);
  CHECK(near(product(eval(u * s), vh), a, 3000));
  CHECK(near(product(transposed(u), u), eye<T, N>(), 1000));
  CHECK(near(product(vh, transposed(vh)), eye<T, N>(), 1000));
  auto const [q, r] = linalg::qr(a);
  CHECK(near(product(q, r), a, 3000));
  CHECK(near(product(transposed(q), q), eye<T, N>(), 1000));
  CHECK(array_equal(r, triu(r)));
  auto const square = eval(product(transposed(a), a) / static_cast<T>(N) + eye<T, N>());
  auto const [w, v] = linalg::eigh(square + T(7) * triu<1>(full_like(square, 1)));  // only the lower triangle is read
  CHECK(near(product(square, v), v * w, 10000));
  CHECK(near(eval(linalg::svdvals(square)), flip(w, axis<0>), 10000));
  auto const l = eval(linalg::cholesky(square));
  CHECK(near(product(l, transposed(l)), square, 3000));
  CHECK(array_equal(l, tril(l)));
  auto const b = made<T, N, 3>();
  CHECK(near(product(square, eval(linalg::solve(square, b))), b, 10000));
  CHECK(near(eval(linalg::solve(square, flatten(slice<1, 0, 1>(b)))), flatten(slice<1, 0, 1>(linalg::solve(square, b))), 100));
}

}  // namespace

int main() {
  static_assert(dimity::detail::has_lapack);
  check_factors<double, 120, 100>();
  check_factors<float, 64, 48>();
  auto const m = made<double, 100, 100>();
  auto const a = eval(product(m, transposed(m)) / 100.0 + eye<double, 100>());
  // What has no factor, or is not finite.
  CHECK(bool(any(isnan(linalg::cholesky(-a)))));
  CHECK(!bool(all(isfinite(linalg::solve(zeros<double, 64, 64>(), ones<double, 64>())))));
  auto bad = a;
  bad(3, 1) = std::numeric_limits<double>::quiet_NaN();
  CHECK(bool(all(isnan(linalg::svdvals(bad)))));
  CHECK(bool(all(isnan(linalg::eigvalsh(bad)))));
  // Batches, and operands that are not side by side in memory.
  auto const both = eval(stack<0>(a, eval(a + eye<double, 100>())));
  auto const values = eval(linalg::eigvalsh(both));
  CHECK(near(eval(pick<0>(values, 1)), pick<0>(values, 0) + 1.0, 1e5));
  auto const wide = made<double, 30, 50>();
  CHECK(near(eval(linalg::svdvals(wide)), linalg::svdvals(eval(transpose(wide))), 1e4));
  std::printf(failures == 0 ? "passed\n" : "failed\n");
  return failures != 0;
}
