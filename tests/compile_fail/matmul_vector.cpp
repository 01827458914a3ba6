// error: \[dimity\.shape\.11\] matmul
// error: shape<2, 3>
// error: shape<2>
#include <dimity/dimity.hpp>
using namespace dimity;
int main() {
  tensor<float, 2, 3> a;
#ifdef MISTAKE
  tensor<float, 2> b;
#else
  tensor<float, 3> b;
#endif
  tensor<float, 2> c = matmul(a, b) + 1.0f;
  (void)c;
}
