#include "dimity_worker.hpp"

using namespace dimity;

namespace {

constexpr extent_t batch = 8, tokens = 64, width = 128, heads = 4, depth = width / heads;
using sequence = tensor<float, batch, tokens, width>;

constexpr auto normalize = [](auto const& x, auto const& gamma, auto const& beta) {
  return (x - mean(x, axis<-1>, keep_dims)) * rsqrt(var(x, axis<-1>, keep_dims) + 1e-5f) * gamma + beta;
};

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

constexpr auto forward = peers::compiled([](auto const& model, auto const& x, auto) { return model(x); });
constexpr auto loss = [](auto const& model, auto const& x, auto const& target) { return mean(square(model(x) - target)); };
constexpr auto step = peers::compiled([](auto const& model, auto const& x, auto const& target) {
  auto [l, gradients] = value_and_grad(loss)(model, x, target);
  return std::tuple{tree_map([](auto const& w, auto const& g) { return w - 0.05f * g; }, model, gradients), l};
});

void fill_block(peers::request const& r, block<float>& model) {
  char const* const names[] = {"gamma1", "beta1", "wqkv", "bqkv", "wo", "bo", "gamma2", "beta2", "w1", "b1", "w2", "b2"};
  std::size_t i = 0;
  for_each_parameter(model, [&](std::string_view, auto& value) { peers::fill(r, names[i++], value); });
}

struct forward_state {
  block<float> model;
  sequence x, y;
};
struct training_state {
  block<float> start, model;
  sequence x, target;
  tensor<float> loss;
};

peers::registered const both{[] {
  peers::makers()["transformer-8x64x128"] = [](peers::request const& r) {
    auto s = std::make_shared<forward_state>();
    fill_block(r, s->model);
    peers::fill(r, "x", s->x);
    return peers::make_task(s, [](forward_state& s) { s.y = forward(s.model, s.x, std::move(s.y)); }, [](forward_state& s, peers::sink& to) { peers::write(to, s.y); });
  };
  peers::makers()["transformer_step-8x64x128"] = [](peers::request const& r) {
    auto s = std::make_shared<training_state>();
    fill_block(r, s->start);
    peers::fill(r, "x", s->x);
    peers::fill(r, "target", s->target);
    auto const results = [](training_state& s, peers::sink& to) {
      peers::write(to, s.loss);
      for_each_parameter(s.model, [&](std::string_view, auto const& value) { peers::write(to, value); });
    };
    return peers::make_task(s, [](training_state& s) { std::tie(s.model, s.loss) = step(std::move(s.model), s.x, s.target); }, results, [](training_state& s) { s.model = s.start; });
  };
}};

}  // namespace
