// error: \[dimity\.loop\.4\]
#include <dimity/dimity.hpp>
using namespace dimity;
int main() {
  tensor<float, 3> x = {1, 2, 3};
#ifdef MISTAKE
  auto y = while_loop([](auto const& a) { return a > 1.0f; }, [](auto const& a) { return a * 0.5f; }, x);
#else
  auto y = while_loop([](auto const& a) { return any(a > 1.0f); }, [](auto const& a) { return a * 0.5f; }, x);
#endif
  (void)y;
}
