// ode of GradBench against a scalar implementation, its derivatives by complex steps and, in the limit of small steps, the exact solution.
// heavy: many compiled derivatives
#include "../../examples/gradbench/ode.hpp"
#include "complex_step.hpp"

#include <doctest/doctest.h>

using namespace dimity;
using namespace test;

namespace {

constexpr int n = 5, steps = 10;

template <class T>
std::vector<T> slope(std::vector<T> const& x, std::vector<T> const& y) {
  std::vector<T> d(n);
  for (int i = 0; i < n; ++i) d[i] = i == 0 ? x[0] : x[i] * y[i - 1];
  return d;
}
template <class T>
std::vector<T> ahead(std::vector<T> y, std::vector<T> const& k, double h) {
  for (int i = 0; i < n; ++i) y[i] += h * k[i];
  return y;
}
template <class T>
std::vector<T> solution(std::vector<T> const& x) {
  double const h = 2.0 / steps;
  std::vector<T> y(n);
  for (int s = 0; s < steps; ++s) {
    auto const k1 = slope(x, y), k2 = slope(x, ahead(y, k1, h / 2)), k3 = slope(x, ahead(y, k2, h / 2)), k4 = slope(x, ahead(y, k3, h));
    for (int i = 0; i < n; ++i) y[i] += h / 6 * (k1[i] + 2.0 * k2[i] + 2.0 * k3[i] + k4[i]);
  }
  return y;
}

auto const x = random::uniform<double, n>(key{31337});

}  // namespace

TEST_CASE("ode: solution and gradient") {
  CHECK(difference(elements(eval(gradbench::ode::solution<steps>(x))), solution(elements(x))) < 1e-14);
  auto const gradient = elements(gradbench::ode::gradient<steps>(x));
  CHECK(difference(gradient, complex_gradient([](auto const& z) { return solution(z).back(); }, elements(x))) < 1e-14);
  // y_i(t) = x_0 ... x_i t^(i + 1) / (i + 1)!, so dy_i/dx_j = y_i / x_j; the method is exact for polynomials of degree 4, and the last element has degree 5.
  double last = 1;
  for (int i = 0; i < n; ++i) last *= x(i) * 2 / (i + 1);
  numbers slopes;
  for (double e : x) slopes.push_back(last / e);
  CHECK(difference(gradient, slopes) < 1e-3);
}
