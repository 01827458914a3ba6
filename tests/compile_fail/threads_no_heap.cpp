// error: \[dimity\.device\.2\]
#define DIMITY_NO_HEAP
#include <dimity/dimity.hpp>
#ifdef MISTAKE
#include <dimity/threads.hpp>
#endif
int main() {
  dimity::tensor<float, 2, 3> a;
  a = 1.0f;
  return a(0, 0) == 1.0f ? 0 : 1;
}
