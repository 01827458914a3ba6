// error: \[dimity\.loop\.2\]
// error: tensor<.*float.*, 3>.*tensor<.*float.*, 3, 3>
#include <dimity/dimity.hpp>
using namespace dimity;
int main() {
  tensor<float, 3> h = {1, 2, 3};
  tensor<float, 8, 3> xs;
  tensor<float, 3, 3> w;
  xs = 1.0f;
  w = 1.0f;
#ifdef MISTAKE
  auto [last, ys] = scan([](auto const& s, auto const& x, auto const& m) { return std::tuple{s + x * m, x}; }, h, xs, w);
#else
  auto [last, ys] = scan([](auto const& s, auto const& x, auto const& m) { return std::tuple{s + matmul(x, m), x}; }, h, xs, w);
#endif
  (void)last;
  (void)ys;
}
