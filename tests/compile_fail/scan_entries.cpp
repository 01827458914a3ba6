// error: \[dimity\.loop\.6\]
// error: 8L? == 7L?
#include <dimity/dimity.hpp>
using namespace dimity;
int main() {
  tensor<float, 8, 3> a;
  tensor<float, 7, 3> b;
  tensor<float, 8> c;
  a = 1.0f;
  b = 1.0f;
  c = 1.0f;
  auto f = [](auto const& s, auto const& x) { return std::tuple{s + sum(std::get<0>(x) * std::get<1>(x)), s}; };
#ifdef MISTAKE
  auto [last, ys] = scan(f, 0.0f, std::tuple{a, b});
#else
  auto [last, ys] = scan(f, 0.0f, std::tuple{a, c});
#endif
  (void)last;
  (void)ys;
  (void)b;
}
