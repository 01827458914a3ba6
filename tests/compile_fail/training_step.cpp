// lines: 27
// error: \[dimity\.nn\.1\] linear
// error: shape<16, 9>
// error: shape<8, 4>
#include <dimity/dimity.hpp>
using namespace dimity;
constexpr auto loss = [](auto const& layer, auto const& x, auto const& labels) { return mean(nn::cross_entropy(layer(x), labels)); };
constexpr auto step = compile([](auto layer, auto opt, auto const& x, auto const& labels) {
  auto [l, grads] = value_and_grad(loss)(layer, x, labels);
  auto [m, o] = optim::update(opt, layer, grads);
  return std::tuple{m, o, l};
});
int main() {
  auto layer = nn::init<nn::linear<float, 8, 4>>(key{1});
  auto opt = optim::sgd(layer, {.learning_rate = 1e-2f});
#ifdef MISTAKE
  tensor<float, 16, 9> x;
#else
  tensor<float, 16, 8> x;
#endif
  tensor<int, 16> labels;
  float l = 0;
  std::tie(layer, opt, l) = step(std::move(layer), std::move(opt), x, labels);
}
