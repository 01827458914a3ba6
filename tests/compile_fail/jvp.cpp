// error: \[dimity\.grad\.2\] jvp
// error: 2 == 1
#include <dimity/dimity.hpp>
using namespace dimity;
int main() {
  tensor<float, 3> x = {1, 2, 3};
  auto f = [](auto const& a, auto const& b) { return a * b; };
#ifdef MISTAKE
  auto [y, dy] = jvp(f, std::tuple{x, x}, std::tuple{x});
#else
  auto [y, dy] = jvp(f, std::tuple{x, x}, std::tuple{x, x});
#endif
  (void)y;
  (void)dy;
}
