// error: \[dimity\.fft\.2\]
#include <dimity/dimity.hpp>
using namespace dimity;
int main() {
  tensor<std::int16_t, 8> x = {1, 2, 3, 4, 5, 6, 7, 8};
#ifdef MISTAKE
  auto y = fft::rfft(x);
#else
  auto y = fft::rfft(cast<float>(x));
#endif
  (void)y;
}
