// error: \[dimity\.dtype\.2\]
#include <dimity/dimity.hpp>
using namespace dimity;
int main() {
#ifdef MISTAKE
  tensor<long double, 3> a;
#else
  tensor<double, 3> a;
#endif
  (void)a;
}
