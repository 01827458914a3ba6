// ba of GradBench against a scalar implementation and its derivatives by complex steps.
// heavy: many compiled derivatives
#include "../../examples/gradbench/ba.hpp"
#include "complex_step.hpp"

#include <doctest/doctest.h>

using namespace dimity;
using namespace test;

namespace {

constexpr int n = 2, m = 4, p = 7;

template <class T>
std::vector<T> weighted_error(std::vector<T> const& v, double feature_x, double feature_y) {
  T const d[3] = {v[11] - v[3], v[12] - v[4], v[13] - v[5]}, square_angle = v[0] * v[0] + v[1] * v[1] + v[2] * v[2];
  T const cross[3] = {v[1] * d[2] - v[2] * d[1], v[2] * d[0] - v[0] * d[2], v[0] * d[1] - v[1] * d[0]};
  T turned[3];
  for (int i = 0; i < 3; ++i) {
    if (square_angle == T(0)) {
      turned[i] = d[i] + cross[i];
    } else {
      T const angle = std::sqrt(square_angle), dot = (v[0] * d[0] + v[1] * d[1] + v[2] * d[2]) / square_angle;
      turned[i] = d[i] * std::cos(angle) + cross[i] / angle * std::sin(angle) + v[i] * dot * (1.0 - std::cos(angle));
    }
  }
  T const x = turned[0] / turned[2], y = turned[1] / turned[2], r = x * x + y * y, distortion = 1.0 + v[9] * r + v[10] * r * r;
  return {v[14] * (x * distortion * v[6] + v[7] - feature_x), v[14] * (y * distortion * v[6] + v[8] - feature_y)};
}

constexpr auto both = compile([](auto const&... args) { return std::tuple{gradbench::ba::objective(args...), gradbench::ba::sparse_jacobian(args...)}; });

}  // namespace

TEST_CASE("ba: errors and sparse Jacobian") {
  auto cameras = random::uniform<double, n, 11>(key{1});
  for (int i = 0; i < 3; ++i) cameras(1, i) = 0;      // one that does not turn
  auto const points = eval(3.0 + random::uniform<double, m, 3>(key{2}));
  auto const weights = random::uniform<double, p>(key{3});
  auto const features = random::uniform<double, p, 2>(key{4});
  auto const seen_by = eval(arange<std::int32_t, p>() % n), seen = eval(arange<std::int32_t, p>() % m);
  auto const [objective, jacobian] = both(cameras, points, weights, seen_by, seen, features);
  auto const& [errors, weight_errors] = objective;
  auto const& [slopes_x, slopes_y, weight_values] = jacobian;

  numbers expected, slopes, found, found_slopes;
  for (int i = 0; i < p; ++i) {
    numbers parameters;
    for (int j = 0; j < 11; ++j) parameters.push_back(cameras(i % n, j));
    for (int j = 0; j < 3; ++j) parameters.push_back(points(i % m, j));
    parameters.push_back(weights(i));
    auto const f = [&](auto const& v) { return weighted_error(v, features(i, 0), features(i, 1)); };
    for (double e : f(parameters)) expected.push_back(e);
    for (double e : complex_jacobian(f, parameters)) slopes.push_back(e);
    for (auto const& e : errors) found.push_back(e(i));
    for (auto const* row : {&slopes_x, &slopes_y})
      for (auto const& column : *row) found_slopes.push_back(column(i));
    CHECK(weight_errors(i) == doctest::Approx(1 - weights(i) * weights(i)).epsilon(1e-14));
    CHECK(weight_values(i) == -2 * weights(i));
  }
  CHECK(difference(found, expected) < 1e-13);
  CHECK(difference(found_slopes, slopes) < 1e-13);
}
