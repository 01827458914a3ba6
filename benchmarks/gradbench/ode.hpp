// ode's gradient by hand: the states of all steps are kept, the stages of a step computed again backwards.
#pragma once

#include <cstddef>
#include <cstring>

namespace hand {

template <std::size_t n, std::size_t steps>
void ode_gradient(double const* __restrict x, double* __restrict gradient) {
  constexpr double h = 2.0 / steps;
  static double states[steps + 1][n], a2[n], a3[n], a4[n], by[n], bk[n], ba[n];
  // The slope of element i is x_i times element i - 1 of the argument, which is 1 before the first.
  auto const stages = [&](double const* __restrict y) {
    a2[0] = y[0] + h / 2 * x[0];
    for (std::size_t i = 1; i < n; ++i) a2[i] = y[i] + h / 2 * (x[i] * y[i - 1]);
    a3[0] = y[0] + h / 2 * x[0];
    for (std::size_t i = 1; i < n; ++i) a3[i] = y[i] + h / 2 * (x[i] * a2[i - 1]);
    a4[0] = y[0] + h * x[0];
    for (std::size_t i = 1; i < n; ++i) a4[i] = y[i] + h * (x[i] * a3[i - 1]);
  };
  std::memset(states[0], 0, sizeof states[0]);
  for (std::size_t s = 0; s < steps; ++s) {
    double const* y = states[s];
    double* next = states[s + 1];
    stages(y);
    next[0] = y[0] + h * x[0];
    for (std::size_t i = 1; i < n; ++i) next[i] = y[i] + h / 6 * (x[i] * (y[i - 1] + 2 * a2[i - 1] + 2 * a3[i - 1] + a4[i - 1]));
  }
  std::memset(by, 0, sizeof by);
  by[n - 1] = 1;
  std::memset(gradient, 0, n * sizeof(double));
  for (std::size_t s = steps; s-- > 0;) {
    double const* y = states[s];
    stages(y);
    // One stage backwards: `a` is its argument, bk its cotangent; ba[i] becomes the cotangent of a[i].
    auto const back = [&](double const* __restrict a) {
      gradient[0] += bk[0];
      for (std::size_t i = 1; i < n; ++i) {
        gradient[i] += bk[i] * a[i - 1];
        ba[i - 1] = x[i] * bk[i];
      }
      ba[n - 1] = 0;
    };
    double* sum = states[s + 1];      // no longer needed: collects the cotangent of y
    for (std::size_t i = 0; i < n; ++i) bk[i] = h / 6 * by[i];
    back(a4);
    for (std::size_t i = 0; i < n; ++i) {
      sum[i] = by[i] + ba[i];
      bk[i] = h / 3 * by[i] + h * ba[i];
    }
    back(a3);
    for (std::size_t i = 0; i < n; ++i) {
      sum[i] += ba[i];
      bk[i] = h / 3 * by[i] + h / 2 * ba[i];
    }
    back(a2);
    for (std::size_t i = 0; i < n; ++i) {
      sum[i] += ba[i];
      bk[i] = h / 6 * by[i] + h / 2 * ba[i];
    }
    back(y);
    for (std::size_t i = 0; i < n; ++i) by[i] = sum[i] + ba[i];
  }
}

}  // namespace hand
