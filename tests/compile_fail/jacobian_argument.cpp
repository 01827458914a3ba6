// error: \[dimity\.grad\.3\] jacobian
#include <dimity/dimity.hpp>
using namespace dimity;
int main() {
  tensor<float, 3> x = {1, 2, 3};
#ifdef MISTAKE
  auto j = jacobian([](auto const& p) { return std::get<0>(p) * std::get<1>(p); })(std::tuple{x, x});
#else
  auto j = jacobian([](auto const& a, auto const& b) { return a * b; })(x, x);
#endif
  (void)j;
}
