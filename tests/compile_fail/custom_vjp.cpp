// error: \[dimity\.grad\.6\]
// error: 2 == 1
#include <dimity/dimity.hpp>
using namespace dimity;
int main() {
  tensor<float, 3> x = {1, 2, 3};
#ifdef MISTAKE
  auto f = custom_vjp([](auto a, auto b) { return a * b; }, [](auto, auto b, auto u) { return u * b; });
#else
  auto f = custom_vjp([](auto a, auto b) { return a * b; }, [](auto, auto b, auto u) { return std::tuple{u * b, no_derivative{}}; });
#endif
  auto y = f(x, x);
  (void)y;
}
