// error: \[dimity\.shape\.3\] broadcast
// error: shape<8, 3>
// error: shape<8>
#include <dimity/dimity.hpp>
using namespace dimity;
int main() {
  tensor<float, 8, 3> a;
#ifdef MISTAKE
  tensor<float, 8> low;
#else
  tensor<float, 3> low;
#endif
  auto c = eval(clip(a, low, 1.0f));
  (void)c;
}
