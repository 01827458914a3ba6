// error: \[dimity\.shape\.4\] assignment
// error: shape<8>
// error: shape<3>
#include <dimity/dimity.hpp>
using namespace dimity;
int main() {
  tensor<float, 8, 3> a;
#ifdef MISTAKE
  tensor<float, 3> b = sum(a, axis<1>);
#else
  tensor<float, 3> b = sum(a, axis<0>);
#endif
  (void)b;
}
