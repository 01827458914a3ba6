// kmeans of GradBench (github.com/gradbench/gradbench, evals/kmeans): one step of Newton's method for the centroids of clusters.
#pragma once

#include <dimity/dimity.hpp>

#include <tuple>

namespace gradbench::kmeans {

using namespace dimity;

/// f = sum_i min_j |centroid_j - point_i|^2. centroids: [k, d], points: [n, d]. GradBench: k = 10, 100, 1000; n = 1000, 10000; d = 8, 16.
inline constexpr auto cost = [](auto const& centroids, auto const& points) {
  return sum(min(sum(square(expand_dims<1>(points) - expand_dims<0>(centroids)), axis<2>), axis<1>));
};

/// The gradient divided by the diagonal of the Hessian. All else of the Hessian is zero, so its product with ones is its diagonal; it comes with the gradient in one
/// forward pass over the backward pass.
inline constexpr auto direction = [](auto const& centroids, auto const& points) {
  auto const [gradient, diagonal] = jvp(grad(cost), std::tuple{centroids, points}, std::tuple{ones_like(centroids), zeros_like(points)});
  return gradient / diagonal;
};

}  // namespace gradbench::kmeans
