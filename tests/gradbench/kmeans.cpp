// kmeans of GradBench against a scalar implementation, and against what the step must be: the way from the mean of the cluster to the centroid.
// heavy: many compiled derivatives
#include "../../examples/gradbench/kmeans.hpp"
#include "complex_step.hpp"

#include <doctest/doctest.h>

using namespace dimity;
using namespace test;

namespace {

constexpr int k = 3, n = 21, d = 2;

auto const points = random::uniform<double, n, d>(key{31337});
auto const centroids = eval(slice<0, n - k, n>(points));

template <class T>
T squared_distance(std::vector<T> const& from, int centroid, int point) {
  T sum = 0;
  for (int i = 0; i < d; ++i) sum += (from[centroid * d + i] - points(point, i)) * (from[centroid * d + i] - points(point, i));
  return sum;
}
int closest(numbers const& from, int point) {
  int best = 0;
  for (int j = 1; j < k; ++j)
    if (squared_distance(from, j, point) < squared_distance(from, best, point)) best = j;
  return best;
}
complex cost(std::vector<complex> const& from) {
  complex sum = 0;
  for (int i = 0; i < n; ++i) sum += squared_distance(from, closest(elements(centroids), i), i);
  return sum;
}

}  // namespace

TEST_CASE("kmeans: cost, gradient and Newton's direction") {
  auto const from = elements(centroids);
  auto const [value, gradient] = value_and_grad(gradbench::kmeans::cost)(centroids, points);
  CHECK(difference({value}, {cost({from.begin(), from.end()}).real()}) < 1e-14);
  CHECK(difference(elements(gradient), complex_gradient(cost, from)) < 1e-14);

  numbers sums(k * d), sizes(k), way(k * d);
  for (int i = 0; i < n; ++i) {
    int const j = closest(from, i);
    ++sizes[j];
    for (int c = 0; c < d; ++c) sums[j * d + c] += points(i, c);
  }
  for (int i = 0; i < k * d; ++i) way[i] = from[i] - sums[i] / sizes[i / d];
  CHECK(difference(elements(eval(compile(gradbench::kmeans::direction)(centroids, points))), way) < 1e-13);
}
