// lines: 27
// error: \[dimity\.loop\.1\]
#include <dimity/dimity.hpp>
using namespace dimity;
int main() {
  tensor<float, 3> x = {1, 2, 3};
#ifdef MISTAKE
  auto g = grad([](auto const& v) { return sum(while_loop([](auto const& a) { return max(a) > 1.0f; }, [](auto const& a) { return a * 0.5f; }, v)); })(x);
#else
  auto g = grad([](auto const& v) { return sum(fori_loop(0, 3, [](auto const&, auto const& a) { return a * 0.5f; }, v)); })(x);
#endif
  (void)g;
}
