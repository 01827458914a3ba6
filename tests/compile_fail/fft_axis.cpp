// error: \[dimity\.fft\.1\]
#include <dimity/dimity.hpp>
using namespace dimity;
int main() {
  tensor<float, dyn, 8> x(3);
#ifdef MISTAKE
  auto y = fft::rfft(x, axis<0>);
#else
  auto y = fft::rfft(x, axis<1>);
#endif
  (void)y;
}
