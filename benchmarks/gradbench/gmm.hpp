// gmm's gradient by hand: eight points in the lanes of each register, one sum in a register's lanes for each parameter.
#pragma once

#include "lanes.hpp"

#include <cmath>
#include <cstring>

namespace hand {

template <std::size_t n, std::size_t k, std::size_t d>
double gmm_gradient(double const* alpha, double const* mu, double const* q, double const* l, double const* x, double m, double gamma, double log_normalizer, double* galpha, double* gmu,
                    double* gq, double* gl) {
  static_assert(n % width == 0);
  static double across[d][n], Q[k][d][d], volume[k];
  static lanes sums[k], bmu[k][d], bQ[k][d][d];
  std::memset(static_cast<void*>(sums), 0, sizeof sums);
  std::memset(static_cast<void*>(bmu), 0, sizeof bmu);
  std::memset(static_cast<void*>(bQ), 0, sizeof bQ);
  double squares = 0, volumes = 0, largest_alpha = alpha[0], alphas = 0;
  for (std::size_t p = 0; p < n; ++p)
    for (std::size_t j = 0; j < d; ++j) across[j][p] = x[p * d + j];
  for (std::size_t c = 0; c < k; ++c) {
    double const* below = l + c * d * (d - 1) / 2;
    volume[c] = 0;
    for (std::size_t j = 0; j < d; ++j) {
      Q[c][j][j] = std::exp(q[c * d + j]);
      volume[c] += q[c * d + j];
      squares += Q[c][j][j] * Q[c][j][j];
      for (std::size_t i = j + 1; i < d; ++i) {
        Q[c][i][j] = *below++;
        squares += Q[c][i][j] * Q[c][i][j];
      }
    }
    volumes += volume[c];
    largest_alpha = alpha[c] > largest_alpha ? alpha[c] : largest_alpha;
  }
  for (std::size_t c = 0; c < k; ++c) alphas += std::exp(alpha[c] - largest_alpha);

  lanes likelihood(0.0);
  for (std::size_t p = 0; p < n; p += width) {
    lanes z[k][d], beta[k], largest(-1e300), sum(0.0);
    for (std::size_t c = 0; c < k; ++c) {
      lanes apart[d], square(0.0);
      for (std::size_t j = 0; j < d; ++j) apart[j] = load(across[j] + p) - lanes(mu[c * d + j]);
      for (std::size_t i = 0; i < d; ++i) {
        z[c][i] = lanes(0.0);
        for (std::size_t j = 0; j <= i; ++j) z[c][i] = xsimd::fma(lanes(Q[c][i][j]), apart[j], z[c][i]);
        square = xsimd::fma(z[c][i], z[c][i], square);
      }
      beta[c] = lanes(alpha[c] + volume[c]) - lanes(0.5) * square;
      largest = xsimd::max(largest, beta[c]);
    }
    for (std::size_t c = 0; c < k; ++c) {
      beta[c] = xsimd::exp(beta[c] - largest);
      sum += beta[c];
    }
    likelihood += largest + xsimd::log(sum);
    lanes const inverse = lanes(1.0) / sum;
    for (std::size_t c = 0; c < k; ++c) {
      lanes const share = beta[c] * inverse;
      sums[c] += share;
      for (std::size_t i = 0; i < d; ++i) {
        lanes const u = share * z[c][i];
        for (std::size_t j = 0; j <= i; ++j) {
          bmu[c][j] = xsimd::fma(lanes(Q[c][i][j]), u, bmu[c][j]);
          bQ[c][i][j] = xsimd::fnma(u, load(across[j] + p) - lanes(mu[c * d + j]), bQ[c][i][j]);
        }
      }
    }
  }
  for (std::size_t c = 0; c < k; ++c) {
    double const share = total(sums[c]);
    double* below = gl + c * d * (d - 1) / 2;
    galpha[c] = share - n * std::exp(alpha[c] - largest_alpha) / alphas;
    for (std::size_t j = 0; j < d; ++j) {
      gmu[c * d + j] = total(bmu[c][j]);
      gq[c * d + j] = share + m + (total(bQ[c][j][j]) - gamma * gamma * Q[c][j][j]) * Q[c][j][j];
      for (std::size_t i = j + 1; i < d; ++i) *below++ = total(bQ[c][i][j]) - gamma * gamma * Q[c][i][j];
    }
  }
  return total(likelihood) - n * (0.5 * d * std::log(2 * std::acos(-1.0)) + largest_alpha + std::log(alphas)) + k * log_normalizer - 0.5 * gamma * gamma * squares + m * volumes;
}

}  // namespace hand
