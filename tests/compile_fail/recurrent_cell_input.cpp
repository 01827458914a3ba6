// error: \[dimity\.nn\.3\] rnn, lstm, gru
// error: shape<16, 8>
// error: 8 == 6
#include <dimity/dimity.hpp>
using namespace dimity;
int main() {
#ifdef MISTAKE
  auto cell = nn::init<nn::gru_cell<float, 6, 4>>(key{1});
#else
  auto cell = nn::init<nn::gru_cell<float, 8, 4>>(key{1});
#endif
  tensor<float, 16, 8> x;
  tensor<float, 16, 4> h;
  auto next = cell(x, h);
  (void)next;
}
