// ba of GradBench (github.com/gradbench/gradbench, evals/ba; from ADBench): bundle adjustment, the errors of points seen by cameras and their sparse Jacobian.
#pragma once

#include <dimity/dimity.hpp>

#include <cstdint>
#include <tuple>

namespace gradbench::ba {

using namespace dimity;

/// The point (x, y, z) turned by the angle |r| around r: Rodrigues' formula, and to first order in r where r is zero.
inline constexpr auto rotate = [](auto const& r, auto const& x, auto const& y, auto const& z) {
  auto const a = pick<0>(r, 0), b = pick<0>(r, 1), c = pick<0>(r, 2);
  auto const square_angle = square(a) + square(b) + square(c);
  auto const turns = square_angle > 0.0;
  // A branch that is not taken still has a derivative; of sqrt at 0 it would be infinite.
  auto const angle = sqrt(where(turns, square_angle, 1.0));
  auto const cosine = where(turns, cos(angle), 1.0), sine = where(turns, sin(angle) / angle, 1.0);
  auto const along = where(turns, (a * x + b * y + c * z) * (1.0 - cosine) / square(angle), 0.0);
  return std::tuple{x * cosine + (b * z - c * y) * sine + a * along, y * cosine + (c * x - a * z) * sine + b * along, z * cosine + (a * y - b * x) * sine + c * along};
};

/// The weighted error [2] of one observation. parameters: [15], a camera (rotation 3, center 3, focal length, principal point 2, radial distortion 2), a point [3] and a weight;
/// feature: [2], where the point was seen.
inline constexpr auto reprojection_error = [](auto const& parameters, auto const& feature) {
  auto const p = [&](int i) { return pick<0>(parameters, i); };
  auto const [x, y, z] = rotate(slice<0, 0, 3>(parameters), p(11) - p(3), p(12) - p(4), p(13) - p(5));
  auto const u = x / z, v = y / z, radius = square(u) + square(v);
  auto const scale = p(6) * (1.0 + p(9) * radius + p(10) * square(radius));
  return stack<0>(p(14) * (u * scale + p(7) - pick<0>(feature, 0)), p(14) * (v * scale + p(8) - pick<0>(feature, 1)));
};

/// What each observation depends on, [p, 15]. cameras: [n, 11], points: [m, 3], weights: [p]; cameras_seen_by and points_seen: [p], which of them.
inline constexpr auto gather = [](auto const& cameras, auto const& points, auto const& weights, auto const& seen_by, auto const& seen) {
  return concat<1>(take(cameras, seen_by, axis<0>), take(points, seen, axis<0>), expand_dims<1>(weights));
};

/// The errors of all observations, [p, 2], and of the weights, 1 - w^2, [p]. features: [p, 2].
/// GradBench: from 21 cameras, 11315 points and 36455 observations to 13682, 4456117 and 2987644.
inline constexpr auto objective = [](auto const& cameras, auto const& points, auto const& weights, auto const& seen_by, auto const& seen, auto const& features) {
  return std::tuple{vmap(reprojection_error)(gather(cameras, points, weights, seen_by, seen), features), 1.0 - square(weights)};
};

/// The elements of the Jacobian that are not zero, in the order of GradBench's sparse matrix: [p, 2, 15] and [p]. Forward mode, although there are more parameters than errors: backwards, each
/// parameter that is picked would be a [p, 2, 15] with one column that is not zero, to be added up.
inline constexpr auto sparse_jacobian = [](auto const& cameras, auto const& points, auto const& weights, auto const& seen_by, auto const& seen, auto const& features) {
  return std::tuple{vmap(jacfwd(reprojection_error))(gather(cameras, points, weights, seen_by, seen), features), -2.0 * weights};
};

}  // namespace gradbench::ba
