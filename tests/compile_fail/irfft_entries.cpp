// error: \[dimity\.fft\.4\]
// error: 5L? == 4L?
#include <dimity/dimity.hpp>
using namespace dimity;
int main() {
  tensor<float, 5> re, im;
  re = 1.0f;
  im = 1.0f;
#ifdef MISTAKE
  auto x = eval(fft::irfft<7>(re, im));
#else
  auto x = eval(fft::irfft<9>(re, im));
#endif
  (void)x;
}
