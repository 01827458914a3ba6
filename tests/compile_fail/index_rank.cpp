// error: \[dimity\.index\.3\]
// error: shape<2, 2, 2, 2, 2>
#include <dimity/dimity.hpp>
using namespace dimity;
int main() {
  tensor<float, 2, 2, 2, 2, 2> a;
#ifdef MISTAKE
  tensor<int, 1, 1, 1, 1, 1> ids;
#else
  tensor<int, 1, 1, 1, 1> ids;
#endif
  auto c = eval(take(a, ids, axis<0>));
  (void)c;
}
