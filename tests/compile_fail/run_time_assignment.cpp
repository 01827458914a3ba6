// error: \[dimity\.shape\.4\] assignment
#include <dimity/dimity.hpp>
using namespace dimity;
int main() {
  tensor<float, dim<"batch">, 4> x(3);
#ifdef MISTAKE
  tensor<float, dim<"time">, 4> y(3);
#else
  tensor<float, dyn, 4> y(3);
#endif
  y = x * 2.0f;
}
