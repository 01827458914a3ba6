// error: \[dimity\.nn\.5\]
#include <dimity/dimity.hpp>
using namespace dimity;
int main() {
#ifdef MISTAKE
  auto layer = nn::init<nn::multi_head_attention<float, 16, 3>>(key{1});
#else
  auto layer = nn::init<nn::multi_head_attention<float, 16, 4>>(key{1});
#endif
  tensor<float, 2, 5, 16> x;
  tensor<float, 2, 5, 16> y = layer(x);
  (void)y;
}
