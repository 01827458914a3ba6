// error: \[dimity\.shape\.6\]
// error: shape<8, 0>
#include <dimity/dimity.hpp>
using namespace dimity;
int main() {
#ifdef MISTAKE
  tensor<float, 8, 0> a;
#else
  tensor<float, 8, 3> a;
#endif
  tensor<float, 8> c = max(a, axis<1>) + 1.0f;
  (void)c;
}
