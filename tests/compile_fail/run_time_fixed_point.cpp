// error: \[dimity\.shape\.18\]
// lines: 36
#include <dimity/dimity.hpp>
using namespace dimity;
int main() {
#ifdef MISTAKE
  tensor<double, dyn> x(6);
#else
  tensor<double, 6> x;
#endif
  (void)fixed_point([](auto const& z, auto const& x) { return 0.5 * cos(z) + x; }, x, x);
}
