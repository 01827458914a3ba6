// error: \[dimity\.cuda\.2\] extents chosen at run time are not supported on a GPU yet
#include "../support/emulated_cuda.hpp"
#include <dimity/cuda.hpp>

int main() {
#ifdef MISTAKE
  using there = dimity::cuda_tensor<float, dimity::dyn, 4>;
#else
  using there = dimity::cuda_tensor<float, 3, 4>;
#endif
  return sizeof(there) > 0 ? 0 : 1;
}
