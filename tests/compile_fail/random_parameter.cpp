// error: \[dimity\.random\.1\]
// error: shape<8, 3>
// error: shape<8>
#include <dimity/dimity.hpp>
using namespace dimity;
int main() {
#ifdef MISTAKE
  tensor<float, 8> mean = {};
#else
  tensor<float, 3> mean = {};
#endif
  auto c = random::normal<float, 8, 3>(key{1}, mean, 1.0f);
  (void)c;
}
