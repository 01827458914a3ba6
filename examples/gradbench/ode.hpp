// ode of GradBench (github.com/gradbench/gradbench, evals/ode): a chain of differential equations by the classical Runge-Kutta method.
#pragma once

#include <dimity/dimity.hpp>

namespace gradbench::ode {

using namespace dimity;

/// y_0' = x_0, y_i' = x_i y_(i-1)
inline constexpr auto slope = [](auto const& y, auto const&, auto const& x) {
  return x * concat<0>(ones<double, 1>(), slice<0, 0, -1>(y));
};

/// y(2) after `steps` equal steps from y(0) = 0. x: [n]. GradBench: n = 1000, 10000, 100000; 1, 10, 100 steps.
template <int steps>
inline constexpr auto solution = [](auto const& x) {
  auto const times = linspace<double, 2>(0.0, 2.0);
  return pick<0>(odeint<ode_options{.method = ode_method::rk4, .steps = steps}>(slope, zeros_like(x), times, x), 1);
};

/// What GradBench differentiates: the last element of the solution.
template <int steps>
inline constexpr auto objective = [](auto const& x) { return pick<0>(solution<steps>(x), -1); };

template <int steps>
inline constexpr auto gradient = grad(objective<steps>);

}  // namespace gradbench::ode
