// error: \[dimity\.axis\.1\]
// error: shape<8, 3>, 2
#include <dimity/dimity.hpp>
using namespace dimity;
int main() {
  tensor<float, 8, 3> a;
  tensor<int, 4> ids;
#ifdef MISTAKE
  auto c = eval(take(a, ids, axis<2>) * 2.0f);
#else
  auto c = eval(take(a, ids, axis<1>) * 2.0f);
#endif
  (void)c;
}
