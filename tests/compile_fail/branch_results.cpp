// error: \[dimity\.loop\.5\]
// error: tensor<.*float.*, 3>.*tensor<.*float
#include <dimity/dimity.hpp>
using namespace dimity;
int main() {
  tensor<float, 3> x = {1, 2, 3};
#ifdef MISTAKE
  auto y = cond(true, [](auto const& a) { return sum(a); }, [](auto const& a) { return a; }, x);
#else
  auto y = cond(true, [](auto const& a) { return exp(a); }, [](auto const& a) { return a; }, x);
#endif
  (void)y;
}
