// error: \[dimity\.grad\.5\] jvp, vjp
// error: tangent_of<.*2, 2>, .*tensor<float, 3>
#include <dimity/dimity.hpp>
using namespace dimity;
int main() {
  tensor<float, 2, 2> x = {{1, 2}, {3, 4}};
  tensor<float, 3> u = {1, 2, 3};
  auto f = [](auto const& a) { return a * a; };
#ifdef MISTAKE
  auto [y, cotangents] = vjp(f, std::tuple{x}, u);
#else
  auto [y, cotangents] = vjp(f, std::tuple{x}, x);
#endif
  (void)y;
  (void)cotangents;
  (void)u;
}
