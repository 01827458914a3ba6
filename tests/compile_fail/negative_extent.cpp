// error: \[dimity\.shape\.2\]
// error: -3
#include <dimity/dimity.hpp>
int main() {
#ifdef MISTAKE
  dimity::tensor<float, 2, -3> a;
#else
  dimity::tensor<float, 2, 3> a;
#endif
  a = 1.0f;
}
