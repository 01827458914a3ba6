// lstm of GradBench (github.com/gradbench/gradbench, evals/lstm; from ADBench): a recurrent network with diagonal weights that predicts the next character of a text.
#pragma once

#include <dimity/dimity.hpp>

#include <array>
#include <cstddef>
#include <tuple>
#include <utility>

namespace gradbench::lstm {

using namespace dimity;

/// One layer: parameters [2, 4, width] are the weights and the biases of forget, input and output gate and change; a state is {hidden, cell}.
/// The input goes to the forget and the output gate, the hidden state to the others.
inline constexpr auto layer = [](auto const& state, auto const& input, auto const& parameters) {
  auto const& [hidden, cell] = state;
  auto const weight = pick<0>(parameters, 0), bias = pick<0>(parameters, 1);
  auto const gate = [&](int i, auto const& x) { return x * pick<0>(weight, i) + pick<0>(bias, i); };
  auto const next = cell * sigmoid(gate(0, input)) + sigmoid(gate(1, hidden)) * tanh(gate(3, hidden));
  return std::pair{sigmoid(gate(2, input)) * tanh(next), next};
};

/// One character through all layers; the result is the hidden state of the last one.
template <std::size_t layers>
inline constexpr auto step = [](auto states, auto const& character, auto const& main, auto const& extra) {
  auto value = character * pick<0>(extra, 0);
  for (std::size_t i = 0; i < layers; ++i) {
    states[i] = layer(states[i], value, pick<0>(main, static_cast<int>(i)));
    value = states[i].first;
  }
  return std::tuple{states, value};
};

/// f = -mean_t,i s_(t+1),i (y_t,i - log(2 + sum_j exp(y_t,j))), with the prediction y_t from s_0 ... s_t.
/// main: [layers, 2, 4, width], extra: [3, width] are the input weight, the output weight and the output bias, state: [layers, 2, width], sequence: [characters, width].
/// GradBench: 2, 4, 6 layers; 1024, 4096, 8192 characters; width 14, the bits of a character.
template <std::size_t layers>
inline constexpr auto objective = [](auto const& main, auto const& extra, auto const& state, auto const& sequence) {
  auto const layer_state = [&](int i) { return std::pair{pick<0>(pick<0>(state, i), 0), pick<0>(pick<0>(state, i), 1)}; };
  auto const start = [&]<std::size_t... i>(std::index_sequence<i...>) { return std::array{layer_state(i)...}; }(std::make_index_sequence<layers>{});
  auto const [end, hidden] = scan(step<layers>, start, slice<0, 0, -1>(sequence), main, extra);
  auto const prediction = hidden * pick<0>(extra, 1) + pick<0>(extra, 2);
  return -mean(slice<0, 1, to_end>(sequence) * (prediction - log(2.0 + sum(exp(prediction), axis<1>, keep_dims))));
};

/// With respect to main and extra.
template <std::size_t layers>
inline constexpr auto gradient = grad<0, 1>(objective<layers>);

}  // namespace gradbench::lstm
