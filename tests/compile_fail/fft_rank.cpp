// error: \[dimity\.fft\.5\]
// error: 8L? < 8
#include <dimity/dimity.hpp>
using namespace dimity;
int main() {
  tensor<float, 1, 1, 1, 1, 1, 1, 2, 8> x;
  x = 1.0f;
#ifdef MISTAKE
  auto y = fft::rfft(x);
#else
  auto y = fft::rfft(squeeze<0>(x));
#endif
  (void)y;
}
