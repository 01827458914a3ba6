// error: \[dimity\.loop\.2\]
// error: tensor<.*float.*tensor<.*double
#include <dimity/dimity.hpp>
using namespace dimity;
int main() {
  tensor<float, 3> x = {1, 2, 3};
#ifdef MISTAKE
  auto y = fori_loop(0, 4, [](auto const&, auto const& v) { return cast<double>(v) * 0.5; }, x);
#else
  auto y = fori_loop(0, 4, [](auto const&, auto const& v) { return v * 0.5; }, x);
#endif
  (void)y;
}
