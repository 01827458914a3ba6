// error: \[dimity\.loop\.4\]
#include <dimity/dimity.hpp>
using namespace dimity;
int main() {
  tensor<float, 3> x = {1, 2, 3};
#ifdef MISTAKE
  auto y = cond(x > 0.0f, [](auto const& a) { return exp(a); }, [](auto const& a) { return a; }, x);
#else
  auto y = cond(all(x > 0.0f), [](auto const& a) { return exp(a); }, [](auto const& a) { return a; }, x);
#endif
  (void)y;
}
