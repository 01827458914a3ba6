// error: \[dimity\.shape\.1\]
// error: 9
#include <dimity/dimity.hpp>
int main() {
#ifdef MISTAKE
  dimity::tensor<float, 2, 2, 2, 2, 2, 2, 2, 2, 2> a;
#else
  dimity::tensor<float, 2, 2, 2, 2, 2, 2, 2, 4> a;
#endif
  a = 1.0f;
}
