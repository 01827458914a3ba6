// The language model: what the example trains, and tests compare on both devices in a smaller size.
#pragma once

#include <dimity/dimity.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <tuple>

namespace transformer {

using namespace dimity;

/// A block as in GPT-2: what it adds to its input is made of the normalised input.
template <class T, extent_t Width, extent_t Heads>
struct block {
  nn::layer_norm<T, Width> before_attention, before_layers;
  nn::multi_head_attention<T, Width, Heads, attention_options{.causal = true}> attention;
  nn::linear<T, Width, 4 * Width> up;
  nn::linear<T, 4 * Width, Width> down;

  constexpr auto operator()(auto const& x) const {
    auto const h = x + attention(before_attention(x));
    return h + down(gelu_tanh(up(before_layers(h))));
  }
};
inline constexpr auto through_block = [](auto const& x, auto const& b) { return std::tuple{b(x), std::tuple{}}; };

template <class T, extent_t Vocabulary, extent_t Context, extent_t Width, extent_t Heads, extent_t Depth>
struct language_model {
  nn::embedding<T, Vocabulary, Width> meaning;
  nn::embedding<T, Context, Width> place;
  stacked<block<T, Width, Heads>, Depth> blocks;  // a loop over its blocks compiles like one of them
  nn::layer_norm<T, Width> norm;
  nn::linear<T, Width, Vocabulary> output;

  /// Characters [batch, Context] to logits of each one's successor [batch, Context, Vocabulary].
  constexpr auto operator()(auto const& x) const { return output(norm(std::get<0>(scan(through_block, meaning(x) + place.weight, blocks)))); }
};

inline constexpr auto loss = [](auto const& model, auto const& x, auto const& next) { return mean(nn::cross_entropy(model(x), next)); };

inline constexpr auto train = [](auto const& model, auto const& opt, auto const& x, auto const& next) {
  auto [l, gradients] = value_and_grad(loss)(model, x, next);
  auto [next_model, next_opt] = optim::update(opt, model, gradients);
  return std::tuple{next_model, next_opt, l};
};

template <extent_t Vocabulary, extent_t Context, extent_t Width, extent_t Heads, extent_t Depth>
auto first_model(std::uint64_t seed) {
  auto model = nn::init<language_model<float, Vocabulary, Context, Width, Heads, Depth>>(key{seed});
  auto const keys = random::split<Depth>(key{seed + 1});
  std::array<block<float, Width, Heads>, static_cast<std::size_t>(Depth)> blocks;
  for (std::size_t i = 0; i < blocks.size(); ++i) blocks[i] = nn::init<block<float, Width, Heads>>(keys[i]);
  model.blocks = stack_trees(blocks);
  for (float& w : model.meaning.weight) w *= 0.1f;
  for (float& w : model.place.weight) w *= 0.1f;
  return model;
}

}  // namespace transformer
