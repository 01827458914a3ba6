// Derivatives of QR, symmetric eigenvalues and singular values, by differences and in closed form.
// heavy: many compiled derivatives
#include "matrices.hpp"

#include <cmath>

using namespace dimity;
using test::check_derivatives;
using test::positive;
using test::regular;
using test::spread;

TEST_CASE("derivatives") {
  check_derivatives([](auto const& a) { return linalg::qr(a); }, spread<tensor<double, 5, 3>>(-1, 1));
  check_derivatives([](auto const& a) { return linalg::qr(a); }, spread<tensor<double, 3, 5>>(-1, 1));
  check_derivatives([](auto const& a) { return linalg::eigh(a); }, positive<double, 4>());
  check_derivatives([](auto const& a) { return linalg::svd(a); }, spread<tensor<double, 5, 3>>(-1, 1));
  check_derivatives([](auto const& a) { return linalg::svd(a); }, spread<tensor<double, 3, 4>>(-1, 1));
  check_derivatives([](auto const& a) { return linalg::svd(a); }, regular<double, 3>());
}
TEST_CASE("what follows from the factors has the derivative that it has without them") {
  auto const a = positive<double, 4>();
  // log det = sum of log w; the sum of all singular values squared; a function of q and r that is a
  CHECK(allclose(grad([](auto const& x) { return sum(log(linalg::eigvalsh(x))); })(a), tril(2.0 * linalg::inv(a)) - linalg::inv(a) * eye<double, 4>(), 1e-11, 1e-11));
  CHECK(allclose(grad([](auto const& x) { return sum(square(linalg::svdvals(x))); })(a), 2.0 * a, 1e-11, 1e-11));
  auto const again = [](auto const& x) {
    auto const [q, r] = linalg::qr(x);
    return sum(sin(matmul(q, r)));
  };
  CHECK(allclose(grad(again)(a), cos(a), 1e-11, 1e-11));
  // Squares of singular values neither overflow nor vanish on the way.
  for (double const size : {1e-200, 1e200}) {
    auto const b = eval(spread<tensor<double, 5, 3>>(-1, 1) * size);
    constexpr auto sizes = [](auto const& x) { return sum(linalg::svdvals(x)); };
    constexpr auto first = [](auto const& x) { return sum(square(slice<0, 0, 2>(slice<1, 0, 1>(std::get<0>(linalg::svd(x)))))); };  // whatever the signs
    CHECK(allclose(grad(sizes)(b), grad(sizes)(eval(b / size)), 1e-12, 1e-12));
    CHECK(allclose(grad(first)(b) * size, grad(first)(eval(b / size)), 1e-11, 1e-11));
  }
  // A constant in a traced function, which nothing is given.
  CHECK(allclose(compile([](auto const& x) { return matmul(x, std::get<1>(linalg::qr(full<double, 4, 4>(1.0) + eye<double, 4>()))); })(a), matmul(a, std::get<1>(linalg::qr(eval(full<double, 4, 4>(1.0) + eye<double, 4>())))), 1e-12, 1e-12));
  // Equal singular values do not disturb what does not depend on their vectors.
  CHECK(allclose(grad([](auto const& x) { return sum(linalg::svdvals(x)); })(eye<double, 3>()), eye<double, 3>(), 1e-13, 1e-13));
  // Second derivatives: of the largest eigenvalue along a direction, against differences of its gradient.
  constexpr auto largest = [](auto const& x) { return max(linalg::eigvalsh(x)); };
  auto const d = spread<tensor<double, 4, 4>>(-1, 1);
  double const step = 1e-5;
  auto const up = grad(largest)(eval(a + step * d)), down = grad(largest)(eval(a - step * d));
  CHECK(allclose(hvp(largest)(a, d), (up - down) / (2 * step), 1e-6, 1e-7));
}
