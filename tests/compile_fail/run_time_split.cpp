// error: \[dimity\.shape\.18\]
#include <dimity/dimity.hpp>
using namespace dimity;
int main() {
#ifdef MISTAKE
  tensor<double, dyn> x(6);
#else
  tensor<double, 6> x;
#endif
  auto [a, b] = split<2>(x);
  return a.size() == b.size() ? 0 : 1;
}
