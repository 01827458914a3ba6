// error: \[dimity\.shape\.11\]
// error: 3L? == 4L?
#include <dimity/dimity.hpp>
using namespace dimity;
int main() {
  tensor<float, 3, 3> a;
  tensor<float, 3, 4> b;
  a = 1.0f;
  b = 1.0f;
#ifdef MISTAKE
  auto x = eval(linalg::solve(a, transpose(b)));
#else
  auto x = eval(linalg::solve(a, b));
#endif
  (void)x;
}
