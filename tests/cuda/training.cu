// A training step as a user writes it, compiled by nvcc and linked; where there is a GPU it runs there and beside this machine, otherwise it ends with 77.
#include <dimity/cuda.hpp>

#include <cmath>
#include <cstdio>

using namespace dimity;

template <class T>
struct mlp {
  nn::linear<T, 64, 32> hidden;
  nn::linear<T, 32, 10> output;
  constexpr auto operator()(auto const& x) const { return output(tanh(hidden(x))); }
};

constexpr auto loss = [](auto const& model, auto const& x, auto const& labels) { return mean(nn::cross_entropy(model(x), labels)); };
constexpr auto train = [](auto const& model, auto const& state, auto const& x, auto const& labels) {
  auto const [l, gradients] = value_and_grad(loss)(model, x, labels);
  auto const [m, s] = optim::update(state, model, gradients);
  return std::tuple{m, s, l};
};

int main() {
  if (!has_cuda_device()) {
    std::puts("skipped: no CUDA device");
    return 77;
  }
  tensor<float, 32, 64> const x = random::normal<float, 32, 64>(key{1});
  tensor<std::int64_t, 32> labels;
  for (int i = 0; i < 32; ++i) labels(i) = i % 10;
  auto model = nn::init<mlp<float>>(key{42});
  auto state = optim::adamw(model, {.learning_rate = 1e-2});
  auto model_there = to_cuda(model);
  auto state_there = to_cuda(state);
  auto const x_there = to_cuda(x);
  auto const labels_there = to_cuda(labels);

  constexpr auto step = compile(train);
  constexpr auto step_there = compile(train, cuda{.graph = true});
  tensor<float> l;
  cuda_tensor<float> l_there;
  for (int i = 0; i < 50; ++i) {
    std::tie(model, state, l) = step(std::move(model), std::move(state), x, labels);
    std::tie(model_there, state_there, l_there) = step_there(std::move(model_there), std::move(state_there), x_there, labels_there);
  }
  float const here = l, there = to_host(l_there);
  std::printf("loss after 50 steps: %g on this machine, %g on the GPU\n", here, there);
  return std::abs(here - there) < 1e-3f * (1 + std::abs(here)) ? 0 : 1;
}
