// llsq of GradBench against a scalar implementation and its gradient written out.
// heavy: many compiled derivatives
#include "../../examples/gradbench/llsq.hpp"
#include "complex_step.hpp"

#include <doctest/doctest.h>

using namespace dimity;
using namespace test;

namespace {

constexpr int points = 17, terms = 6;      // an odd number of points: one of them is 0, whose sign is 0

double point(int i) { return -1 + i * 2.0 / (points - 1); }
double step(double t) { return t > 0 ? 1 : t < 0 ? -1 : 0; }

template <class T>
T objective(std::vector<T> const& x) {
  T sum = 0;
  for (int i = 0; i < points; ++i) {
    T r = step(point(i));
    for (int j = 0; j < terms; ++j) r -= x[j] * std::pow(point(i), j);
    sum += r * r;
  }
  return sum / 2.0;
}
numbers written_gradient(numbers const& x) {
  numbers g(terms);
  for (int i = 0; i < points; ++i) {
    double r = step(point(i));
    for (int j = 0; j < terms; ++j) r -= x[j] * std::pow(point(i), j);
    for (int j = 0; j < terms; ++j) g[j] -= r * std::pow(point(i), j);
  }
  return g;
}

}  // namespace

TEST_CASE("llsq: value and gradient") {
  auto const x = random::uniform<double, terms>(key{31337});
  auto const [value, gradient] = value_and_grad(gradbench::llsq::objective<points>)(x);
  CHECK(difference({value}, {objective(elements(x))}) < 1e-14);
  CHECK(difference(elements(gradient), written_gradient(elements(x))) < 1e-14);
  CHECK(difference(elements(gradient), complex_gradient(objective<complex>, elements(x))) < 1e-14);
}
