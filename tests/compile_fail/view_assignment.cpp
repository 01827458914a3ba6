// error: \[dimity\.shape\.4\] assignment
// error: shape<4>
// error: shape<3>
#include <dimity/dimity.hpp>
using namespace dimity;
int main() {
  tensor<float, 8, 3> a;
#ifdef MISTAKE
  tensor<float, 4> b;
#else
  tensor<float, 3> b;
#endif
  row(a, 2) = b * 2.0f;
}
