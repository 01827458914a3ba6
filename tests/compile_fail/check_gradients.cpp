// error: \[dimity\.grad\.7\]
#include <dimity/dimity.hpp>
#include <dimity/transform/check_gradients.hpp>
using namespace dimity;
int main() {
  tensor<bfloat16, 8> x = {};
#ifdef MISTAKE
  auto report = check_gradients([](auto const& v) { return sum(sin(v)); }, x);
#else
  auto report = check_gradients([](auto const& v) { return sum(sin(v)); }, eval(cast<float>(x)));
#endif
  (void)report;
}
