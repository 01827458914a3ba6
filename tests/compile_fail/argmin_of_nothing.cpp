// error: \[dimity\.shape\.6\]
// error: shape<0>
#include <dimity/dimity.hpp>
using namespace dimity;
int main() {
#ifdef MISTAKE
  tensor<float, 0> a;
#else
  tensor<float, 3> a;
#endif
  std::int64_t i = argmin(a);
  (void)i;
}
