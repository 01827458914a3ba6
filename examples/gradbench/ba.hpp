// ba of GradBench (github.com/gradbench/gradbench, evals/ba; from ADBench): bundle adjustment, the errors of points seen by cameras and their sparse Jacobian.
#pragma once

#include <dimity/dimity.hpp>

#include <array>
#include <tuple>
#include <utility>

namespace gradbench::ba {

using namespace dimity;

/// The point (x, y, z) turned by the angle |(a, b, c)| around (a, b, c): Rodrigues' formula, and to first order where that is zero.
inline constexpr auto rotate = [](auto const& a, auto const& b, auto const& c, auto const& x, auto const& y, auto const& z) {
  auto const square_angle = square(a) + square(b) + square(c);
  auto const turns = square_angle > 0.0;
  // A branch that is not taken still has a derivative; of sqrt at 0 it would be infinite.
  auto const angle = sqrt(where(turns, square_angle, 1.0));
  auto const cosine = where(turns, cos(angle), 1.0), sine = where(turns, sin(angle) / angle, 1.0);
  auto const along = where(turns, (a * x + b * y + c * z) * (1.0 - cosine) / square(angle), 0.0);
  return std::tuple{x * cosine + (b * z - c * y) * sine + a * along, y * cosine + (c * x - a * z) * sine + b * along, z * cosine + (a * y - b * x) * sine + c * along};
};

/// The two weighted errors of one observation. p: 15 numbers, a camera (rotation 3, center 3, focal length, principal point 2, radial distortion 2), a point and a weight; seen: where, 2 numbers.
inline constexpr auto reprojection_error = [](auto const& p, auto const& seen) {
  auto const [x, y, z] = rotate(p[0], p[1], p[2], p[11] - p[3], p[12] - p[4], p[13] - p[5]);
  auto const u = x / z, v = y / z, radius = square(u) + square(v);
  auto const scale = p[6] * (1.0 + p[9] * radius + p[10] * square(radius));
  return std::array{p[14] * (u * scale + p[7] - seen[0]), p[14] * (v * scale + p[8] - seen[1])};
};
template <int row>
inline constexpr auto one_error = [](auto const& p, auto const& seen) { return reprojection_error(p, seen)[row]; };

/// The columns of a matrix, one tensor each: what belongs together in a loop over observations lies side by side.
template <int count>
inline constexpr auto columns = [](auto const& m) {
  return [&]<int... i>(std::integer_sequence<int, i...>) { return std::array{squeeze<1>(slice<1, i, i + 1>(m))...}; }(std::make_integer_sequence<int, count>{});
};

/// f(parameters, features) for what each observation depends on. cameras: [n, 11], points: [m, 3], weights: [p], features: [p, 2]; camera_of and point_of: [p], which of them.
inline constexpr auto for_each_observation = [](auto f, auto const& cameras, auto const& points, auto const& weights, auto const& camera_of, auto const& point_of, auto const& features) {
  auto const camera = columns<11>(take(cameras, camera_of, axis<0>));
  auto const point = columns<3>(take(points, point_of, axis<0>));
  auto const all = std::apply([&](auto const&... c) { return std::apply([&](auto const&... x) { return std::array{c..., x..., weights}; }, point); }, camera);
  return vmap(f)(all, columns<2>(features));
};

/// The errors of all observations, two of [p], and of the weights, 1 - w^2, [p].
/// GradBench: from 49 cameras, 7776 points and 31843 observations to 13682, 4456117 and 2987644.
inline constexpr auto objective = [](auto const& cameras, auto const& points, auto const& weights, auto const& camera_of, auto const& point_of, auto const& features) {
  return std::tuple{for_each_observation(reprojection_error, cameras, points, weights, camera_of, point_of, features), 1.0 - square(weights)};
};

/// The elements of the Jacobian that are not zero, by columns: 15 tensors [p] for each of the two errors, and [p] for the errors of the weights.
inline constexpr auto sparse_jacobian = [](auto const&... arguments) {
  auto const& weights = std::get<2>(std::tie(arguments...));
  return std::tuple{for_each_observation(grad(one_error<0>), arguments...), for_each_observation(grad(one_error<1>), arguments...), -2.0 * weights};
};

}  // namespace gradbench::ba
