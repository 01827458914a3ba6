// lstm's gradient by hand: rows padded to whole registers, activations of all steps kept, loss and output layer after the loop.
#pragma once

#include "lanes.hpp"

#include <cmath>
#include <cstring>

namespace hand {

template <std::size_t layers, std::size_t characters, std::size_t bits>
double lstm_gradient(double const* main, double const* extra, double const* state, double const* sequence, double* main_gradient, double* extra_gradient) {
  constexpr std::size_t row = padded(bits), registers = row / width, steps = characters - 1;
  enum { forget, in, out, change, before, squashed, input, hidden, kept };
  static double saved[steps][layers][kept][row], text[characters][row], weights[layers][2][4][row], wide_extra[3][row], last[steps][row], bh[steps][row];
  for (std::size_t t = 0; t < characters; ++t) std::memcpy(text[t], sequence + t * bits, bits * sizeof(double));
  for (std::size_t i = 0; i < layers * 8; ++i) std::memcpy(weights[0][0][0] + i * row, main + i * bits, bits * sizeof(double));
  for (std::size_t i = 0; i < 3; ++i) std::memcpy(wide_extra[i], extra + i * bits, bits * sizeof(double));
  double now[layers][2][row] = {};
  for (std::size_t i = 0; i < layers * 2; ++i) std::memcpy(now[0][0] + i * row, state + i * bits, bits * sizeof(double));

  auto const sigmoid = [](lanes const& v) { return lanes(1.0) / (lanes(1.0) + xsimd::exp(-v)); };
  for (std::size_t t = 0; t < steps; ++t) {
    for (std::size_t r = 0; r < row; r += width) {
      lanes value = load(text[t] + r) * load(wide_extra[0] + r);
      for (std::size_t l = 0; l < layers; ++l) {
        auto& k = saved[t][l];
        auto const gate = [&](int g, lanes const& x) { return xsimd::fma(x, load(weights[l][0][g] + r), load(weights[l][1][g] + r)); };
        lanes const h = load(now[l][0] + r), c = load(now[l][1] + r);
        lanes const f = sigmoid(gate(0, value)), i = sigmoid(gate(1, h)), o = sigmoid(gate(2, value)), g = xsimd::tanh(gate(3, h));
        lanes const next = c * f + i * g, s = xsimd::tanh(next);
        store(k[forget] + r, f), store(k[in] + r, i), store(k[out] + r, o), store(k[change] + r, g);
        store(k[before] + r, c), store(k[squashed] + r, s), store(k[input] + r, value), store(k[hidden] + r, h);
        value = o * s;
        store(now[l][0] + r, value), store(now[l][1] + r, next);
      }
      store(last[t] + r, value);
    }
  }

  lanes gain[registers], offset[registers];
  for (std::size_t v = 0; v < registers; ++v) gain[v] = offset[v] = lanes(0.0);
  lanes const tail = first(bits - (registers - 1) * width);
  double loss = 0;
  double const scale = -1.0 / (steps * bits);
  for (std::size_t t = 0; t < steps; ++t) {
    lanes y[registers], e[registers], sums(0.0), gold(0.0), dot(0.0);
    for (std::size_t v = 0; v < registers; ++v) {
      y[v] = xsimd::fma(load(last[t] + v * width), load(wide_extra[1] + v * width), load(wide_extra[2] + v * width));
      e[v] = xsimd::exp(y[v]);
      if (v + 1 == registers) e[v] *= tail;
      sums += e[v];
      gold += load(text[t + 1] + v * width);
      dot = xsimd::fma(load(text[t + 1] + v * width), y[v], dot);
    }
    double const sum = 2 + total(sums), golds = total(gold);
    loss += total(dot) - golds * std::log(sum);
    for (std::size_t v = 0; v < registers; ++v) {
      lanes const by = lanes(scale) * (load(text[t + 1] + v * width) - lanes(golds / sum) * e[v]);
      gain[v] = xsimd::fma(by, load(last[t] + v * width), gain[v]);
      offset[v] += by;
      store(bh[t] + v * width, by * load(wide_extra[1] + v * width));
    }
  }
  auto const narrow = [&](double* to, lanes const& v, std::size_t r) {
    alignas(64) double e[width];
    v.store_aligned(e);
    for (std::size_t i = 0; i < width && r + i < bits; ++i) to[r + i] = e[i];
  };
  for (std::size_t v = 0; v < registers; ++v) narrow(extra_gradient + bits, gain[v], v * width), narrow(extra_gradient + 2 * bits, offset[v], v * width);

  for (std::size_t r = 0; r < row; r += width) {
    lanes bw[layers][4], bb[layers][4], bhidden[layers], bcell[layers], first_weight(0.0);
    for (std::size_t l = 0; l < layers; ++l) {
      bhidden[l] = bcell[l] = lanes(0.0);
      for (int g = 0; g < 4; ++g) bw[l][g] = bb[l][g] = lanes(0.0);
    }
    for (std::size_t t = steps; t-- > 0;) {
      lanes bvalue = load(bh[t] + r);
      for (std::size_t l = layers; l-- > 0;) {
        auto const& k = saved[t][l];
        lanes const f = load(k[forget] + r), i = load(k[in] + r), o = load(k[out] + r), g = load(k[change] + r), s = load(k[squashed] + r), one(1.0);
        lanes const x = load(k[input] + r), h = load(k[hidden] + r), u = bvalue + bhidden[l];
        lanes const bnext = bcell[l] + u * o * (one - s * s);
        lanes const pf = bnext * load(k[before] + r) * f * (one - f), pi = bnext * g * i * (one - i), po = u * s * o * (one - o), pg = bnext * i * (one - g * g);
        bcell[l] = bnext * f;
        bw[l][0] += pf * x, bw[l][1] += pi * h, bw[l][2] += po * x, bw[l][3] += pg * h;
        bb[l][0] += pf, bb[l][1] += pi, bb[l][2] += po, bb[l][3] += pg;
        bvalue = pf * load(weights[l][0][0] + r) + po * load(weights[l][0][2] + r);
        bhidden[l] = pi * load(weights[l][0][1] + r) + pg * load(weights[l][0][3] + r);
      }
      first_weight += bvalue * load(text[t] + r);
    }
    for (std::size_t l = 0; l < layers; ++l)
      for (std::size_t g = 0; g < 4; ++g) narrow(main_gradient + (l * 8 + g) * bits, bw[l][g], r), narrow(main_gradient + (l * 8 + 4 + g) * bits, bb[l][g], r);
    narrow(extra_gradient, first_weight, r);
  }
  return scale * loss;
}

}  // namespace hand
