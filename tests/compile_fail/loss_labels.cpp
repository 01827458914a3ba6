// lines: 25
// error: \[dimity\.shape\.13\] cross_entropy
// error: shape<16, 4>
// error: shape<8>
#include <dimity/dimity.hpp>
using namespace dimity;
int main() {
  auto loss = [](auto const& layer, auto const& x, auto const& labels) { return mean(nn::cross_entropy(layer(x), labels)); };
  auto layer = nn::init<nn::linear<float, 8, 4>>(key{1});
  tensor<float, 16, 8> x;
#ifdef MISTAKE
  tensor<int, 8> labels;
#else
  tensor<int, 16> labels;
#endif
  auto [l, g] = value_and_grad(loss)(layer, x, labels);
  (void)l;
  (void)g;
}
