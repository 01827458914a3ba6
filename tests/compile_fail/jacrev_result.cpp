// error: \[dimity\.grad\.4\] jacobian
// error: tuple
#include <dimity/dimity.hpp>
using namespace dimity;
int main() {
  tensor<float, 3> x = {1, 2, 3};
#ifdef MISTAKE
  auto j = jacrev([](auto const& a) { return std::tuple{eval(a * a), eval(a + a)}; })(x);
#else
  auto j = jacrev([](auto const& a) { return stack(a * a, a + a); })(x);
#endif
  (void)j;
}
