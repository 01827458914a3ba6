// llsq of GradBench (github.com/gradbench/gradbench, evals/llsq): a polynomial fitted to a step by least squares.
#pragma once

#include <dimity/dimity.hpp>

#include <tuple>

namespace gradbench::llsq {

using namespace dimity;

/// Horner's rule at all points at once. A scan, because 128 terms unrolled would be 128 different reductions in the gradient.
inline constexpr auto horner = [](auto const& p, auto const& coefficient, auto const& t) { return std::tuple{p * t + coefficient, std::tuple<>{}}; };

/// f(x) = 1/2 sum_i (sign(t_i) - sum_j x_j t_i^j)^2 at `points` equidistant t_i from -1 to 1.
/// x: [terms], the coefficients. GradBench: 128 terms; 16, 32, ... 16392 points.
template <extent_t points>
inline constexpr auto objective = [](auto const& x) {
  auto const t = linspace<double, points>(-1.0, 1.0);
  auto const [p, nothing] = scan<scan_options{.reverse = true}>(horner, zeros<double, points>(), x, t);
  return 0.5 * sum(square(sign(t) - p));
};

template <extent_t points>
inline constexpr auto gradient = grad(objective<points>);

}  // namespace gradbench::llsq
