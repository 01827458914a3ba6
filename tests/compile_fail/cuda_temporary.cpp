// error: \[dimity\.cuda\.7\] this expression owns a tensor that would be gone
#include "../support/emulated_cuda.hpp"
#include <dimity/cuda.hpp>

int main() {
  auto const x = dimity::eye<float, 4>();
#ifdef MISTAKE
  dimity::elements_of(dimity::exp(dimity::to_cuda(x)));
#else
  auto const there = dimity::to_cuda(x);
  dimity::elements_of(dimity::exp(there));
  auto const named = dimity::exp(dimity::to_cuda(x));
  dimity::elements_of(named);
#endif
}
