// error: \[dimity\.window\.6\]
#include <dimity/dimity.hpp>
using namespace dimity;
int main() {
  tensor<float, 2, 8, 9, 9> x;
  tensor<float, 6, 2, 3, 3> w;
  tensor<float, 8, 2, 3, 3> v;
#ifdef MISTAKE
  auto y = eval(conv2d<convolution_options{.groups = 4}>(x, w));
#else
  auto y = eval(conv2d<convolution_options{.groups = 4}>(x, v));
#endif
  (void)y;
}
