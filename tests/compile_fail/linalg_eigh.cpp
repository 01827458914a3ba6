// error: \[dimity\.linalg\.1\]
#include <dimity/dimity.hpp>
using namespace dimity;
int main() {
  tensor<double, 3, 4> a;
  a = 1.0;
#ifdef MISTAKE
  auto x = linalg::eigh(a);
#else
  auto x = linalg::eigh(matmul(a, transpose(a)));
#endif
  (void)x;
}
