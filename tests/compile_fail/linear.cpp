// error: \[dimity\.nn\.1\] linear
// error: shape<16, 8>
// error: shape<32, 4>
// error: 8 == 32
#include <dimity/dimity.hpp>
using namespace dimity;
int main() {
#ifdef MISTAKE
  auto layer = nn::init<nn::linear<float, 32, 4>>(key{1});
#else
  auto layer = nn::init<nn::linear<float, 8, 4>>(key{1});
#endif
  tensor<float, 16, 8> x;
  tensor<float, 16, 4> y = layer(x);
  (void)y;
}
