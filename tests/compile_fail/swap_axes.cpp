// error: \[dimity\.axis\.1\]
// error: shape<8, 3>, 2
#include <dimity/dimity.hpp>
using namespace dimity;
int main() {
  tensor<float, 8, 3> a;
#ifdef MISTAKE
  auto c = eval(swap_axes<0, 2>(a));
#else
  auto c = eval(swap_axes<0, 1>(a));
#endif
  (void)c;
}
