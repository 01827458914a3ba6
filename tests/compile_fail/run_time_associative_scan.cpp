// error: \[dimity\.shape\.18\]
#include <dimity/dimity.hpp>
using namespace dimity;
int main() {
#ifdef MISTAKE
  tensor<double, dyn> x(6);
#else
  tensor<double, 6> x;
#endif
  (void)associative_scan([](auto const& a, auto const& b) { return a + b; }, x);
}
