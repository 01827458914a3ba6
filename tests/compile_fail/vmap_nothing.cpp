// error: \[dimity\.vmap\.5\]
// error: 0 >= 1
#include <dimity/dimity.hpp>
using namespace dimity;
int main() {
  tensor<float, 4, 3> a, b;
  tensor<float, 5, 3> c;
  auto f = [](auto const& p, auto const& q) { return sum(p * q); };
  (void)b;
  (void)c;
#ifdef MISTAKE
  auto y = vmap<whole, whole>(f)(a, b);
  (void)y;
#else
  auto y = vmap<whole, mapped>(f)(a, b);
  (void)y;
#endif
}
