// error: \[dimity\.random\.1\]
// error: shape<16, 8>
// error: shape<4>
#include <dimity/dimity.hpp>
using namespace dimity;
int main() {
  tensor<float, 16, 8> x;
#ifdef MISTAKE
  tensor<float, 4> p = {0, 0.1f, 0.2f, 0.3f};
#else
  tensor<float, 8> p = {0, 0.1f, 0.2f, 0.3f, 0, 0, 0, 0};
#endif
  tensor<float, 16, 8> y = nn::dropout(x, key{1}, p);
  (void)y;
}
