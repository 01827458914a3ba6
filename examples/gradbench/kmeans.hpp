// kmeans of GradBench (github.com/gradbench/gradbench, evals/kmeans): one step of Newton's method for the centroids of clusters.
#pragma once

#include <dimity/dimity.hpp>

namespace gradbench::kmeans {

using namespace dimity;

/// f = sum_i min_j |centroid_j - point_i|^2, with |c|^2 - 2 c p + |p|^2, so that all distances are one product, and with the points along its last axis, which fills registers.
/// centroids: [k, d], points: [n, d]. GradBench: k = 10, 100, 1000; n = 1000, 10000; d = 8, 16.
inline constexpr auto cost = [](auto const& centroids, auto const& points) {
  auto const distances = expand_dims<1>(sum(square(centroids), axis<1>)) - 2.0 * matmul(centroids, transpose(points)) + sum(square(points), axis<1>);
  return sum(min(distances, axis<0>));
};

/// The gradient divided by the diagonal of the Hessian. All else of the Hessian is zero, so its product with ones is its diagonal. Both share the distances.
inline constexpr auto direction = [](auto const& centroids, auto const& points) { return grad(cost)(centroids, points) / hvp(cost)(centroids, ones_like(centroids), points); };

}  // namespace gradbench::kmeans
