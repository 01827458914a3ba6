// error: \[dimity\.shape\.8\] concat
// error: shape<8, 3>
// error: shape<8, 4>
// error: 3 == 4
#include <dimity/dimity.hpp>
using namespace dimity;
int main() {
  tensor<float, 8, 3> a;
#ifdef MISTAKE
  tensor<float, 8, 4> b;
#else
  tensor<float, 2, 3> b;
#endif
  auto c = eval(concat(a, b) * 2.0f);
  (void)c;
}
