// error: \[dimity\.cuda\.3\] this primitive has no kernel for GPUs yet
// error: svd
#include "../support/emulated_cuda.hpp"
#include <dimity/cuda.hpp>

int main() {
  auto const x = dimity::to_cuda(dimity::eye<float, 4>());
#ifdef MISTAKE
  auto const y = dimity::compile([](auto const& a) { return std::get<0>(dimity::linalg::svd(a)); }, dimity::cuda{})(x);
#else
  auto const y = dimity::compile([](auto const& a) { return dimity::transpose(a); }, dimity::cuda{})(x);
#endif
  return y.size() == 16 ? 0 : 1;
}
