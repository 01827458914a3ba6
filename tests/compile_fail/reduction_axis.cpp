// error: \[dimity\.axis\.1\]
// error: shape<8, 3>, 2
// error: 2 < 2
#include <dimity/dimity.hpp>
using namespace dimity;
int main() {
  tensor<float, 8, 3> a;
#ifdef MISTAKE
  auto c = eval(sum(a, axis<2>) * 2.0f);
#else
  auto c = eval(sum(a, axis<1>) * 2.0f);
#endif
  (void)c;
}
