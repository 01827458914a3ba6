// error: \[dimity\.window\.4\]
// error: 11L? <= 9
#include <dimity/dimity.hpp>
using namespace dimity;
int main() {
  tensor<float, 2, 4, 9, 9> x;
  tensor<float, 6, 4, 3, 3> w;
#ifdef MISTAKE
  auto y = eval(conv2d<convolution_options{.dilation = 5}>(x, w));
#else
  auto y = eval(conv2d<convolution_options{.padding = 1, .dilation = 5}>(x, w));
#endif
  (void)y;
}
