// error: \[dimity\.nn\.3\] rnn, lstm, gru
// error: shape<20, 8>
// error: 8 == 6
#include <dimity/dimity.hpp>
using namespace dimity;
int main() {
#ifdef MISTAKE
  auto layer = nn::init<nn::lstm<float, 6, 4>>(key{1});
#else
  auto layer = nn::init<nn::lstm<float, 8, 4>>(key{1});
#endif
  tensor<float, 20, 8> x;
  auto [outputs, state] = layer(x);
  tensor<float, 4> h = std::get<0>(state);
  (void)outputs;
  (void)h;
}
