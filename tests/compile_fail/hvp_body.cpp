// lines: 25
// error: \[dimity\.shape\.11\] matmul
// error: shape<3, 2>
// error: shape<3>
#include <dimity/dimity.hpp>
using namespace dimity;
int main() {
  tensor<float, 3> x = {1, 2, 3};
#ifdef MISTAKE
  tensor<float, 3, 2> w = {};
#else
  tensor<float, 2, 3> w = {};
#endif
  auto f = [](auto const& a, auto const& b) { return sum(square(matmul(b, a))); };
  auto h = hvp(f)(x, x, w);
  (void)h;
}
