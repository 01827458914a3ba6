// error: \[dimity\.shape\.14\] broadcast_to
// error: shape<2, 3>
// error: shape<3>
#include <dimity/dimity.hpp>
using namespace dimity;
int main() {
#ifdef MISTAKE
  tensor<float, 2, 3> a;
#else
  tensor<float, 3> a;
#endif
  auto c = eval(broadcast_to<3>(a));
  (void)c;
}
