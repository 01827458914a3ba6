// error: \[dimity\.cuda\.6\] this expression needs memory on the way
#include "../support/emulated_cuda.hpp"
#include <dimity/cuda.hpp>

int main() {
  auto const x = dimity::to_cuda(dimity::eye<float, 4>());
#ifdef MISTAKE
  dimity::elements_of(dimity::softmax(x, dimity::axis<-1>));
#else
  dimity::elements_of(dimity::exp(x));
#endif
}
