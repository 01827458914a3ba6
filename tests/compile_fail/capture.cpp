// error: \[dimity\.trace\.1\].*captureless
#include <dimity/dimity.hpp>
using namespace dimity;
int main() {
  tensor<float, 3> scale = {1, 2, 3};
#ifdef MISTAKE
  auto [l, g] = value_and_grad([&](auto const& x) { return sum(x * scale); })(scale);
#else
  auto [l, g] = value_and_grad([](auto const& x, auto const& s) { return sum(x * s); })(scale, scale);
#endif
  (void)l;
  (void)g;
}
