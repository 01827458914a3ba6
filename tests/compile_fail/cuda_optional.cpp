// error: \[dimity\.cuda\.5\] optionals in arguments are not supported on a GPU yet
#include "../support/emulated_cuda.hpp"
#include <dimity/cuda.hpp>

#include <optional>

constexpr auto twice = [](auto const& x) { return std::get<0>(x) * 2.0f; };

int main() {
  auto const x = dimity::to_cuda(dimity::tensor<float, 4>());
  auto const f = dimity::compile(twice, dimity::cuda{});
#ifdef MISTAKE
  auto const y = f(std::tuple{x, std::optional(x)});
#else
  auto const y = f(std::tuple{x, x});
#endif
  return sizeof(y) > 0 ? 0 : 1;
}
