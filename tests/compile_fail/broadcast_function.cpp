// error: \[dimity\.shape\.3\] broadcast
// error: shape<8, 3>
// error: shape<8>
#include <dimity/dimity.hpp>
using namespace dimity;
int main() {
  tensor<float, 8, 3> a;
#ifdef MISTAKE
  tensor<float, 8> b;
#else
  tensor<float, 8, 1> b;
#endif
  float s = mean(maximum(a, b));
  (void)s;
}
