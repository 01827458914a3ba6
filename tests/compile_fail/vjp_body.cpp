// lines: 25
// error: \[dimity\.shape\.3\] broadcast
// error: shape<3>
// error: shape<2>
#include <dimity/dimity.hpp>
using namespace dimity;
int main() {
  tensor<float, 3> x = {1, 2, 3};
#ifdef MISTAKE
  tensor<float, 2> w = {1, 2};
#else
  tensor<float, 3> w = {1, 2, 3};
#endif
  auto [y, cotangents] = vjp([](auto const& a, auto const& b) { return a * b; }, std::tuple{x, w}, x);
  (void)y;
  (void)cotangents;
}
