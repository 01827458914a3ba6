// error: \[dimity\.trace\.1\].*captureless
#include <dimity/dimity.hpp>
using namespace dimity;
int main() {
  tensor<float, 3> scale = {1, 2, 3};
#ifdef MISTAKE
  auto f = compile([&](auto const& x) { return x * scale; });
  auto y = f(scale);
#else
  auto f = compile([](auto const& x, auto const& s) { return x * s; });
  auto y = f(scale, scale);
#endif
  (void)y;
}
