// error: \[dimity\.index\.1\]
#include <dimity/dimity.hpp>
using namespace dimity;
int main() {
  tensor<float, 8, 3> a;
#ifdef MISTAKE
  tensor<float, 4> ids;
#else
  tensor<int, 4> ids;
#endif
  auto c = eval(take(a, ids, axis<0>) * 2.0f);
  (void)c;
}
