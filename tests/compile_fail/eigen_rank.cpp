// error: \[dimity\.eigen\.1\] as_eigen
// error: shape<2, 3, 4>
#include <dimity/dimity.hpp>
#include <dimity/interop/eigen.hpp>
using namespace dimity;
int main() {
#ifdef MISTAKE
  tensor<float, 2, 3, 4> a;
#else
  tensor<float, 2, 12> a;
#endif
  auto m = as_eigen(a);
  (void)m;
}
