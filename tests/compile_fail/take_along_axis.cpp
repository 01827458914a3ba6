// error: \[dimity\.index\.4\] take_along_axis
// error: shape<8, 3>
// error: shape<4, 2>
// error: 8 == 4
#include <dimity/dimity.hpp>
using namespace dimity;
int main() {
  tensor<float, 8, 3> a;
#ifdef MISTAKE
  tensor<int, 4, 2> ids;
#else
  tensor<int, 8, 2> ids;
#endif
  auto c = eval(take_along_axis(a, ids, axis<1>) * 2.0f);
  (void)c;
}
