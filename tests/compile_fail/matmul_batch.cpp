// error: \[dimity\.shape\.3\] broadcast
// error: shape<2>
// error: shape<3>
#include <dimity/dimity.hpp>
using namespace dimity;
int main() {
  tensor<float, 2, 4, 5> a;
#ifdef MISTAKE
  tensor<float, 3, 5, 6> b;
#else
  tensor<float, 1, 5, 6> b;
#endif
  auto c = eval(relu(matmul(a, b)));
  (void)c;
}
