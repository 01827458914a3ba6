// error: \[dimity\.nn\.2\] layer_norm
// error: shape<8>
// error: shape<4, 8>
#include <dimity/dimity.hpp>
using namespace dimity;
int main() {
#ifdef MISTAKE
  auto layer = nn::init<nn::rms_norm<float, 4, 8>>(key{1});
#else
  auto layer = nn::init<nn::rms_norm<float, 8>>(key{1});
#endif
  tensor<float, 8> x;
  tensor<float, 8> y = layer(x);
  (void)y;
}
