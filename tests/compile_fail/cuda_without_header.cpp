// error: \[dimity\.cuda\.1\] cuda\{\} needs #include <dimity/cuda\.hpp>, in a file that is compiled as CUDA
#include <dimity/dimity.hpp>

int main() {
  dimity::tensor<float, 4> x = dimity::ones<float, 4>();
#ifdef MISTAKE
  auto y = dimity::eval(x * 2.0f, dimity::cuda{});
#else
  auto y = dimity::eval(x * 2.0f);
#endif
  return y(0) == 2.0f ? 0 : 1;
}
