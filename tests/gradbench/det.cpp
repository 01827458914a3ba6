// det of GradBench: the expansion against elimination, and its gradient against the cofactors.
// heavy: many compiled derivatives
#include "../../examples/gradbench/det.hpp"
#include "complex_step.hpp"

#include <doctest/doctest.h>

#include <utility>

using namespace dimity;
using namespace test;

namespace {

constexpr int size = 5;

/// By elimination with row exchanges: another algorithm altogether.
template <class T>
T determinant(std::vector<T> a) {
  T product = 1;
  for (int k = 0; k < size; ++k) {
    int pivot = k;
    for (int i = k + 1; i < size; ++i)
      if (std::abs(a[i * size + k]) > std::abs(a[pivot * size + k])) pivot = i;
    if (pivot != k) {
      for (int j = 0; j < size; ++j) std::swap(a[k * size + j], a[pivot * size + j]);
      product = -product;
    }
    product *= a[k * size + k];
    for (int i = k + 1; i < size; ++i) {
      T const factor = a[i * size + k] / a[k * size + k];
      for (int j = k; j < size; ++j) a[i * size + j] -= factor * a[k * size + j];
    }
  }
  return product;
}

}  // namespace

TEST_CASE("det: value and gradient") {
  auto const a = random::uniform<double, size, size>(key{31337});
  auto const [value, gradient] = value_and_grad(gradbench::det::objective<size>)(a);
  CHECK(difference({value}, {determinant(elements(a))}) < 1e-13);
  CHECK(difference(elements(gradient), complex_gradient(determinant<complex>, elements(a))) < 1e-13);
}
