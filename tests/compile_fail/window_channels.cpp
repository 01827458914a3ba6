// error: \[dimity\.window\.5\]
// error: 4L? == 8
#include <dimity/dimity.hpp>
using namespace dimity;
int main() {
  tensor<float, 2, 4, 9, 9> x;
  tensor<float, 6, 4, 3, 3> w;
#ifdef MISTAKE
  auto y = eval(conv2d<convolution_options{.groups = 2}>(x, w));
#else
  auto y = eval(conv2d(x, w));
#endif
  (void)y;
}
