// error: \[dimity\.shape\.14\] broadcast_to
// error: shape<3>
// error: shape<3, 8>
#include <dimity/dimity.hpp>
using namespace dimity;
int main() {
#ifdef MISTAKE
  tensor<float, 3> a;
#else
  tensor<float, 3, 1> a;
#endif
  tensor<float, 3, 8> c = broadcast_to<3, 8>(a) * 2.0f;
  (void)c;
}
