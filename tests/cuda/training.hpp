// A model, its loss and its training step, which tests of programs on a GPU share.
#pragma once

#include "on_cuda.hpp"

#include <tuple>

namespace test {

using namespace dimity;

template <class T, extent_t In, extent_t Hidden>
struct mlp_of {
  nn::linear<T, In, Hidden> hidden;
  nn::linear<T, Hidden, 10> output;
  constexpr auto operator()(auto const& x) const { return output(tanh(hidden(x))); }
};
inline constexpr auto loss = [](auto const& model, auto const& x, auto const& labels) { return mean(nn::cross_entropy(model(x), labels)); };
inline constexpr auto train = [](auto const& model, auto const& state, auto const& x, auto const& labels) {
  auto const [l, gradients] = value_and_grad(loss)(model, x, labels);
  auto const [m, s] = optim::update(state, model, gradients);
  return std::tuple{m, s, l};
};
/// Labels of ten classes; n is what the type does not say.
template <extent_t N>
tensor<std::int64_t, N> some_labels(auto... n) {
  tensor<std::int64_t, N> l(n...);
  for (int i = 0; i < static_cast<int>(l.size()); ++i) l(i) = i * 7 % 10;
  return l;
}
inline long allocations() { return emulation::memory_of_device::get().allocations; }

}  // namespace test
