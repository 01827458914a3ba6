// jacfwd, jacrev, jacobian, hessian, hvp against closed forms and each other.
#include <dimity/dimity.hpp>
#include <doctest/doctest.h>

#include <cmath>

using namespace dimity;

namespace {

constexpr auto curve = [](auto const& x) { return concat<0>(sin(x), x * x * sum(x)); };
constexpr auto mixed = [](auto const& x, auto const& w) { return tanh(matmul(w, x)); };
constexpr auto rosenbrock = [](auto const& x) {
  auto const head = slice<0, 0, 4>(x), tail = slice<0, 1, 5>(x);
  return sum(100.0 * square(tail - square(head)) + square(1.0 - head));
};

}  // namespace

TEST_CASE("against the closed form") {
  tensor<double, 3> const x = {0.2, -0.4, 0.7};
  double const total = 0.5;
  tensor<double, 6, 3> const J = jacfwd(curve)(x);
  for (int i = 0; i < 3; ++i)
    for (int j = 0; j < 3; ++j) {
      CHECK(J(i, j) == doctest::Approx(i == j ? std::cos(x(i)) : 0.0));
      CHECK(J(3 + i, j) == doctest::Approx(x(i) * x(i) + (i == j ? 2 * x(i) * total : 0.0)));
    }
}
TEST_CASE("forward and reverse mode agree, whatever the ranks") {
  tensor<double, 3> const x = {0.2, -0.4, 0.7};
  CHECK(allclose(jacfwd(curve)(x), jacrev(curve)(x)));
  CHECK(allclose(jacobian(curve)(x), jacrev(curve)(x)));
  tensor<double, 2, 3> const w = {{1, 0.5, -1}, {0.25, 2, 1}};
  CHECK(allclose(jacfwd(mixed)(x, w), jacrev(mixed)(x, w)));
  constexpr auto matrices = [](auto const& a) { return matmul(a, exp(transpose(a))); };
  auto const J = jacfwd(matrices)(w);
  static_assert(std::is_same_v<std::remove_cvref_t<decltype(J)>, tensor<double, 2, 2, 2, 3>>);
  CHECK(allclose(J, jacrev(matrices)(w)));
  constexpr auto scalar = [](auto const& a) { return sum(a * a); };
  CHECK(allclose(jacobian(scalar)(x), grad(scalar)(x)));
}
TEST_CASE("hessian, hvp, grad of grad") {
  tensor<double, 5> const x = {1.1, 0.9, 1.2, 0.8, 1.0}, v = {1, -1, 0.5, 2, -0.25};
  tensor<double, 5, 5> const H = hessian(rosenbrock)(x);
  CHECK(H(0, 0) == doctest::Approx(1200 * x(0) * x(0) - 400 * x(1) + 2));
  CHECK(H(0, 1) == doctest::Approx(-400 * x(0)));
  CHECK(H(4, 4) == doctest::Approx(200));
  CHECK(H(0, 3) == 0);
  CHECK(allclose(H, transpose(H)));
  CHECK(allclose(hvp(rosenbrock)(x, v), matmul(H, v)));
  constexpr auto slope = [](auto const& a, auto const& d) { return sum(grad(rosenbrock)(a) * d); };
  CHECK(allclose(grad(slope)(x, v), matmul(H, v)));
  CHECK(allclose(jacrev(grad(rosenbrock))(x), H));
}
