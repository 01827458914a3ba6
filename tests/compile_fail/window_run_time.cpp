// error: \[dimity\.window\.2\]
#include <dimity/dimity.hpp>
using namespace dimity;
int main() {
  tensor<float, dyn, 4, 9, 9> x(2);
  tensor<float, 2, 4, dyn, 9> z(9);
  tensor<float, 6, 4, 3, 3> w;
#ifdef MISTAKE
  auto y = eval(conv2d(z, w));
#else
  auto y = eval(conv2d(x, w));
  (void)z;
#endif
  (void)y;
}
