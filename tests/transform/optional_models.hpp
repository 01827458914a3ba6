// A layer with an optional field, which the tests of optionals share.
#pragma once

#include <dimity/dimity.hpp>
#include <doctest/doctest.h>

#include <optional>

namespace test {

using namespace dimity;

template <class T, extent_t N>
struct layer_of {
  tensor<T, N, N> weight;
  std::optional<tensor<T, N>> bias;
  constexpr auto operator()(auto const& x) const {
    auto y = matmul(x, weight);
    if (bias) y = y + *bias;
    return tanh(y);
  }
};
template <class T>
using layer = layer_of<T, 3>;
inline constexpr auto apply_model = [](auto const& m, auto const& x) { return m(x); };
inline constexpr auto loss = [](auto const& m, auto const& x) { return sum(square(m(x))); };

inline layer<double> example(bool with_bias, std::uint64_t seed = 1) {
  layer<double> m{random::normal<double, 3, 3>(key{seed}), std::nullopt};
  if (with_bias) m.bias = random::normal<double, 3>(key{seed + 100});
  return m;
}
/// The same, with zeros for what is not there.
inline layer<double> filled(layer<double> m) {
  if (!m.bias) m.bias = zeros<double, 3>();
  return m;
}
inline bool is_close(layer<double> const& a, layer<double> const& expected) {
  return allclose(a.weight, expected.weight, 1e-12, 1e-12) && (!a.bias || allclose(*a.bias, *expected.bias, 1e-12, 1e-12));
}

}  // namespace test
