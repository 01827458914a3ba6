// ht of GradBench against a scalar implementation and its derivatives by complex steps.
// heavy: many compiled derivatives
#include "../../examples/gradbench/ht.hpp"
#include "complex_step.hpp"

#include <doctest/doctest.h>

#include <array>

using namespace dimity;
using namespace test;

namespace {

constexpr int vertices = 9, count = 4, bones = gradbench::ht::bones, parameters = gradbench::ht::parameters;

template <class T>
struct matrix {
  T e[4][4] = {{T(1), T(0), T(0), T(0)}, {T(0), T(1), T(0), T(0)}, {T(0), T(0), T(1), T(0)}, {T(0), T(0), T(0), T(1)}};
};
template <class T>
matrix<T> operator*(matrix<T> const& a, matrix<T> const& b) {
  matrix<T> c;
  for (int i = 0; i < 4; ++i) {
    for (int j = 0; j < 4; ++j) {
      c.e[i][j] = 0;
      for (int k = 0; k < 4; ++k) c.e[i][j] += a.e[i][k] * b.e[k][j];
    }
  }
  return c;
}
/// Around axis 0, 1 or 2.
template <class T>
matrix<T> turn(int axis, T angle) {
  matrix<T> r;
  int const i = (axis + 1) % 3, j = (axis + 2) % 3;
  r.e[i][i] = r.e[j][j] = std::cos(angle);
  r.e[j][i] = std::sin(angle);
  r.e[i][j] = -std::sin(angle);
  return r;
}
/// Rotations and translations, so that products of many stay of one size.
tensor<double, bones, 4, 4> rigid(int seed) {
  tensor<double, bones, 4, 4> all;
  auto const numbers = random::uniform<double, bones, 6>(key{static_cast<std::uint64_t>(seed)});
  for (int b = 0; b < bones; ++b) {
    auto m = turn(0, numbers(b, 0)) * turn(1, numbers(b, 1)) * turn(2, numbers(b, 2));
    for (int i = 0; i < 3; ++i) m.e[i][3] = numbers(b, 3 + i);
    for (int i = 0; i < 16; ++i) all(b, i / 4, i % 4) = m.e[i / 4][i % 4];
  }
  return all;
}
template <class T>
matrix<T> entry(tensor<double, bones, 4, 4> const& all, int b) {
  matrix<T> m;
  for (int i = 0; i < 16; ++i) m.e[i / 4][i % 4] = all(b, i / 4, i % 4);
  return m;
}
gradbench::ht::hand<double, vertices> const model{rigid(1), rigid(2), random::uniform<double, vertices, 4>(key{3}), random::uniform<double, vertices, bones>(key{4})};

/// All vertices, by the steps of the definition: poses of all bones, parents first, skinning, rotation and translation of the whole.
template <class T>
std::array<std::array<T, 3>, vertices> all_positions(T const* theta) {
  std::array<matrix<T>, bones> absolute;
  for (int b = 0; b < bones; ++b) {
    int const finger = (b - 1) / 4, joint = (b - 1) % 4, parent = b == 0 ? -1 : b == bones - 1 || joint == 0 ? 0 : b - 1;
    matrix<T> relative = entry<T>(model.base_relatives, b);
    if (b > 0 && b < bones - 1 && joint > 0) {
      T const* pose = theta + 6 + finger * 4;
      relative = relative * turn(2, joint == 1 ? pose[1] : T(0)) * turn(1, T(0)) * turn(0, pose[joint == 1 ? 0 : joint]);
    }
    absolute[b] = parent < 0 ? relative : absolute[parent] * relative;
  }
  T const angle = std::sqrt(theta[0] * theta[0] + theta[1] * theta[1] + theta[2] * theta[2]), c = std::cos(angle), s = std::sin(angle);
  std::array<std::array<T, 3>, vertices> result;
  for (int v = 0; v < vertices; ++v) {
    T p[3] = {};
    for (int b = 0; b < bones; ++b) {
      auto const transform = absolute[b] * entry<T>(model.inverse_base_absolutes, b);
      for (int i = 0; i < 3; ++i)
        for (int j = 0; j < 4; ++j) p[i] += model.weights(v, b) * transform.e[i][j] * model.base_positions(v, j);
    }
    T dot = 0;
    for (int i = 0; i < 3; ++i) dot += theta[i] / angle * p[i];
    for (int i = 0; i < 3; ++i) {
      int const j = (i + 1) % 3, k = (i + 2) % 3;
      result[v][i] = p[i] * c + (theta[j] * p[k] - theta[k] * p[j]) / angle * s + theta[i] / angle * dot * (1.0 - c) + theta[3 + i];
    }
  }
  return result;
}

auto const theta = random::uniform<double, parameters>(key{5});
auto const points = random::uniform<double, 3, count>(key{6});

}  // namespace

TEST_CASE("ht: errors at vertices and their Jacobian") {
  tensor<std::int32_t, count> const at{3, 0, 8, 3};
  auto const [errors, slopes] = compile([](auto const& t, auto const& m, auto const& p, auto const& v) {
    return std::tuple{gradbench::ht::simple<count>(t, m, p, v), gradbench::ht::simple_jacobian<count>(t, m, v)};
  })(theta, model, points, at);
  auto const f = [&]<class T>(std::vector<T> const& t) {
    auto const where = all_positions(t.data());
    std::vector<T> result;
    for (int i = 0; i < count * 3; ++i) result.push_back(points(i / count, i % count) - where[at(i % count)][i / count]);
    return result;
  };
  CHECK(difference(elements(errors), f(elements(theta))) < 1e-13);
  CHECK(difference(elements(eval(permute<1, 2, 0>(slopes))), complex_jacobian(f, elements(theta))) < 1e-13);
}
