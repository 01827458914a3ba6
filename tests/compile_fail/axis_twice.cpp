// error: \[dimity\.axis\.4\]
// error: shape<8, 3>, 1, -1
#include <dimity/dimity.hpp>
using namespace dimity;
int main() {
  tensor<float, 8, 3> a;
#ifdef MISTAKE
  auto c = eval(sum(a, axis<1, -1>) * 2.0f);
#else
  auto c = eval(sum(a, axis<1, 0>) * 2.0f);
#endif
  (void)c;
}
