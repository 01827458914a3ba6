// With DIMITY_NO_HEAP a model runs, is differentiated and trained without one allocation, from tensors and scratch memory of fixed size.
#define DIMITY_NO_HEAP
#define DIMITY_WORKSPACE_BYTES 32768
#include <dimity/dimity.hpp>

#include <cstdio>
#include <cstdlib>
#include <new>
#include <tuple>

using namespace dimity;
template <>
inline constexpr std::size_t dimity::inline_storage_bytes<tensor<float, 12, 16>> = 1024;

static bool forbidden = false;
void* operator new(std::size_t bytes) {
  if (forbidden) std::abort();
  return std::malloc(bytes);
}
void* operator new(std::size_t bytes, std::align_val_t) {
  if (forbidden) std::abort();
  return std::malloc(bytes);
}
void operator delete(void* p) noexcept { std::free(p); }
void operator delete(void* p, std::size_t) noexcept { std::free(p); }
void operator delete(void* p, std::align_val_t) noexcept { std::free(p); }
void operator delete(void* p, std::size_t, std::align_val_t) noexcept { std::free(p); }

template <class T>
struct net {
  nn::linear<T, 12, 16> hidden;
  nn::linear<T, 16, 3> output;
  constexpr auto operator()(auto const& x) const { return output(tanh(hidden(x))); }
};
constexpr auto loss = [](auto const& model, auto const& x, auto const& y) { return mean(nn::mse(model(x), y)); };
constexpr auto step = compile([](auto model, auto state, auto x, auto y) {
  auto [value, gradients] = value_and_grad(loss)(model, x, y);
  auto [next, next_state] = optim::update(state, model, gradients);
  return std::tuple{next, next_state, value};
});

int main() {
  forbidden = true;
  auto model = nn::init<net<float>>(key{1});
  auto state = optim::sgd(model, {.learning_rate = 0.05f, .momentum = 0.9f});
  tensor<float, 4, 12> x = random::normal<float, 4, 12>(key{2});
  tensor<float, 4, 3> y = random::normal<float, 4, 3>(key{3});
  tensor<float> first, value;
  std::tie(model, state, first) = step(model, state, x, y);
  for (int i = 0; i < 100; ++i) std::tie(model, state, value) = step(std::move(model), std::move(state), x, y);
  forbidden = false;
  std::printf("loss from %g to %g\n", static_cast<double>(first), static_cast<double>(value));
  return value < 0.2f * first ? 0 : 1;
}
