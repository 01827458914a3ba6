// The models that several benchmarks, and the test of what memory they need, have in common.
#pragma once

#include <dimity/dimity.hpp>

#include <cstdint>
#include <tuple>

namespace models {

using namespace dimity;

/// 784-256-128-10 on digits.
template <class T>
struct classifier {
  nn::linear<T, 784, 256> first;
  nn::linear<T, 256, 128> second;
  nn::linear<T, 128, 10> last;
  constexpr auto operator()(auto const& x) const { return last(relu(second(relu(first(x))))); }
};

/// Two convolutions with pooling, on 32 images of 28 x 28.
template <class T>
struct image_classifier {
  nn::conv2d<T, 1, 8, 3> first;
  nn::conv2d<T, 8, 16, 3> second;
  nn::linear<T, 400, 10> last;
  constexpr auto operator()(auto const& x) const { return last(reshape<32, 400>(relu(max_pool2d<2>(second(relu(max_pool2d<2>(first(x)))))))); }
};

inline constexpr extent_t batch = 8, tokens = 64, width = 128, heads = 4, depth = width / heads;
using sequences = tensor<float, batch, tokens, width>;

inline constexpr auto normalize = [](auto const& x, auto const& gamma, auto const& beta) {
  return (x - mean(x, axis<-1>, keep_dims)) * rsqrt(var(x, axis<-1>, keep_dims) + 1e-5f) * gamma + beta;
};
/// A transformer's block, of what the peers' workers compute too: one product for queries, keys and values, einsum for heads.
template <class T>
struct block {
  tensor<T, width> gamma1, beta1;
  nn::linear<T, width, 3 * width> qkv;
  nn::linear<T, width, width> out;
  tensor<T, width> gamma2, beta2;
  nn::linear<T, width, 4 * width> up;
  nn::linear<T, 4 * width, width> down;

  constexpr auto operator()(auto const& x) const {
    auto all = qkv(normalize(x, gamma1, beta1));
    auto q = reshape<batch, tokens, heads, depth>(slice<2, 0, width>(all));
    auto k = reshape<batch, tokens, heads, depth>(slice<2, width, 2 * width>(all));
    auto v = reshape<batch, tokens, heads, depth>(slice<2, 2 * width, 3 * width>(all));
    auto weights = softmax(einsum<"bqhd,bkhd->bhqk">(q, k) * 0.17677669529663687f, axis<-1>);      // 1 / sqrt(depth)
    auto h = x + out(reshape<batch, tokens, width>(einsum<"bhqk,bkhd->bqhd">(weights, v)));
    return h + down(gelu_tanh(up(normalize(h, gamma2, beta2))));
  }
};

/// A layer of LSTM cells on rows xs [steps, width]: one product for all steps, then a recurrence; every step's state.
template <extent_t Width>
inline constexpr auto lstm_cell = [](auto const& state, auto const& x, auto const& u) {
  auto const& [h, c] = state;
  auto gates = x + matmul(h, u);
  auto next_c = sigmoid(slice<0, Width, 2 * Width>(gates)) * c + sigmoid(slice<0, 0, Width>(gates)) * tanh(slice<0, 2 * Width, 3 * Width>(gates));
  auto next_h = sigmoid(slice<0, 3 * Width, 4 * Width>(gates)) * tanh(next_c);
  return std::tuple{std::tuple{next_h, next_c}, next_h};
};
template <extent_t Width>
inline constexpr auto lstm = [](auto const& xs, auto const& w, auto const& u, auto const& bias) {
  auto inputs = matmul(xs, w) + bias;
  return std::get<1>(scan(lstm_cell<Width>, std::tuple{zeros<float, Width>(), zeros<float, Width>()}, inputs, u));
};
inline constexpr auto forward = [](auto const& model, auto const& x) { return model(x); };
inline constexpr auto label_loss = [](auto const& model, auto const& x, auto const& labels) { return mean(nn::cross_entropy(model(x), labels)); };
inline constexpr auto square_loss = [](auto const& model, auto const& x, auto const& target) { return mean(square(model(x) - target)); };
/// Loss and gradients.
template <auto Loss>
inline constexpr auto gradients = [](auto const& model, auto const& x, auto const& wanted) { return value_and_grad(Loss)(model, x, wanted); };
/// One step of gradient descent: the next model, and the loss.
template <auto Loss>
inline constexpr auto step = [](auto const& model, auto const& x, auto const& wanted) {
  auto [loss, slopes] = value_and_grad(Loss)(model, x, wanted);
  return std::tuple{tree_map([](auto const& w, auto const& g) { return w - 0.05f * g; }, model, slopes), loss};
};

}  // namespace models
