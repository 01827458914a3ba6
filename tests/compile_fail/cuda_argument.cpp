// error: \[dimity\.cuda\.4\] a function that is compiled for a GPU was given a tensor of this side
#include "../support/emulated_cuda.hpp"
#include <dimity/cuda.hpp>

constexpr auto twice = [](auto const& x) { return x * 2.0f; };

int main() {
  dimity::tensor<float, 4> const x = dimity::ones<float, 4>();
  auto const f = dimity::compile(twice, dimity::cuda{});
#ifdef MISTAKE
  auto const y = f(x);
#else
  auto const y = f(dimity::to_cuda(x));
#endif
  return sizeof(y) > 0 ? 0 : 1;
}
