// error: \[dimity\.cuda\.4\] an expression mixes tensors of this side with tensors of a GPU
#include "../support/emulated_cuda.hpp"
#include <dimity/cuda.hpp>

int main() {
  dimity::tensor<float, 4> const x = dimity::ones<float, 4>();
  auto const there = dimity::to_cuda(x);
#ifdef MISTAKE
  dimity::cuda_tensor<float, 4> const y = there + x;
#else
  dimity::cuda_tensor<float, 4> const y = there + there;
#endif
  return y.size() == 4 ? 0 : 1;
}
