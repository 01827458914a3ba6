// error: \[dimity\.shape\.3\] broadcast
// error: shape<8, 3>
// error: shape<2, 3>
#include <dimity/dimity.hpp>
using namespace dimity;
int main() {
  tensor<float, 8, 3> a;
#ifdef MISTAKE
  tensor<float, 2, 3> b;
#else
  tensor<float, 1, 3> b;
#endif
  tensor<float, 8, 3> c = where(a > 0.0f, a, b) + 1.0f;
  (void)c;
}
