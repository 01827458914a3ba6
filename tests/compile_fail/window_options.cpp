// error: \[dimity\.window\.3\]
#include <dimity/dimity.hpp>
using namespace dimity;
int main() {
  tensor<float, 2, 4, 9, 9> x;
  tensor<float, 6, 4, 3, 3> w;
#ifdef MISTAKE
  auto y = eval(conv2d<convolution_options{.stride = 0}>(x, w));
#else
  auto y = eval(conv2d<convolution_options{.stride = 2}>(x, w));
#endif
  (void)y;
}
