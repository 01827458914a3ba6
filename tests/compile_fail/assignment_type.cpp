// error: \[dimity\.dtype\.1\] assignment would lose precision
// error: double, float
#include <dimity/dimity.hpp>
using namespace dimity;
int main() {
  tensor<double, 3> a;
#ifdef MISTAKE
  tensor<float, 3> b = a * 2.0;
#else
  tensor<float, 3> b = cast<float>(a * 2.0);
#endif
  (void)b;
}
