// An installed dimity in a CUDA project. Without a GPU it has been compiled and linked, which is what the test is about.
#include <dimity/cuda.hpp>

int main() {
  if (!dimity::has_cuda_device()) return 0;
  float const sum = dimity::sum(dimity::to_cuda(dimity::tensor<float, 3>{1, 2, 3}) * 2.0f);
  return sum == 12.0f ? 0 : 1;
}
