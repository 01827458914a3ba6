// error: \[dimity\.tree\.4\]
// error: shape<8>, .*shape<9>
#include <dimity/dimity.hpp>
using namespace dimity;
int main() {
  tensor<float, 8> shorter;
  tensor<float, 9> vector;
#ifdef MISTAKE
  auto m = unravel<nn::linear<float, 2, 3>>(shorter);
#else
  auto m = unravel<nn::linear<float, 2, 3>>(vector);
#endif
  (void)m;
  (void)shorter;
  (void)vector;
}
