// error: \[dimity\.vmap\.3\]
// error: 1 == 2
#include <dimity/dimity.hpp>
using namespace dimity;
int main() {
  tensor<float, 4, 3> a, b;
  tensor<float, 5, 3> c;
  auto f = [](auto const& p, auto const& q) { return sum(p * q); };
  (void)b;
  (void)c;
#ifdef MISTAKE
  auto y = vmap<mapped>(f)(a, b);
  (void)y;
#else
  auto y = vmap<mapped, whole>(f)(a, slice<0, 0, 1>(b));
  (void)y;
#endif
}
