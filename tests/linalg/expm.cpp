// The exponential of a matrix, on closed forms.
#include "matrices.hpp"

#include <cmath>
#include <limits>

using namespace dimity;
using test::check_derivatives;
using test::regular;
using test::spread;

TEST_CASE("closed forms") {
  // A rotation, a shear, a diagonal, 0
  for (double const t : {1e-9, 1e-3, 0.1, 0.9, 2.0, 5.0, 40.0}) {
    CAPTURE(t);
    CHECK(allclose(linalg::expm(t * tensor<double, 2, 2>{{0, -1}, {1, 0}}), tensor<double, 2, 2>{{std::cos(t), -std::sin(t)}, {std::sin(t), std::cos(t)}}, 1e-13, 1e-14 * (1 + t)));
    CHECK(allclose(linalg::expm(t * tensor<double, 3, 3>{{0, 1, 0}, {0, 0, 1}, {0, 0, 0}}), tensor<double, 3, 3>{{1, t, t * t / 2}, {0, 1, t}, {0, 0, 1}}, 1e-13, 1e-14));
    CHECK(allclose(linalg::expm(t * tensor<double, 2, 2>{{-1, 0}, {0, 1}}), tensor<double, 2, 2>{{std::exp(-t), 0}, {0, std::exp(t)}}, 1e-12, 1e-300));
    CHECK(allclose(linalg::expm(static_cast<float>(t / 4) * tensor<float, 2, 2>{{0, -1}, {1, 0}}),
                   tensor<float, 2, 2>{{float(std::cos(t / 4)), float(-std::sin(t / 4))}, {float(std::sin(t / 4)), float(std::cos(t / 4))}}, 1e-5, 4e-6));
  }
  CHECK(array_equal(linalg::expm(tensor<double, 4, 4>{}), eye<double, 4>()));
  CHECK(double(eval(linalg::expm(tensor<double, 1, 1>{{2}}))(0, 0)) == doctest::Approx(std::exp(2.0)).epsilon(1e-15));
  CHECK(eval(linalg::expm(tensor<double, 0, 0>{})).size() == 0);
  auto const a = spread<tensor<double, 9, 9>>(-2, 2);
  CHECK(allclose(matmul(linalg::expm(a), linalg::expm(-a)), eye<double, 9>(), 1e-10, 1e-10));
  CHECK(allclose(linalg::expm(a), matmul(linalg::expm(a * 0.5), linalg::expm(a * 0.5)), 1e-12, 1e-12));
}
TEST_CASE("what is not finite, and what is too large") {
  CHECK(bool(all(isnan(linalg::expm(tensor<double, 2, 2>{{1, std::nan("")}, {0, 1}})))));
  CHECK(bool(all(isnan(linalg::expm(tensor<double, 2, 2>{{1, std::numeric_limits<double>::infinity()}, {0, 1}})))));
  CHECK(std::isinf(eval(linalg::expm(tensor<double, 1, 1>{{1000}}))(0, 0)));
  CHECK(eval(linalg::expm(tensor<double, 1, 1>{{-1000}}))(0, 0) == 0);
}
TEST_CASE("batches") {
  auto const a = spread<tensor<double, 3, 4, 4>>(-1, 1);
  auto const e = eval(linalg::expm(a));
  CHECK(array_equal(vmap([](auto const& m) { return linalg::expm(m); })(a), e));
  for (int k = 0; k < 3; ++k) CHECK(array_equal(pick<0>(e, k), linalg::expm(pick<0>(a, k))));
}
TEST_CASE("derivatives") {
  check_derivatives([](auto const& a) { return linalg::expm(a); }, regular<double, 3>());
  // d/dt exp(t a) = a exp(t a)
  auto const a = spread<tensor<double, 4, 4>>(-1, 1);
  CHECK(allclose(std::get<1>(jvp([](auto const& x) { return linalg::expm(x); }, std::tuple{a}, std::tuple{a})), matmul(a, linalg::expm(a)), 1e-12, 1e-12));
  // Of the trace: exp(a)^T; second derivatives by differences
  constexpr auto trace = [](auto const& x) { return sum(diagonal(linalg::expm(x))); };
  CHECK(allclose(grad(trace)(a), transpose(linalg::expm(a)), 1e-12, 1e-12));
  auto const d = spread<tensor<double, 4, 4>>(-0.7, 1);
  double const step = 1e-5;
  CHECK(allclose(hvp(trace)(a, d), (grad(trace)(eval(a + step * d)) - grad(trace)(eval(a - step * d))) / (2 * step), 1e-7, 1e-8));
}
TEST_CASE("a derivative is linear in tangent and cotangent, however large") {
  tensor<float, 1, 1> const a = {{0.7f}};
  for (float const size : {1e-30f, 1e-6f, 1.0f, 1e6f, 1e30f}) {
    CAPTURE(size);
    auto const pushed = std::get<1>(jvp([](auto const& x) { return linalg::expm(x); }, std::tuple{a}, std::tuple{tensor<float, 1, 1>{{size}}}));
    CHECK(double(pushed(0, 0)) / double(size) == doctest::Approx(std::exp(0.7)).epsilon(1e-6));
  }
  auto const zero = std::get<1>(jvp([](auto const& x) { return linalg::expm(x); }, std::tuple{a}, std::tuple{tensor<float, 1, 1>{}}));
  CHECK(zero(0, 0) == 0);
}
