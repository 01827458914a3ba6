// error: \[dimity\.grad\.1\]
// error: tensor<dimity::traced<float>, 3>
#include <dimity/dimity.hpp>
using namespace dimity;
int main() {
  tensor<float, 3> x = {1, 2, 3};
#ifdef MISTAKE
  auto g = grad([](auto const& a) { return square(a); })(x);
#else
  auto g = grad([](auto const& a) { return sum(square(a)); })(x);
#endif
  (void)g;
}
