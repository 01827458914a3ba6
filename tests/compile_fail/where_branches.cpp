// error: \[dimity\.shape\.3\] broadcast
// error: shape<2>
// error: shape<3>
#include <dimity/dimity.hpp>
using namespace dimity;
int main() {
  tensor<bool, 1> condition;
  tensor<float, 2> a;
#ifdef MISTAKE
  tensor<float, 3> b;
#else
  tensor<float, 2> b;
#endif
  auto c = eval(where(condition, a, b));
  (void)c;
}
