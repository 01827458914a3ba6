// error: \[dimity\.shape\.8\] concat
// error: shape<8, 3>
// error: shape<3>
// error: 2 == 1
#include <dimity/dimity.hpp>
using namespace dimity;
int main() {
  tensor<float, 8, 3> a;
#ifdef MISTAKE
  tensor<float, 3> b;
#else
  tensor<float, 1, 3> b;
#endif
  auto c = eval(concat(a, a, b));
  (void)c;
}
