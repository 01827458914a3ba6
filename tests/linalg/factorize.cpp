// Cholesky factors, triangular systems and determinants, against the product and each other.
#include "matrices.hpp"

#include <cmath>
#include <limits>

using namespace dimity;
using test::check_derivatives;
using test::positive;
using test::regular;
using test::spread;

namespace {

template <class T, extent_t N>
void check_size() {
  CAPTURE(N);
  double const tolerance = sizeof(T) == 4 ? 1e-4 : 1e-12;
  auto const a = positive<T, N>();
  auto const l = eval(linalg::cholesky(a));
  CHECK(allclose(matmul(l, transpose(l)), a, tolerance, tolerance));
  CHECK(array_equal(l, tril(l)));
  auto const b = spread<tensor<T, N, 3>>(-1, 1);
  CHECK(allclose(matmul(l, linalg::triangular_solve(l, b)), b, tolerance, tolerance));
  CHECK(allclose(matmul(transpose(l), linalg::triangular_solve<true>(transpose(l), b)), b, tolerance, tolerance));
  CHECK(allclose(linalg::triangular_solve<true>(transpose(l), linalg::triangular_solve(l, b)), linalg::solve(a, b), 10 * tolerance, 10 * tolerance));
  auto const [sign, logarithm] = linalg::slogdet(a);
  CHECK(static_cast<T>(sign) == T(1));
  CHECK(allclose(eval(logarithm), 2 * sum(log(diagonal(l))), tolerance, tolerance));
}

}  // namespace

TEST_CASE("factors, and what is solved with them") {
  check_size<double, 1>();
  check_size<double, 2>();
  check_size<double, 5>();
  check_size<double, 17>();
  check_size<float, 1>();
  check_size<float, 6>();
  check_size<float, 16>();
}
TEST_CASE("NumPy's values") {
  // numpy.linalg.cholesky([[4, 2], [2, 5]]), numpy.linalg.slogdet and det of [[0, 2, 1], [3, 4, -1], [1, 1, 1]]
  CHECK(allclose(linalg::cholesky(tensor<double, 2, 2>{{4, 100}, {2, 5}}), tensor<double, 2, 2>{{2, 0}, {1, 2}}));
  tensor<double, 3, 3> const a = {{0, 2, 1}, {3, 4, -1}, {1, 1, 1}};
  auto const [sign, logarithm] = linalg::slogdet(a);
  CHECK(double(sign) == -1);
  CHECK(double(logarithm) == doctest::Approx(std::log(9.0)));
  CHECK(double(linalg::det(a)) == doctest::Approx(-9));
  CHECK(double(linalg::det(tensor<double, 1, 1>{{-3}})) == doctest::Approx(-3));
  CHECK(double(linalg::det(200.0 * eye<double, 150>())) == std::numeric_limits<double>::infinity());
  CHECK(double(std::get<1>(linalg::slogdet(eval(200.0 * eye<double, 150>())))) == doctest::Approx(150 * std::log(200.0)));
}
TEST_CASE("what has no factor") {
  tensor<double, 2, 2> const indefinite = {{1, 2}, {2, 1}}, singular = {{1, 2}, {2, 4}};
  CHECK(std::isnan(eval(linalg::cholesky(indefinite))(1, 1)));
  auto const [sign, logarithm] = linalg::slogdet(singular);
  CHECK(double(sign) == 0);
  CHECK(double(logarithm) == -std::numeric_limits<double>::infinity());
  CHECK(double(linalg::det(singular)) == 0);
  CHECK(std::isnan(double(linalg::det(tensor<double, 2, 2>{{std::nan(""), 1}, {1, 1}}))));
  CHECK(double(linalg::det(tensor<double, 0, 0>{})) == 1);
}
TEST_CASE("only one triangle is read") {
  tensor<double, 3, 3> l = {{2, 7, 7}, {1, 3, 7}, {-1, 2, 4}};
  tensor<double, 3> const b = {2, 7, 9};
  CHECK(allclose(linalg::triangular_solve(l, b), linalg::solve(tril(l), b)));
  CHECK(allclose(linalg::triangular_solve<true>(l, b), linalg::solve(triu(l), b)));
}
TEST_CASE("batches") {
  tensor<double, 4, 3, 3> a;
  for (int k = 0; k < 4; ++k) row(a, k) = positive<double, 3>() + static_cast<double>(k) * eye<double, 3>();
  auto const b = spread<tensor<double, 3, 2>>(-1, 1);
  auto const l = eval(linalg::cholesky(a));
  auto const x = eval(linalg::triangular_solve(l, b));
  auto const d = eval(linalg::det(a));
  static_assert(std::is_same_v<decltype(x), tensor<double, 4, 3, 2> const> && std::is_same_v<decltype(d), tensor<double, 4> const>);
  for (int k = 0; k < 4; ++k) {
    CHECK(allclose(pick<0>(l, k), linalg::cholesky(pick<0>(a, k)), 1e-13, 1e-13));
    CHECK(allclose(pick<0>(x, k), linalg::triangular_solve(pick<0>(l, k), b), 1e-13, 1e-13));
    CHECK(d(k) == doctest::Approx(double(linalg::det(pick<0>(a, k)))));
  }
  CHECK(allclose(vmap([](auto const& m) { return linalg::cholesky(m); })(a), l, 1e-13, 1e-13));
  CHECK(allclose(vmap([](auto const& m) { return linalg::det(m); })(a), d, 1e-13, 1e-13));
  CHECK(allclose(vmap<mapped, whole>([](auto const& m, auto const& v) { return linalg::triangular_solve(m, v); })(l, b), x, 1e-13, 1e-13));
  // A number of matrices that is chosen at run time.
  tensor<double, dyn, 3, 3> many = a;
  CHECK(allclose(linalg::cholesky(many), l, 1e-13, 1e-13));
  CHECK(allclose(linalg::det(many), d, 1e-13, 1e-13));
}
TEST_CASE("derivatives") {
  // Of a symmetric function of the matrix, because only the lower triangle is read.
  check_derivatives([](auto const& a) { return linalg::cholesky(matmul(a, transpose(a)) + 1.0 * full_like(a, 0.1)); }, eval(regular<double, 4>()));
  check_derivatives([](auto const& a, auto const& b) { return std::tuple{linalg::triangular_solve(a, b), linalg::triangular_solve<true>(a, b)}; }, eval(regular<double, 4>() + 3.0 * eye<double, 4>()), spread<tensor<double, 4, 2>>(-1, 1));
  check_derivatives([](auto const& a) { return std::tuple{std::get<1>(linalg::slogdet(a)), linalg::det(a)}; }, regular<double, 4>());
  // The lower triangle alone: its elements stand for two.
  check_derivatives([](auto const& a) { return linalg::cholesky(a); }, positive<double, 4>());
}
TEST_CASE("the density of a Gaussian, with gradients in closed form") {
  constexpr auto log_density = [](auto const& x, auto const& covariance) {
    auto l = linalg::cholesky(covariance);
    return -0.5 * sum(square(linalg::triangular_solve(l, x))) - sum(log(diagonal(l)));
  };
  auto const s = positive<double, 3>();
  auto const x = spread<tensor<double, 3>>(-1, 1);
  CHECK(allclose(grad(log_density)(x, s), -linalg::solve(s, x), 1e-12, 1e-12));
  auto const p = eval(linalg::inv(s));
  auto const full = eval(0.5 * (matmul(outer(matmul(p, x), x), p) - p));
  auto const slope = eval(grad<1>(log_density)(x, s));
  CHECK(allclose(slope, tril(full + transpose(full)) - full * eye<double, 3>(), 1e-12, 1e-12));
}
