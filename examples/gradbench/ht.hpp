// ht of GradBench (github.com/gradbench/gradbench, evals/ht; from ADBench): a skinned hand that follows measured points.
#pragma once

#include <dimity/dimity.hpp>

#include <cstdint>
#include <utility>

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

/// [4, 4]: the rotation by an angle that takes axis `from` towards axis `to`.
template <int from, int to>
inline constexpr auto plane_rotation = [](auto const& angle) {
  auto const i = expand_dims<1>(arange<std::int32_t, 4>());
  auto const j = arange<std::int32_t, 4>();
  auto const turn = where(logical_and(i == to, j == from), 1.0, where(logical_and(i == from, j == to), -1.0, 0.0));
  auto const plane = where(logical_and(i == j, logical_or(i == from, i == to)), 1.0, 0.0);
  return eye<double, 4>() + sin(angle) * turn + (cos(angle) - 1.0) * plane;
};

/// [3, 3]: the rotation by the angle |r| around r; none below 0.0001.
inline constexpr auto rotation_matrix = [](auto const& r) {
  auto const squares = sum(square(r));
  auto const turns = squares >= 1e-8;
  auto const angle = sqrt(where(turns, squares, 1.0));  // at 0 its derivative would be infinite, also where it is not used
  // Levi-Civita's symbol, of which the products with r are the matrix of the cross product.
  auto const k = arange<double, 3>();
  auto const j = expand_dims<1>(k);
  auto const i = expand_dims<1>(j);
  auto const cross = tensordot<1>(0.5 * (i - j) * (j - k) * (i - k), r / angle);
  auto const identity = eye<double, 3>();
  return where(turns, identity + sin(angle) * cross + (1.0 - cos(angle)) * matmul(cross, cross), identity);
};

/// [3, c]: what one bone adds to points, given the transform from it to the hand. Vertices lie along the last axis, which fills registers. weights: [c], points: [4, c].
inline constexpr auto moved = [](auto const& absolute, auto const& inverse, auto const& weights, auto const& points) {
  return weights * matmul(slice<0, 0, 3>(matmul(absolute, inverse)), points);
};

/// [3, c]: what the four bones of a finger add. pose: [4], bend and spread of the second bone and the bends of the others; relatives and inverses: [4, 4, 4]; weights: [4, c].
inline constexpr auto finger = [](auto const& pose, auto const& relatives, auto const& inverses, auto const& weights, auto const& wrist, auto const& points) {
  auto const angle = [&](int i) { return pick<0>(pose, i); };
  auto const bone = [&](int i) { return pick<0>(relatives, i); };
  auto const add = [&](int i, auto const& absolute) { return moved(absolute, pick<0>(inverses, i), pick<0>(weights, i), points); };
  auto const first = matmul(wrist, bone(0));
  auto const second = matmul(matmul(first, bone(1)), matmul(plane_rotation<0, 1>(angle(1)), plane_rotation<1, 2>(angle(0))));
  auto const third = matmul(matmul(second, bone(2)), plane_rotation<1, 2>(angle(2)));
  auto const fourth = matmul(matmul(third, bone(3)), plane_rotation<1, 2>(angle(3)));
  return add(0, first) + add(1, second) + add(2, third) + add(3, fourth);
};

/// The model at `count` vertices. weights: [bones, c], points: [4, c].
template <extent_t count>
inline constexpr auto at_vertices = [](auto const& model, auto const& vertices) {
  return std::pair{transpose(take(model.weights, vertices, axis<0>)), transpose(take(model.base_positions, vertices, axis<0>))};
};
/// What all fingers are called with: f is `finger` or a derivative of it.
template <extent_t count>
inline constexpr auto each_finger = [](auto f, auto const& theta, auto const& model, auto const& weights, auto const& points) {
  return vmap<mapped, mapped, mapped, mapped, whole, whole>(f)(reshape<5, 4>(slice<0, 6, parameters>(theta)), reshape<5, 4, 4, 4>(slice<0, 1, 21>(model.base_relatives)),
                                                             reshape<5, 4, 4, 4>(slice<0, 1, 21>(model.inverse_base_absolutes)), reshape<5, 4, count>(slice<0, 1, 21>(weights)),
                                                             pick<0>(model.base_relatives, 0), points);
};

/// [3, c]: points skinned, before the hand as a whole turns and moves.
template <extent_t count>
inline constexpr auto skinned = [](auto const& theta, auto const& model, auto const& weights, auto const& points) {
  auto const wrist = pick<0>(model.base_relatives, 0);
  auto const add = [&](int i, auto const& absolute) { return moved(absolute, pick<0>(model.inverse_base_absolutes, i), pick<0>(weights, i), points); };
  return add(0, wrist) + add(21, matmul(wrist, pick<0>(model.base_relatives, 21))) + sum(each_finger<count>(finger, theta, model, weights, points), axis<0>);
};
inline constexpr auto place = [](auto const& global, auto const& posed) { return matmul(rotation_matrix(slice<0, 0, 3>(global)), posed) + expand_dims<1>(slice<0, 3, 6>(global)); };

/// [3, c]: where the vertices with these numbers are. theta: [26], rotation 3, translation 3, pose 5 x 4.
template <extent_t count>
inline constexpr auto positions = [](auto const& theta, auto const& model, auto const& vertices) {
  auto const [weights, points] = at_vertices<count>(model, vertices);
  return place(slice<0, 0, 6>(theta), skinned<count>(theta, model, weights, points));
};

/// [26, 3, c]: d positions / d theta, parameter by parameter. A parameter of a finger moves no other finger, so their derivatives are taken finger by finger.
template <extent_t count>
inline constexpr auto positions_jacobian = [](auto const& theta, auto const& model, auto const& vertices) {
  auto const [weights, points] = at_vertices<count>(model, vertices);
  auto const global = slice<0, 0, 6>(theta);
  auto const fingers = each_finger<count>(jacfwd(finger), theta, model, weights, points);
  auto const turned = matmul(rotation_matrix(slice<0, 0, 3>(theta)), permute<0, 3, 1, 2>(fingers));
  return concat<0>(permute<2, 0, 1>(jacfwd(place)(global, skinned<count>(theta, model, weights, points))), reshape<20, 3, count>(turned));
};

/// [3, c]: what is left between measured points, [3, c], and the vertices that they correspond to, [c]. GradBench calls this simple; 544 or 10000 vertices, c = 100, 192, ... 100000.
template <extent_t count>
inline constexpr auto simple = [](auto const& theta, auto const& model, auto const& points, auto const& vertices) { return points - positions<count>(theta, model, vertices); };
/// [26, 3, c], the transpose of the Jacobian: its columns one after the other, as GradBench's own code stores them.
template <extent_t count>
inline constexpr auto simple_jacobian = [](auto const& theta, auto const& model, auto const& vertices) { return -positions_jacobian<count>(theta, model, vertices); };

}  // namespace gradbench::ht
