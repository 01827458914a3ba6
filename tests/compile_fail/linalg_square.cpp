// error: \[dimity\.linalg\.1\]
#include <dimity/dimity.hpp>
using namespace dimity;
int main() {
  tensor<float, 3, 4> a;
  tensor<float, 3> b = {1, 2, 3};
  a = 1.0f;
#ifdef MISTAKE
  auto x = eval(linalg::solve(a, b));
#else
  auto x = eval(linalg::solve(matmul(a, transpose(a)), b));
#endif
  (void)x;
}
