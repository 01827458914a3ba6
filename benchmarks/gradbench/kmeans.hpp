// Newton's direction of kmeans by hand: for each point the closest centroid, then sums and sizes of the clusters. Lanes are centroids.
#pragma once

#include "lanes.hpp"

namespace hand {

template <std::size_t k, std::size_t n, std::size_t d>
void kmeans_direction(double const* centroids, double const* points, double* direction) {
  constexpr std::size_t row = padded(k);
  alignas(64) double across[d][row], distances[row], sums[k][d] = {}, sizes[k] = {};
  for (std::size_t i = 0; i < d; ++i)
    for (std::size_t j = 0; j < row; ++j) across[i][j] = j < k ? centroids[j * d + i] : 1e100;
  for (std::size_t p = 0; p < n; ++p) {
    double const* point = points + p * d;
    for (std::size_t r = 0; r < row; r += width) {
      lanes sum(0.0);
      for (std::size_t i = 0; i < d; ++i) {
        lanes const apart = lanes(point[i]) - load(across[i] + r);
        sum = xsimd::fma(apart, apart, sum);
      }
      store(distances + r, sum);
    }
    std::size_t closest = 0;
    for (std::size_t j = 1; j < k; ++j) closest = distances[j] < distances[closest] ? j : closest;
    sizes[closest] += 1;
    for (std::size_t i = 0; i < d; ++i) sums[closest][i] += point[i];
  }
  for (std::size_t j = 0; j < k; ++j)
    for (std::size_t i = 0; i < d; ++i) direction[j * d + i] = centroids[j * d + i] - sums[j][i] / sizes[j];
}

}  // namespace hand
