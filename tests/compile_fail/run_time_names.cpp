// error: \[dimity\.shape\.3\] broadcast: extents must be equal or 1
#include <dimity/dimity.hpp>
using namespace dimity;
int main() {
  tensor<float, dim<"batch">, 4> x(3);
#ifdef MISTAKE
  tensor<float, dim<"time">, 4> y(3);
#else
  tensor<float, dim<"batch">, 4> y(3);
#endif
  tensor<float, dim<"batch">, 4> z = x + y;
}
