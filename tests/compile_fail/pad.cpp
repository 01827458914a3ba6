// error: \[dimity\.shape\.10\] pad
// error: shape<8, 3>
// error: 2 == 4
#include <dimity/dimity.hpp>
using namespace dimity;
int main() {
  tensor<float, 8, 3> a;
#ifdef MISTAKE
  auto c = eval(pad<1, 1>(a) * 2.0f);
#else
  auto c = eval(pad<1, 1, 0, 0>(a) * 2.0f);
#endif
  (void)c;
}
