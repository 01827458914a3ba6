// error: \[dimity\.shape\.11\] matmul
// error: shape<>
#include <dimity/dimity.hpp>
using namespace dimity;
int main() {
  tensor<float, 2, 1> a;
#ifdef MISTAKE
  tensor<float> b;
#else
  tensor<float, 1> b;
#endif
  auto c = eval(matmul(a, b));
  (void)c;
}
