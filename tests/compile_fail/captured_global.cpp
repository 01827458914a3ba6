// lines: 25
// error: \[dimity\.trace\.2\]
// error: tensor<float, 3>
#include <dimity/dimity.hpp>
using namespace dimity;
#ifdef MISTAKE
static tensor<float, 3> scale = {1, 2, 3};
constexpr auto f = [](auto const& x) { return sum(x * scale); };
#else
constexpr auto f = [](auto const& x) { return sum(x * 2.0f); };
#endif
int main() {
  tensor<float, 3> x = {1, 2, 3};
  auto g = grad(f)(x);
  (void)g;
}
