// error: \[dimity\.vmap\.1\]
#include <dimity/dimity.hpp>
using namespace dimity;
int main() {
#ifdef MISTAKE
  auto [last, ys] = scan([](auto const& s, auto const& x) { return std::tuple{s + x, s}; }, 0.0f, 3.0f);
#else
  auto [last, ys] = scan([](auto const& s, auto const& x) { return std::tuple{s + x, s}; }, 0.0f, tensor<float, 1>{3.0f});
#endif
  (void)last;
  (void)ys;
}
