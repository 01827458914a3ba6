// lstm of GradBench against a scalar implementation and its derivatives by complex steps.
// heavy: many compiled derivatives
#include "../../examples/gradbench/lstm.hpp"
#include "complex_step.hpp"

#include <doctest/doctest.h>

#include <type_traits>

using namespace dimity;
using namespace test;

namespace {

constexpr int layers = 2, width = 5, characters = 7;

auto const state = random::uniform<double, layers, 2, width>(key{1});
auto const sequence = cast<double>(random::integers<std::int32_t, characters, width>(key{2}, 0, 2));

template <class T>
T sigmoid(T x) {
  return 1.0 / (1.0 + std::exp(-x));
}
/// parameters: main and extra, one after the other.
template <class T>
T objective(std::vector<T> const& parameters) {
  auto const main = [&](int layer, int bias, int gate, int i) { return parameters[((layer * 2 + bias) * 4 + gate) * width + i]; };
  auto const extra = [&](int which, int i) { return parameters[layers * 8 * width + which * width + i]; };
  tensor<double, characters, width> const text = sequence;
  std::vector<T> now(state.begin(), state.end());
  T total = 0;
  for (int t = 0; t + 1 < characters; ++t) {
    std::vector<T> value(width);
    for (int i = 0; i < width; ++i) value[i] = text(t, i) * extra(0, i);
    for (int l = 0; l < layers; ++l) {
      for (int i = 0; i < width; ++i) {
        T &hidden = now[(l * 2 + 0) * width + i], &cell = now[(l * 2 + 1) * width + i];
        T const forget = sigmoid(value[i] * main(l, 0, 0, i) + main(l, 1, 0, i)), in = sigmoid(hidden * main(l, 0, 1, i) + main(l, 1, 1, i));
        T const out = sigmoid(value[i] * main(l, 0, 2, i) + main(l, 1, 2, i)), change = std::tanh(hidden * main(l, 0, 3, i) + main(l, 1, 3, i));
        cell = cell * forget + in * change;
        hidden = out * std::tanh(cell);
        value[i] = hidden;
      }
    }
    T sum = 2;
    for (int i = 0; i < width; ++i) sum += std::exp(value[i] * extra(1, i) + extra(2, i));
    for (int i = 0; i < width; ++i) total += text(t + 1, i) * (value[i] * extra(1, i) + extra(2, i) - std::log(sum));
  }
  return -total / static_cast<double>((characters - 1) * width);
}

}  // namespace

TEST_CASE("lstm: value and gradient") {
  auto const main = random::uniform<double, layers, 2, 4, width>(key{3});
  auto const extra = random::uniform<double, 3, width>(key{4});
  auto const [value, gradient] = value_and_grad<0, 1>(gradbench::lstm::objective<layers>)(main, extra, state, sequence);
  numbers parameters = elements(main), slopes = elements(std::get<0>(gradient));
  for (double e : extra) parameters.push_back(e);
  for (double e : std::get<1>(gradient)) slopes.push_back(e);
  CHECK(difference({value}, {objective(parameters)}) < 1e-14);
  CHECK(difference(slopes, complex_gradient(objective<complex>, parameters)) < 1e-13);
}
