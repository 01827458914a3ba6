// budget: 6 s, 800 MB
#include <dimity/dimity.hpp>

#include <cstdint>
#include <tuple>
#include <utility>

using namespace dimity;

template <class T>
struct mlp {
  nn::linear<T, 64, 32> hidden;
  nn::linear<T, 32, 10> output;
  constexpr auto operator()(auto const& x) const { return output(tanh(hidden(x))); }
};

constexpr auto loss = [](auto const& model, auto const& x, auto const& labels) { return mean(nn::cross_entropy(model(x), labels)); };

constexpr auto step = compile([](auto model, auto opt, auto x, auto labels) {
  auto [l, grads] = value_and_grad(loss)(model, x, labels);
  auto [next_model, next_opt] = optim::update(opt, model, grads);
  return std::tuple{next_model, next_opt, l};
});

float train(tensor<float, 32, 64> const& x, tensor<std::int32_t, 32> const& labels) {
  auto model = nn::init<mlp<float>>(key{42});
  auto opt = optim::adamw(model, {.learning_rate = 1e-3f});
  tensor<float> l;
  for (int i = 0; i < 100; ++i) std::tie(model, opt, l) = step(std::move(model), std::move(opt), x, labels);
  return l;
}
