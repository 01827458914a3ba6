// A small model with gradients to step along, and its leaves as one vector of doubles.
#pragma once

#include <dimity/dimity.hpp>
#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <tuple>
#include <vector>

namespace test {

using namespace dimity;

template <class T>
struct small_model {
  nn::linear<T, 3, 4> first;
  std::array<tensor<T, 5>, 2> vectors;
  tensor<T> scalar;
};

template <class Tree>
std::vector<double> flat(Tree const& tree) {
  std::vector<double> all;
  for_each_parameter(tree, [&](std::string_view, auto const& leaf) {
    for (auto e : leaf) all.push_back(static_cast<double>(e));
  });
  return all;
}
template <class T>
small_model<T> start() {
  small_model<T> m{};
  double t = 0;
  for_each_parameter(m, [&](std::string_view, auto& leaf) {
    for (auto& e : leaf) e = static_cast<T>(std::sin(t += 0.7));
  });
  return m;
}
/// Gradients of very different size, some of them zero.
template <class T>
small_model<T> gradient_at(int step) {
  small_model<T> m{};
  int i = 0;
  for_each_parameter(m, [&](std::string_view, auto& leaf) {
    for (auto& e : leaf) {
      e = static_cast<T>(i % 7 == 0 ? 0.0 : std::cos(1.1 * i + 0.3 * step) * std::pow(10.0, i % 5 - 3));
      ++i;
    }
  });
  return m;
}
inline void check_close(std::vector<double> const& a, std::vector<double> const& b, double bound) {
  REQUIRE(a.size() == b.size());
  for (std::size_t i = 0; i < a.size(); ++i) CHECK(std::abs(a[i] - b[i]) <= bound * (1 + std::abs(b[i])));
}

}  // namespace test
