// error: \[dimity\.nn\.2\] layer_norm
// error: shape<16, 8>
// error: shape<32>
// error: 8 == 32
#include <dimity/dimity.hpp>
using namespace dimity;
int main() {
#ifdef MISTAKE
  auto layer = nn::init<nn::layer_norm<float, 32>>(key{1});
#else
  auto layer = nn::init<nn::layer_norm<float, 8>>(key{1});
#endif
  tensor<float, 16, 8> x;
  tensor<float, 16, 8> y = layer(x);
  (void)y;
}
