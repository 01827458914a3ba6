// error: \[dimity\.loop\.3\]
#include <dimity/dimity.hpp>
using namespace dimity;
int main() {
  tensor<float, 8> xs;
  xs = 1.0f;
#ifdef MISTAKE
  auto [last, ys] = scan([](auto const& s, auto const& x) { return s + x; }, 0.0f, xs);
#else
  auto [last, ys] = scan([](auto const& s, auto const& x) { return std::tuple{s + x, std::tuple{}}; }, 0.0f, xs);
#endif
  (void)last;
  (void)ys;
}
