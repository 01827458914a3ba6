// error: \[dimity\.shape\.16\] dim: a name has letters, digits and _, at least one
#include <dimity/dimity.hpp>
using namespace dimity;
int main() {
#ifdef MISTAKE
  tensor<float, dim<"">> x(1);
#else
  tensor<float, dim<"batch">> x(1);
#endif
  x = 1.0f;
}
