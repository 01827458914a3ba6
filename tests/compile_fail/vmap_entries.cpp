// error: \[dimity\.vmap\.4\]
// error: 4L? == 5L?
#include <dimity/dimity.hpp>
using namespace dimity;
int main() {
  tensor<float, 4, 3> a, b;
  tensor<float, 5, 3> c;
  auto f = [](auto const& p, auto const& q) { return sum(p * q); };
  (void)b;
  (void)c;
#ifdef MISTAKE
  auto y = vmap(f)(a, c);
  (void)y;
#else
  auto y = vmap(f)(a, b);
  (void)y;
#endif
}
