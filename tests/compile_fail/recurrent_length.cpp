// error: \[dimity\.nn\.4\] rnn, lstm, gru: the input
// error: shape<8>
#include <dimity/dimity.hpp>
using namespace dimity;
int main() {
  auto layer = nn::init<nn::gru<float, 8, 4>>(key{1});
#ifdef MISTAKE
  tensor<float, 8> x;
#else
  tensor<float, 1, 8> x;
#endif
  auto [outputs, state] = layer(x);
  (void)outputs;
  (void)state;
}
