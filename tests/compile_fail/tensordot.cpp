// error: \[dimity\.shape\.12\] tensordot
// error: shape<2, 3, 4>
// error: shape<4, 3>
// error: 3 == 4
#include <dimity/dimity.hpp>
using namespace dimity;
int main() {
  tensor<float, 2, 3, 4> a;
#ifdef MISTAKE
  tensor<float, 4, 3> b;
#else
  tensor<float, 3, 4> b;
#endif
  tensor<float, 2> c = tensordot<2>(a, b) * 2.0f;
  (void)c;
}
