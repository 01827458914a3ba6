// error: \[dimity\.ode\.1\]
// error: tensor<.*double.*, 2>.*tensor<.*double
#include <dimity/dimity.hpp>
using namespace dimity;
int main() {
  tensor<double, 2> y = {1, 2};
  tensor<double, 3> times = {0, 1, 2};
#ifdef MISTAKE
  auto r = odeint([](auto const& s, auto const&) { return -sum(s); }, y, times);
#else
  auto r = odeint([](auto const& s, auto const&) { return -s; }, y, times);
#endif
  (void)r;
}
