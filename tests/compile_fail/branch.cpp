// lines: 25
// error: \[dimity\.trace\.3\]
#include <dimity/dimity.hpp>
using namespace dimity;
int main() {
  auto f = compile([](auto const& x) {
#ifdef MISTAKE
    return sum(x) > 0.0f ? x : -x;
#else
    return eval(where(sum(x) > 0.0f, x, -x));
#endif
  });
  tensor<float, 3> x = {1, 2, 3};
  auto y = f(x);
  (void)y;
}
