// error: \[dimity\.shape\.3\] broadcast
// error: shape<8, 3>
// error: shape<4>
// error: 3 == 4
#include <dimity/dimity.hpp>
using namespace dimity;
int main() {
  tensor<float, 8, 3> a;
#ifdef MISTAKE
  tensor<float, 4> b;
#else
  tensor<float, 3> b;
#endif
  tensor<float, 8, 3> c = relu(a + b) * 2.0f;
  (void)c;
}
