// error: \[dimity\.shape\.15\] at most four extents of a tensor can be chosen at run time
// lines: 20
#include <dimity/dimity.hpp>
using namespace dimity;
int main() {
#ifdef MISTAKE
  tensor<float, dyn, dyn, dyn, dyn, dyn> x(1, 1, 1, 1, 1);
#else
  tensor<float, dyn, dyn, dyn, dyn, 2> x(1, 1, 1, 1);
#endif
  x = 1.0f;
}
