// error: \[dimity\.axis\.1\]
// error: shape<8, 3>, 2
#include <dimity/dimity.hpp>
using namespace dimity;
int main() {
  tensor<float, 8, 3> a;
  int i = 1;
#ifdef MISTAKE
  auto c = eval(pick<2>(a, i));
#else
  auto c = eval(pick<1>(a, i));
#endif
  (void)c;
}
