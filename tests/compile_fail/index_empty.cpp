// error: \[dimity\.index\.2\]
// error: shape<0, 3>
#include <dimity/dimity.hpp>
using namespace dimity;
int main() {
#ifdef MISTAKE
  tensor<float, 0, 3> a;
#else
  tensor<float, 8, 3> a;
#endif
  tensor<int, 4> ids;
  auto c = eval(take(a, ids, axis<0>));
  (void)c;
}
