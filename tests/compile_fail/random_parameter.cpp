// error: \[dimity\.random\.1\]
// error: shape<8, 3>
// error: shape<8>
#include <dimity/dimity.hpp>
using namespace dimity;
int main() {
#ifdef MISTAKE
  tensor<float, 8> low = {};
#else
  tensor<float, 3> low = {};
#endif
  auto c = random::uniform<float, 8, 3>(key{1}, low, 1.0f);
  (void)c;
}
