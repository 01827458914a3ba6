// error: \[dimity\.shape\.4\] assignment
// error: shape<8, 3>
// error: shape<8>
#include <dimity/dimity.hpp>
using namespace dimity;
int main() {
  tensor<float, 8, 3> a;
#ifdef MISTAKE
  tensor<float, 8> b;
#else
  tensor<float, 8, 3> b;
#endif
  b = a * 2.0f;
}
