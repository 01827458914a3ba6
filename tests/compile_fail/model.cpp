// lines: 25
// error: \[dimity\.nn\.1\] linear
// error: shape<16, 32>
// error: shape<64, 4>
#include <dimity/dimity.hpp>
using namespace dimity;
template <class T>
struct net {
  nn::linear<T, 8, 32> hidden;
#ifdef MISTAKE
  nn::linear<T, 64, 4> output;
#else
  nn::linear<T, 32, 4> output;
#endif
  constexpr auto operator()(auto const& x) const { return output(tanh(hidden(x))); }
};
int main() {
  auto loss = [](auto const& model, auto const& x) { return mean(square(model(x))); };
  auto model = nn::init<net<float>>(key{1});
  auto [l, g] = value_and_grad(loss)(model, ones<float, 16, 8>());
  (void)l;
  (void)g;
}
