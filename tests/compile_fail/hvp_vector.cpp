// error: \[dimity\.grad\.5\] jvp, vjp, hvp
// error: tangent_of<.*tensor<float, 3>, .*tensor<double, 3>
#include <dimity/dimity.hpp>
using namespace dimity;
int main() {
  tensor<float, 3> x = {1, 2, 3};
  tensor<double, 3> v = {1, 0, 0};
  auto f = [](auto const& a) { return sum(a * a * a); };
#ifdef MISTAKE
  auto h = hvp(f)(x, v);
#else
  auto h = hvp(f)(x, x);
#endif
  (void)h;
  (void)v;
}
