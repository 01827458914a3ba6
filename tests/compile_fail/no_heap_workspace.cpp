// error: \[dimity\.storage\.2\]
// error: , 256>
// lines: 31
#define DIMITY_NO_HEAP
#ifdef MISTAKE
#define DIMITY_WORKSPACE_BYTES 256
#endif
#include <dimity/dimity.hpp>
using namespace dimity;
int main() {
  tensor<float, 8, 8> a, b;
  a = 1.0f;
  b = matmul(exp(matmul(a, a)), sin(matmul(a, a)) + a);
}
