// error: \[dimity\.ode\.2\]
#include <dimity/dimity.hpp>
using namespace dimity;
int main() {
  tensor<double, 2> y = {1, 2};
#ifdef MISTAKE
  auto r = odeint([](auto const& s, auto const&) { return -s; }, y, 2.0);
#else
  auto r = odeint([](auto const& s, auto const&) { return -s; }, y, tensor<double, 2>{0, 2});
#endif
  (void)r;
}
