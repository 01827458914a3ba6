// gmm of GradBench (github.com/gradbench/gradbench, evals/gmm; from ADBench): the log posterior of a mixture of Gaussians.
#pragma once

#include <dimity/dimity.hpp>

#include <cmath>
#include <numbers>

namespace gradbench::gmm {

using namespace dimity;

inline constexpr double log_two_pi = 1.8378770664093454836;  // std::log is no constant expression

/// The Wishart prior on the precision matrices: m additional degrees of freedom, precision gamma.
template <class T>
struct wishart {
  tensor<T> m, gamma;
  tensor<T> log_normalizer;  ///< of one matrix: n D log(gamma / sqrt(2)) - log Gamma_D(n / 2), n = D + m + 1
};
inline wishart<double> make_wishart(int dimensions, int m, double gamma) {
  int const n = dimensions + m + 1;
  double log_gamma = 0.25 * dimensions * (dimensions - 1) * std::log(std::numbers::pi);
  for (int j = 0; j < dimensions; ++j) log_gamma += std::lgamma(0.5 * (n - j));
  return {tensor<double>(m), tensor<double>(gamma), tensor<double>(n * dimensions * std::log(gamma / std::numbers::sqrt2) - log_gamma)};
}

/// Lower triangular matrices [k, d, d] from the logarithms of their diagonals q: [k, d] and what is below, l: [k, d (d - 1) / 2], column by column.
template <extent_t d>
inline constexpr auto triangular = [](auto const& q, auto const& l) {
  auto const i = expand_dims<1>(arange<std::int32_t, d>());
  auto const j = arange<std::int32_t, d>();
  auto const below = where(i > j, take(l, where(i > j, floor_divide(j * (2 * d - 1 - j), 2) + i - j - 1, 0), axis<1>), 0.0);
  return where(i == j, expand_dims<1>(exp(q)), below);
};

/// log p(x | parameters) + log p(parameters), with the precision matrices Q_k^T Q_k:
///   sum_n logsumexp_k(alpha_k + sum_j q_kj - 1/2 |Q_k (x_n - mu_k)|^2) - N (D/2 log 2 pi + logsumexp(alpha)) + the prior.
/// alpha: [k], mu: [k, d], q: [k, d], l: [k, d (d - 1) / 2], x: [n, d]. GradBench: d = 2, 10, 20, 32, 64; k = 5, 10, 25, 50, 100; n = 1000; m = 0, gamma = 1.
template <extent_t n, extent_t k, extent_t d>
inline constexpr auto objective = [](auto const& alpha, auto const& mu, auto const& q, auto const& l, auto const& x, auto const& prior) {
  auto const Q = triangular<d>(q, l);
  auto const volume = sum(q, axis<1>);
  // All Q_k x_n in one product, and points along the last axis: registers are filled with them, whatever d is.
  auto const distance = reshape<k, d, n>(matmul(reshape<k * d, d>(Q), transpose(x))) - expand_dims<2>(einsum<"kij,kj->ki">(Q, mu));
  auto const beta = expand_dims<1>(alpha + volume) - 0.5 * sum(square(distance), axis<1>);
  auto const likelihood = sum(logsumexp(beta, axis<0>)) - static_cast<double>(n) * (0.5 * d * log_two_pi + logsumexp(alpha));
  return likelihood + static_cast<double>(k) * prior.log_normalizer - 0.5 * square(prior.gamma) * sum(square(Q)) + prior.m * sum(volume);
};

/// With respect to alpha, mu, q and l.
template <extent_t n, extent_t k, extent_t d>
inline constexpr auto gradient = grad<0, 1, 2, 3>(objective<n, k, d>);

}  // namespace gradbench::gmm
