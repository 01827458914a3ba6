// error: \[dimity\.grad\.5\] jvp
// error: tangent_of<.*tensor<float, 3>, .*tensor<float, 4>
#include <dimity/dimity.hpp>
using namespace dimity;
int main() {
  tensor<float, 3> x = {1, 2, 3};
  tensor<float, 4> wrong = {1, 2, 3, 4};
  auto f = [](auto const& a) { return a * a; };
#ifdef MISTAKE
  auto [y, dy] = jvp(f, std::tuple{x}, std::tuple{wrong});
#else
  auto [y, dy] = jvp(f, std::tuple{x}, std::tuple{x});
#endif
  (void)y;
  (void)dy;
  (void)wrong;
}
