// error: \[dimity\.window\.4\]
// error: 3L? <= 2
#include <dimity/dimity.hpp>
using namespace dimity;
int main() {
  tensor<float, 2, 3> x;
#ifdef MISTAKE
  auto y = eval(max_pool2d<3>(x));
#else
  auto y = eval(max_pool2d<2>(x));
#endif
  (void)y;
}
