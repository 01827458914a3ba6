// Cells of recurrent networks: one step each. Parameters, gate order and equations are PyTorch's.
//
// All gates of a cell come from one product with the input and one with the hidden state; the rest of the step is one loop. A call on tensors is compiled as a whole, so it returns tensors, not expressions.
#pragma once

#include <dimity/expr/contraction.hpp>
#include <dimity/expr/creation.hpp>
#include <dimity/expr/functions.hpp>
#include <dimity/expr/joining.hpp>
#include <dimity/expr/layout.hpp>
#include <dimity/expr/operators.hpp>
#include <dimity/transform/compile.hpp>

#include <tuple>

namespace DIMITY_NAMESPACE::nn {
namespace detail {

using namespace dimity::detail;

/// LeastRank: 1 for a cell, 2 for a layer over a sequence.
template <class Input, extent_t Inputs, int LeastRank>
struct recurrent_input {
  static constexpr bool has_rank = Input::rank >= LeastRank, matches = !has_rank || may_be_equal(Input::at(-1), Inputs), fits = has_rank && matches;
  static constexpr extent_t input = matches ? 1 : Input::at(-1), inputs = matches ? 1 : Inputs;
  static_assert(input == inputs, "[dimity.nn.3] rnn, lstm, gru: the last axis of the input must have the layer's number of inputs (columns of weight_ih)");
  static_assert(Input::rank >= LeastRank, "[dimity.nn.4] rnn, lstm, gru: the input is [.., inputs], of a layer over a sequence [length, .., inputs]");
};

/// Gate I of all gates, [.., gates * H] to [.., H].
template <extent_t H, int I, class G>
constexpr auto gate(G const& all) {
  return slice<-1, I * H, (I + 1) * H>(all);
}

// What a kind of cell adds to the two products: `next` makes the next state from what comes from the input, what comes from the hidden state, and the state.
// one_bias: both biases are added to the same sum, so they are added to what comes from the input, which in a sequence is outside of the loop.

struct rnn_kind {
  static constexpr extent_t gates = 1;
  static constexpr bool one_bias = true;
  template <extent_t H>
  static constexpr auto next(auto const& from_input, auto const& from_hidden, auto const&) {
    return tanh(from_input + from_hidden);
  }
};
struct lstm_kind {
  static constexpr extent_t gates = 4;
  static constexpr bool one_bias = true;
  template <extent_t H>
  static constexpr auto next(auto const& from_input, auto const& from_hidden, auto const& state) {
    // Parts of the two products are added, not the products: a part of something computed would have to be in memory first.
    auto const i = gate<H, 0>(from_input) + gate<H, 0>(from_hidden), f = gate<H, 1>(from_input) + gate<H, 1>(from_hidden);
    auto const g = gate<H, 2>(from_input) + gate<H, 2>(from_hidden), o = gate<H, 3>(from_input) + gate<H, 3>(from_hidden);
    auto const c = sigmoid(f) * std::get<1>(state) + sigmoid(i) * tanh(g);
    return std::tuple{sigmoid(o) * tanh(c), c};
  }
};
struct gru_kind {
  static constexpr extent_t gates = 3;
  static constexpr bool one_bias = false;
  template <extent_t H>
  static constexpr auto next(auto const& from_input, auto const& from_hidden, auto const& h) {
    auto const r = sigmoid(gate<H, 0>(from_input) + gate<H, 0>(from_hidden)), z = sigmoid(gate<H, 1>(from_input) + gate<H, 1>(from_hidden));
    auto const n = tanh(gate<H, 2>(from_input) + r * gate<H, 2>(from_hidden));
    return n + z * (h - n);
  }
};

/// The hidden state among what is carried on.
template <class State>
constexpr auto const& hidden_of(State const& state) {
  if constexpr (is_tuple<State>) return std::get<0>(state);
  else return state;
}
template <class Kind, class X, class W, class B>
constexpr auto project(X const& x, W const& weight_ih, B const& bias_ih, B const& bias_hh) {
  if constexpr (Kind::one_bias) return matmul(x, transpose(weight_ih)) + (bias_ih + bias_hh);
  else return matmul(x, transpose(weight_ih)) + bias_ih;
}
/// The next state from the gates' parts that come from the input.
template <class Kind, extent_t H, class P, class State, class W, class B>
constexpr auto recur(P const& from_input, State const& state, W const& weight_hh, B const& bias_hh) {
  auto const product = matmul(hidden_of(state), transpose(weight_hh));
  if constexpr (Kind::one_bias) return Kind::template next<H>(from_input, product, state);
  else return Kind::template next<H>(from_input, product + bias_hh, state);
}
template <class Kind, extent_t H, class P>
constexpr auto zero_state(P const& from_input) {
  auto const h = zeros_like(gate<H, 0>(from_input));
  if constexpr (std::is_same_v<Kind, lstm_kind>) return std::tuple{h, h};
  else return h;
}
/// What a layer returns after a mistake.
template <class Kind, class T, extent_t... E>
constexpr auto failed_state() {
  using h = failed<typename untraced_type<T>::type, shape<E...>>;
  if constexpr (std::is_same_v<Kind, lstm_kind>) return std::tuple{h{}, h{}};
  else return h{};
}

template <class Kind>
struct cell_step {
  template <class Cell, class X, class State>
  constexpr auto operator()(Cell const& cell, X const& x, State const& state) const {
    return recur<Kind, Cell::hidden_size>(project<Kind>(x, cell.weight_ih, cell.bias_ih, cell.bias_hh), state, cell.weight_hh, cell.bias_hh);
  }
  template <class Cell, class X>
  constexpr auto operator()(Cell const& cell, X const& x) const {
    auto const from_input = project<Kind>(x, cell.weight_ih, cell.bias_ih, cell.bias_hh);
    return recur<Kind, Cell::hidden_size>(from_input, zero_state<Kind, Cell::hidden_size>(from_input), cell.weight_hh, cell.bias_hh);
  }
};
template <class Kind, class T, extent_t I, extent_t H>
struct recurrent_cell {
  tensor<T, Kind::gates * H, I> weight_ih;
  tensor<T, Kind::gates * H, H> weight_hh;
  tensor<T, Kind::gates * H> bias_ih, bias_hh;

  constexpr auto operator()(auto const& x, auto const&... state) const {
    using input = recurrent_input<shape_of<decltype(x)>, I, 1>;
    (void)sizeof(input);
    if constexpr (input::fits) return compile(cell_step<Kind>{})(*this, x, state...);
    else return failed_state<Kind, T, H>();
  }
  static constexpr extent_t hidden_size = H, fan_in = H;
};

}  // namespace detail

/// h' = tanh(x W_ih^T + b_ih + h W_hh^T + b_hh): `cell(x, h)` with x [.., I] and h [.., H]; `cell(x)` starts from zeros. Fields of all cells: weight_ih [gates * H, I], weight_hh [gates * H, H], bias_ih and bias_hh [gates * H],
/// which start uniform in +-1/sqrt(H). Elman, "Finding structure in time", 1990.
template <class T, extent_t I, extent_t H>
using rnn_cell = detail::recurrent_cell<detail::rnn_kind, T, I, H>;
/// With (i, f, g, o) = x W_ih^T + b_ih + h W_hh^T + b_hh, c' = sigmoid(f) c + sigmoid(i) tanh(g) and h' = sigmoid(o) tanh(c'): `auto [h, c] = cell(x, std::tuple{h, c})`, `cell(x)` from zeros. x is [.., I], h and c are [.., H].
/// Hochreiter and Schmidhuber, "Long short-term memory", 1997; with the forget gate of Gers, Schmidhuber and Cummins, 2000.
template <class T, extent_t I, extent_t H>
using lstm_cell = detail::recurrent_cell<detail::lstm_kind, T, I, H>;
/// With (r, z, n) from x and (r', z', n') from h, r and z = sigmoid of the sums, n = tanh(n + r n'), h' = (1 - z) n + z h: `cell(x, h)` with x [.., I] and h [.., H]; `cell(x)` starts from zeros.
/// Cho et al., "Learning phrase representations using RNN encoder-decoder", 2014; the reset gate acts behind the product, as in PyTorch and cuDNN.
template <class T, extent_t I, extent_t H>
using gru_cell = detail::recurrent_cell<detail::gru_kind, T, I, H>;

}  // namespace DIMITY_NAMESPACE::nn
