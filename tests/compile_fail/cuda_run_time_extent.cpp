// error: \[dimity\.cuda\.2\] Fourier transforms and factorisations of matrices do not take extents chosen at run time on a GPU yet
// lines: 17
#include "../support/emulated_cuda.hpp"
#include <dimity/cuda.hpp>

int main() {
#ifdef MISTAKE
  using dimity::dyn;
  dimity::cuda_tensor<float, dyn, 4, 4> const x(3);
  dimity::cuda_tensor<float, dyn, 4, 4> const factors = dimity::linalg::cholesky(x);
#else
  dimity::cuda_tensor<float, 3, 4, 4> const x;
  dimity::cuda_tensor<float, 3, 4, 4> const factors = dimity::linalg::cholesky(x);
#endif
  return static_cast<int>(factors.extent(0)) - 3;
}
