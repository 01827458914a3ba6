// lines: 27
// A mistake in the body is reported where it is made, once.
// error: \[dimity\.shape
#include <dimity/dimity.hpp>
using namespace dimity;
int main() {
  tensor<float, 8, 3> xs;
  tensor<float, 4> h;
  xs = 1.0f;
  h = 1.0f;
#ifdef MISTAKE
  auto [last, ys] = scan([](auto const& s, auto const& x) { return std::tuple{s, s + x}; }, h, xs);
#else
  auto [last, ys] = scan([](auto const& s, auto const& x) { return std::tuple{s, s + sum(x)}; }, h, xs);
#endif
  (void)last;
  (void)ys;
}
