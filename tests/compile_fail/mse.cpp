// error: \[dimity\.shape\.3\] broadcast
// error: shape<8, 10>
// error: shape<8>
#include <dimity/dimity.hpp>
using namespace dimity;
int main() {
  tensor<float, 8, 10> prediction;
#ifdef MISTAKE
  tensor<float, 8> target;
#else
  tensor<float, 8, 10> target;
#endif
  float loss = mean(nn::mse(prediction, target));
  (void)loss;
}
