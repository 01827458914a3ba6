// heavy: a whole model, with its reverse pass, on both devices
#include "on_cuda.hpp"
#include <array>
using namespace dimity;
using test::numbers;

namespace {
constexpr extent_t width = 16, context = 10, batch = 2, vocabulary = 12;
template <class T>
struct block {
  nn::layer_norm<T, width> before_attention, before_layers;
  nn::multi_head_attention<T, width, 2, attention_options{.causal = true}> attention;
  nn::linear<T, width, 2 * width> up;
  nn::linear<T, 2 * width, width> down;
  constexpr auto operator()(auto const& x) const {
    auto const h = x + attention(before_attention(x));
    return h + down(gelu_tanh(up(before_layers(h))));
  }
};
constexpr auto through_block = [](auto const& x, auto const& b) { return std::tuple{b(x), std::tuple{}}; };
template <class T>
struct language_model {
  nn::embedding<T, vocabulary, width> meaning;
  stacked<block<T>, 2> blocks;
  nn::layer_norm<T, width> norm;
  nn::linear<T, width, vocabulary> output;
  constexpr auto operator()(auto const& x) const { return output(norm(std::get<0>(scan(through_block, meaning(x), blocks)))); }
};
constexpr auto loss = [](auto const& model, auto const& x, auto const& next) { return mean(nn::cross_entropy(reshape<batch * context, vocabulary>(model(x)), reshape<batch * context>(next))); };
constexpr auto train = [](auto const& model, auto const& opt, auto const& x, auto const& next) {
  auto [l, gradients] = value_and_grad(loss)(model, x, next);
  auto [next_model, next_opt] = optim::update(opt, model, gradients);
  return std::tuple{next_model, next_opt, l};
};
}
TEST_CASE("cuda: a transformer learns as on this machine") {
  auto model = nn::init<language_model<float>>(key{1});
  std::array<block<float>, 2> blocks{nn::init<block<float>>(key{2}), nn::init<block<float>>(key{3})};
  model.blocks = stack_trees(blocks);
  auto opt = optim::adamw(model, {.learning_rate = 1e-2});
  auto x = random::integers<std::int32_t, batch, context>(key{4}, 0, vocabulary), next = random::integers<std::int32_t, batch, context>(key{5}, 0, vocabulary);
  auto there = to_cuda(model);
  auto opt_there = to_cuda(opt);
  auto const x_there = to_cuda(x), next_there = to_cuda(next);
  auto const step = compile(train);
  auto const step_there = compile(train, cuda{});
  for (int i = 0; i < 3; ++i) {
    tensor<float> l;
    cuda_tensor<float> l_there;
    std::tie(model, opt, l) = step(std::move(model), std::move(opt), x, next);
    std::tie(there, opt_there, l_there) = step_there(std::move(there), std::move(opt_there), x_there, next_there);
    CHECK(float(to_host(l_there)) == doctest::Approx(float(l)).epsilon(1e-4));
  }
  test::check_close(to_host(there.output.weight), model.output.weight, 1e-2);
}
