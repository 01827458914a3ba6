// error: \[dimity\.window\.1\]
#include <dimity/dimity.hpp>
using namespace dimity;
int main() {
  tensor<float, 4, 9> x;
  tensor<float, 6, 4, 3, 3> w;
  tensor<float, 6, 4, 3> v;
#ifdef MISTAKE
  auto y = eval(conv2d(x, w));
#else
  auto y = eval(conv1d(x, v));
#endif
  (void)y;
}
