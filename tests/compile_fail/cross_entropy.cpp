// error: \[dimity\.shape\.13\] cross_entropy
// error: shape<8, 10>
// error: shape<10>
// error: 8 == 10
#include <dimity/dimity.hpp>
using namespace dimity;
int main() {
  tensor<float, 8, 10> logits;
#ifdef MISTAKE
  tensor<int, 10> labels;
#else
  tensor<int, 8> labels;
#endif
  float loss = mean(nn::cross_entropy(logits, labels));
  (void)loss;
}
