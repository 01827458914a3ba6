// error: \[dimity\.index\.4\] take_along_axis
// error: shape<8, 3>
// error: shape<8>
// error: 2 == 1
#include <dimity/dimity.hpp>
using namespace dimity;
int main() {
  tensor<float, 8, 3> a;
#ifdef MISTAKE
  tensor<int, 8> ids;
#else
  tensor<int, 8, 1> ids;
#endif
  auto c = eval(take_along_axis(a, ids, axis<1>));
  (void)c;
}
