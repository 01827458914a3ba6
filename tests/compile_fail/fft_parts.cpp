// error: \[dimity\.fft\.3\]
#include <dimity/dimity.hpp>
using namespace dimity;
int main() {
  tensor<float, 8> re, im;
  tensor<float, 4> shorter;
  re = 1.0f;
  im = 1.0f;
  shorter = 1.0f;
#ifdef MISTAKE
  auto y = fft::fft(re, shorter);
#else
  auto y = fft::fft(re, im);
#endif
  (void)y;
}
