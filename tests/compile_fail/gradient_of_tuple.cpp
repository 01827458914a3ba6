// error: \[dimity\.grad\.1\]
// error: tuple
#include <dimity/dimity.hpp>
using namespace dimity;
int main() {
  tensor<float, 3> x = {1, 2, 3};
#ifdef MISTAKE
  auto g = grad([](auto const& a) { return std::tuple{sum(a), sum(square(a))}; })(x);
#else
  auto g = grad([](auto const& a) { return sum(a) + sum(square(a)); })(x);
#endif
  (void)g;
}
