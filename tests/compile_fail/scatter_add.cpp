// error: \[dimity\.index\.5\] scatter_add
// error: shape<4, 3>
// error: shape<4>
#include <dimity/dimity.hpp>
using namespace dimity;
int main() {
  tensor<float, 8, 3> base;
  tensor<int, 4> ids;
#ifdef MISTAKE
  tensor<float, 4> updates;
#else
  tensor<float, 4, 3> updates;
#endif
  auto c = eval(scatter_add(base, ids, updates, axis<0>) * 2.0f);
  (void)c;
}
