// gmm of GradBench against a scalar implementation and its derivatives by complex steps.
// heavy: many compiled derivatives
#include "../../examples/gradbench/gmm.hpp"
#include "complex_step.hpp"

#include <doctest/doctest.h>

using namespace dimity;
using namespace test;

namespace {

constexpr int n = 9, k = 4, d = 3, m = 2;
constexpr double precision = 1.3;

auto const x = random::normal<double, n, d>(key{1});

template <class T>
T logsumexp(std::vector<T> const& v) {
  T sum = 0;
  for (T const& e : v) sum += std::exp(e);
  return std::log(sum);
}
/// parameters: alpha, mu, q and l, one after the other.
template <class T>
T objective(std::vector<T> const& parameters) {
  T const *alpha = parameters.data(), *mu = alpha + k, *q = mu + k * d, *l = q + k * d;
  tensor<double, n, d> const points = x;
  T Q[k][d][d] = {}, squares = 0, logarithms = 0;
  for (int c = 0; c < k; ++c) {
    T const* next = l + c * d * (d - 1) / 2;
    for (int j = 0; j < d; ++j) {
      Q[c][j][j] = std::exp(q[c * d + j]);
      logarithms += q[c * d + j];
      for (int i = j + 1; i < d; ++i) Q[c][i][j] = *next++;
      for (int i = 0; i < d; ++i) squares += Q[c][i][j] * Q[c][i][j];
    }
  }
  T result = -static_cast<double>(n) * (d / 2.0 * std::log(2 * std::acos(-1.0)) + logsumexp(std::vector<T>(alpha, alpha + k)));
  for (int p = 0; p < n; ++p) {
    std::vector<T> beta(k);
    for (int c = 0; c < k; ++c) {
      beta[c] = alpha[c];
      for (int i = 0; i < d; ++i) {
        T z = 0;
        for (int j = 0; j < d; ++j) z += Q[c][i][j] * (points(p, j) - mu[c * d + j]);
        beta[c] += q[c * d + i] - 0.5 * z * z;
      }
    }
    result += logsumexp(beta);
  }
  constexpr int freedom = d + m + 1;
  double log_gamma = d * (d - 1) / 4.0 * std::log(std::acos(-1.0));
  for (int j = 1; j <= d; ++j) log_gamma += std::lgamma(freedom / 2.0 + (1 - j) / 2.0);
  return result + k * (freedom * d * std::log(precision / std::sqrt(2.0)) - log_gamma) - precision * precision / 2 * squares + static_cast<double>(m) * logarithms;
}

}  // namespace

TEST_CASE("gmm: value and gradient") {
  auto const alpha = random::normal<double, k>(key{2});
  auto const mu = random::uniform<double, k, d>(key{3});
  auto const q = random::normal<double, k, d>(key{4});
  auto const l = random::normal<double, k, d*(d - 1) / 2>(key{5});
  auto const [value, gradient] = value_and_grad<0, 1, 2, 3>(gradbench::gmm::objective<n, k, d>)(alpha, mu, q, l, x, gradbench::gmm::make_wishart(d, m, precision));
  numbers parameters, slopes;
  auto const append = [](numbers& to, auto const& t) { to.insert(to.end(), t.begin(), t.end()); };
  std::apply([&](auto const&... t) { (append(parameters, t), ...); }, std::tie(alpha, mu, q, l));
  std::apply([&](auto const&... t) { (append(slopes, t), ...); }, gradient);
  CHECK(difference({value}, {objective(parameters)}) < 1e-14);
  CHECK(difference(slopes, complex_gradient(objective<complex>, parameters)) < 1e-13);
}
