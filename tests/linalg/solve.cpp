// linalg::solve and inv, against the product.
#include "matrices.hpp"

#include <cmath>

using namespace dimity;
using test::check_derivatives;
using test::regular;
using test::spread;

namespace {

template <class T, extent_t N>
void check_size() {
  CAPTURE(N);
  auto const a = regular<T, N>();
  auto const b = spread<tensor<T, N, 3>>(-1, 1);
  auto const v = spread<tensor<T, N>>(-1, 1);
  double const tolerance = sizeof(T) == 4 ? 1e-4 : 1e-12;
  CHECK(allclose(matmul(a, linalg::solve(a, b)), b, tolerance, tolerance));
  CHECK(allclose(matmul(a, linalg::solve(a, v)), v, tolerance, tolerance));
  CHECK(allclose(matmul(a, linalg::inv(a)), eye<T, N>(), tolerance, tolerance));
  CHECK(allclose(linalg::solve(transpose(a), b), linalg::solve(eval(transpose(a)), b), tolerance, tolerance));
}

}  // namespace

TEST_CASE("the solution solves") {
  check_size<double, 1>();
  check_size<double, 2>();
  check_size<double, 3>();
  check_size<double, 7>();
  check_size<double, 16>();
  check_size<double, 33>();
  check_size<float, 1>();
  check_size<float, 5>();
  check_size<float, 16>();
}
TEST_CASE("NumPy's values") {
  // numpy.linalg.solve([[0, 2], [3, 4]], [6, 5])
  auto const x = eval(linalg::solve(tensor<double, 2, 2>{{0, 2}, {3, 4}}, tensor<double, 2>{6, 5}));
  CHECK(x(0) == doctest::Approx(-7.0 / 3));
  CHECK(x(1) == doctest::Approx(3));
}
TEST_CASE("a singular matrix gives no finite result") {
  auto const x = eval(linalg::solve(tensor<double, 2, 2>{{1, 2}, {2, 4}}, tensor<double, 2>{1, 1}));
  CHECK(!std::isfinite(x(0)));
  auto const n = eval(linalg::solve(tensor<double, 2, 2>{{std::nan(""), 2}, {2, 4}}, tensor<double, 2>{1, 1}));
  CHECK(std::isnan(n(0)));
}
TEST_CASE("batches broadcast") {
  auto a = spread<tensor<double, 4, 3, 3>>(-1, 1);
  for (int k = 0; k < 4; ++k)
    for (int i = 0; i < 3; ++i) a(k, i, i) += 3;
  auto const b = spread<tensor<double, 3, 2>>(-1, 1);
  auto const x = eval(linalg::solve(a, b));
  static_assert(std::is_same_v<decltype(x), tensor<double, 4, 3, 2> const>);
  for (int k = 0; k < 4; ++k) CHECK(allclose(pick<0>(x, k), linalg::solve(eval(pick<0>(a, k)), b), 1e-13, 1e-13));
  CHECK(allclose(vmap<whole, mapped>([](auto const& m, auto const& v) { return linalg::solve(m, v); })(eval(pick<0>(a, 1)), spread<tensor<double, 5, 3>>(-1, 1)),
                 transpose(linalg::solve(pick<0>(a, 1), transpose(spread<tensor<double, 5, 3>>(-1, 1)))), 1e-13, 1e-13));
  CHECK(allclose(vmap<mapped, whole>([](auto const& m, auto const& v) { return linalg::solve(m, v); })(a, b), x, 1e-13, 1e-13));
}
TEST_CASE("derivatives") {
  constexpr auto f = [](auto const& a, auto const& b, auto const& v) { return std::tuple{linalg::solve(a, b), linalg::solve(a, v), linalg::inv(a)}; };
  check_derivatives(f, regular<double, 4>(), spread<tensor<double, 4, 2>>(-1, 1), spread<tensor<double, 4>>(-1, 1));
  constexpr auto g = [](auto const& a) { return sum(square(linalg::inv(a))); };
  auto const a = regular<double, 3>();
  auto const h = hessian(g)(a);
  double const step = 1e-5;
  auto up = a, down = a;
  up(1, 2) += step;
  down(1, 2) -= step;
  auto const numeric = eval((grad(g)(up) - grad(g)(down)) / (2 * step));
  CHECK(allclose(pick<0>(pick<0>(h, 1), 2), numeric, 1e-6, 1e-7));
}
TEST_CASE("no equations, and no right-hand sides") {
  CHECK(eval(linalg::solve(tensor<double, 0, 0>{}, tensor<double, 0>{})).size() == 0);
  CHECK(eval(linalg::solve(tensor<double, 0, 3, 3>{}, tensor<double, 0, 3, 2>{})).size() == 0);
  CHECK(eval(linalg::solve(eye<double, 3>(), tensor<double, 3, 0>{})).size() == 0);
}
