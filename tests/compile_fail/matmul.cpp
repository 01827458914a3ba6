// error: \[dimity\.shape\.11\] matmul
// error: shape<2, 3>
// error: shape<4, 5>
// error: 3 == 4
#include <dimity/dimity.hpp>
using namespace dimity;
int main() {
  tensor<float, 2, 3> a;
#ifdef MISTAKE
  tensor<float, 4, 5> b;
#else
  tensor<float, 3, 5> b;
#endif
  tensor<float, 2, 5> c = relu(matmul(a, b) + 1.0f);
  (void)c;
}
