// error: \[dimity\.shape\.12\] tensordot, inner
// error: shape<2, 3>
// error: shape<3, 4>
// error: 3 == 4
#include <dimity/dimity.hpp>
using namespace dimity;
int main() {
  tensor<float, 2, 3> a;
#ifdef MISTAKE
  tensor<float, 3, 4> b;
#else
  tensor<float, 4, 3> b;
#endif
  auto c = eval(inner(a, b) * 2.0f);
  (void)c;
}
