// A tower of 48 residual blocks as one scan, with its gradient: it should cost what 2 blocks cost.
// limits: those of the CMake target
// budget: 8 s, 800 MB
#include <dimity/dimity.hpp>

#include <cstdio>

using namespace dimity;

#ifndef DEPTH
#define DEPTH 48
#endif

template <class T>
struct block {
  nn::linear<T, 64, 256> wide;
  nn::linear<T, 256, 64> narrow;
};
constexpr auto run_block = [](auto const& x, auto const& b) { return std::tuple{x + b.narrow(gelu(b.wide(softmax(x, axis<-1>)))), std::tuple{}}; };
constexpr auto loss = [](auto const& blocks, auto const& x) { return mean(square(std::get<0>(scan(run_block, x, blocks)))); };

int main() {
  static stacked<block<float>, DEPTH> blocks{};
  tensor<float, 32, 64> x;
  x = 0.5f;
  auto [value, gradient] = value_and_grad(loss)(blocks, x);
  std::printf("%g\n", static_cast<double>(static_cast<float>(value)));
}
