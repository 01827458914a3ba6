// error: \[dimity\.trace\.1\].*captureless
#include <dimity/dimity.hpp>
using namespace dimity;
int main() {
  tensor<float, 3> x = {1, 2, 3};
  float scale = 2;
#ifdef MISTAKE
  auto f = [&](auto const& a) { return a * scale; };
#else
  auto f = [](auto const& a) { return a * 2.0f; };
#endif
  auto j = jacobian(f)(x);
  (void)scale;
  (void)j;
}
