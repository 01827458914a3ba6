// error: \[dimity\.shape\.14\] .*compound assignment
// error: shape<8, 3>
// error: shape<8>
#include <dimity/dimity.hpp>
using namespace dimity;
int main() {
  tensor<float, 8, 3> a;
#ifdef MISTAKE
  tensor<float, 8> b;
#else
  tensor<float, 3> b;
#endif
  a += b;
}
