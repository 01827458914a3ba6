// Recurrent layers over a sequence: rnn, lstm, gru, and both directions at once. Parameters have PyTorch's names, shapes and gate order.
//
// The product with the input is one product for the whole sequence, before the loop, with the biases in its epilogue; an iteration is the product with the hidden state and one loop over the gates. The price is memory of
// [length, .., gates * H].
#pragma once

#include <dimity/nn/recurrent_cells.hpp>
#include <dimity/transform/scan.hpp>

#include <tuple>

namespace DIMITY_NAMESPACE::nn {

/// `nn::lstm<float, 8, 16, nn::recurrent_options{.reverse = true}>`
struct recurrent_options {
  bool reverse = false;  ///< begin with the last entry; outputs lie where their inputs do, and the last state is that after the first entry
};

namespace detail {

template <class Kind, extent_t H>
struct recurrent_step {
  template <class State, class P, class W, class B>
  constexpr auto operator()(State const& state, P const& from_input, W const& weight_hh, B const& bias_hh) const {
    auto const next = recur<Kind, H>(from_input, state, weight_hh, bias_hh);
    return std::tuple{next, hidden_of(next)};
  }
};
template <class Kind, bool Reverse>
struct recurrent_sequence {
  template <class Layer, class X, class State>
  constexpr auto operator()(Layer const& layer, X const& x, State const& state) const {
    return run<Layer::hidden_size>(layer, project<Kind>(x, layer.weight_ih_l0, layer.bias_ih_l0, layer.bias_hh_l0), state);
  }
  template <class Layer, class X>
  constexpr auto operator()(Layer const& layer, X const& x) const {
    auto const from_input = project<Kind>(x, layer.weight_ih_l0, layer.bias_ih_l0, layer.bias_hh_l0);
    return run<Layer::hidden_size>(layer, from_input, zero_state<Kind, Layer::hidden_size>(pick<0>(from_input, 0)));
  }

 private:
  template <extent_t H, class Layer, class P, class State>
  static constexpr auto run(Layer const& layer, P const& from_input, State const& state) {
    auto const [last, outputs] = scan<scan_options{.reverse = Reverse}>(recurrent_step<Kind, H>{}, state, from_input, layer.weight_hh_l0, layer.bias_hh_l0);
    return std::tuple{outputs, last};
  }
};
template <class Kind, class T, extent_t I, extent_t H, recurrent_options Options>
struct recurrent_layer {
  tensor<T, Kind::gates * H, I> weight_ih_l0;
  tensor<T, Kind::gates * H, H> weight_hh_l0;
  tensor<T, Kind::gates * H> bias_ih_l0, bias_hh_l0;

  constexpr auto operator()(auto const& x, auto const&... state) const {
    (void)sizeof(recurrent_input<shape_of<decltype(x)>, I, 2>);
    return run<Options.reverse>(x, state...);
  }
  template <bool Reverse>
  constexpr auto run(auto const& x, auto const&... state) const {
    if constexpr (recurrent_input<shape_of<decltype(x)>, I, 2>::fits) return compile(recurrent_sequence<Kind, Reverse>{})(*this, x, state...);
    else return std::tuple{failed<typename untraced_type<T>::type, shape<1, H>>{}, failed_state<Kind, T, H>()};
  }
  static constexpr extent_t input_size = I, hidden_size = H, fan_in = H;
  static constexpr bool reverse = Options.reverse;
};

}  // namespace detail

/// rnn_cell over a sequence: `auto [outputs, h] = layer(x)` with x [length, .., I], outputs [length, .., H] and the last state h [.., H]; `layer(x, h)` does not start from zeros. The length and axes between may be chosen at run time.
/// Fields of all layers: those of their cells, with `_l0` behind their names.
template <class T, extent_t I, extent_t H, recurrent_options Options = recurrent_options{}>
using rnn = detail::recurrent_layer<detail::rnn_kind, T, I, H, Options>;
/// lstm_cell over a sequence: `auto [outputs, state] = layer(x)` and `layer(x, std::tuple{h, c})`; the last state is std::tuple{h, c}. Otherwise as rnn.
template <class T, extent_t I, extent_t H, recurrent_options Options = recurrent_options{}>
using lstm = detail::recurrent_layer<detail::lstm_kind, T, I, H, Options>;
/// gru_cell over a sequence; called as rnn.
template <class T, extent_t I, extent_t H, recurrent_options Options = recurrent_options{}>
using gru = detail::recurrent_layer<detail::gru_kind, T, I, H, Options>;

namespace detail {

struct both_directions {
  template <class Layer, class X, class... State>
  constexpr auto operator()(Layer const& forward, Layer const& backward, X const& x, State const&... state) const {
    auto const [ahead, ahead_state] = forward.template run<Layer::reverse>(x, state.first...);
    auto const [back, back_state] = backward.template run<!Layer::reverse>(x, state.second...);
    return std::tuple{concat<-1>(ahead, back), std::pair{ahead_state, back_state}};
  }
};

}  // namespace detail

/// Two layers, of which the second reads the sequence backwards: `auto [outputs, states] = layer(x)` with outputs [length, .., 2 H] (forward, backward) and states a pair; `layer(x, std::pair{s, t})` does not start from zeros. `nn::bidirectional<nn::lstm<float, 8, 16>>`
template <class Layer>
struct bidirectional {
  Layer forward, backward;

  constexpr auto operator()(auto const& x, auto const&... states) const {
    using input = detail::recurrent_input<dimity::detail::shape_of<decltype(x)>, Layer::input_size, 2>;
    (void)sizeof(input);
    if constexpr (input::fits) return compile(detail::both_directions{})(forward, backward, x, states...);
    else return std::tuple{forward(x, states.first...), backward(x, states.second...)};
  }
};

}  // namespace DIMITY_NAMESPACE::nn
