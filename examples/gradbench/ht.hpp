// ht of GradBench (github.com/gradbench/gradbench, evals/ht; from ADBench): a skinned hand that follows measured points.
#pragma once

#include <dimity/dimity.hpp>

#include <cstdint>

namespace gradbench::ht {

using namespace dimity;

inline constexpr extent_t bones = 22;  ///< wrist, five fingers of four bones each, forearm
inline constexpr extent_t parameters = 26;

template <class T, extent_t vertices>
struct hand {
  tensor<T, bones, 4, 4> base_relatives;          ///< from a bone to its parent, at rest
  tensor<T, bones, 4, 4> inverse_base_absolutes;  ///< from the hand to a bone, at rest
  tensor<T, vertices, 4> base_positions;          ///< homogeneous
  tensor<T, vertices, bones> weights;             ///< how much a bone moves a vertex
};

/// [3, 3]: the rotation by the angle |r| around r; none below 0.0001.
inline constexpr auto rotation_matrix = [](auto const& r) {
  auto const squares = sum(square(r));
  auto const turns = squares >= 1e-8;
  auto const angle = sqrt(where(turns, squares, 1.0));  // at 0 its derivative would be infinite, also where it is not used
  auto const axis_ = r / angle;
  auto const x = pick<0>(axis_, 0), y = pick<0>(axis_, 1), z = pick<0>(axis_, 2), zero = x * 0.0, s = sin(angle);
  auto const cross = reshape<3, 3>(stack<0>(zero, -z, y, z, zero, -x, -y, x, zero));
  auto const identity = eye<double, 3>();
  return where(turns, identity + s * cross + (1.0 - cos(angle)) * matmul(cross, cross), identity);
};

/// [5, 4, 4]: for each finger the rotation by `bend` around x, then by `spread` around z.
inline constexpr auto joint_rotations = [](auto const& bend, auto const& spread) {
  auto const c = cos(bend), s = sin(bend), C = cos(spread), S = sin(spread), zero = zeros_like(bend), one = ones_like(bend);
  return reshape<5, 4, 4>(stack<1>(C, -S * c, S * s, zero, S, C * c, -C * s, zero, zero, s, c, zero, zero, zero, zero, one));
};

/// [bones, 3, 4]: where each bone takes what was at rest. pose: [5, 4], for each finger the bend and the spread of its second bone and the bends of the other two.
inline constexpr auto bone_transforms = [](auto const& pose, auto const& model) {
  auto const base = [&]<int joint>(axis_set<joint>) { return slice<0, 1 + joint, 21, 4>(model.base_relatives); };
  auto const wrist = pick<0>(model.base_relatives, 0);
  auto const still = zeros_like(column(pose, 0));
  auto const first = matmul(wrist, base(axis<0>));
  auto const second = matmul(first, matmul(base(axis<1>), joint_rotations(column(pose, 0), column(pose, 1))));
  auto const third = matmul(second, matmul(base(axis<2>), joint_rotations(column(pose, 2), still)));
  auto const fourth = matmul(third, matmul(base(axis<3>), joint_rotations(column(pose, 3), still)));
  auto const forearm = matmul(wrist, pick<0>(model.base_relatives, 21));
  auto const absolutes = concat<0>(expand_dims<0>(wrist), reshape<20, 4, 4>(stack<1>(first, second, third, fourth)), expand_dims<0>(forearm));
  return slice<1, 0, 3>(matmul(absolutes, model.inverse_base_absolutes));
};

/// [k, 3]: where the vertices with these numbers are. theta: [26], rotation 3, translation 3, pose 20.
inline constexpr auto positions = [](auto const& theta, auto const& model, auto const& vertices) {
  auto const transforms = bone_transforms(reshape<5, 4>(slice<0, 6, parameters>(theta)), model);
  auto const blended = tensordot<1>(take(model.weights, vertices, axis<0>), transforms);
  auto const posed = sum(blended * expand_dims<1>(take(model.base_positions, vertices, axis<0>)), axis<2>);
  return matmul(posed, transpose(rotation_matrix(slice<0, 0, 3>(theta)))) + slice<0, 3, 6>(theta);
};

/// [c, 3]: what is left between measured points, [c, 3], and the vertices that they correspond to, [c]. GradBench calls this simple; 544 or 10000 vertices, c = 100, 192, ... 100000.
inline constexpr auto simple = [](auto const& theta, auto const& model, auto const& points, auto const& vertices) { return points - positions(theta, model, vertices); };

/// [c, 3, 26]: d simple / d theta.
inline constexpr auto simple_jacobian = jacobian(simple);

/// [c, 3]: the same with points inside of triangles, at u_0 a + u_1 b + (1 - u_0 - u_1) c. us: [c, 2], corners: [c, 3], the numbers of the vertices a, b, c.
/// GradBench calls this complicated.
template <extent_t count>
inline constexpr auto complicated = [](auto const& us, auto const& theta, auto const& model, auto const& points, auto const& corners) {
  auto const at = reshape<count, 3, 3>(positions(theta, model, flatten(corners)));
  auto const share = concat<1>(us, 1.0 - sum(us, axis<1>, keep_dims));
  return points - sum(expand_dims<2>(share) * at, axis<1>);
};

}  // namespace gradbench::ht
