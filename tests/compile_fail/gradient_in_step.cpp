// lines: 25
// error: \[dimity\.grad\.1\]
// error: tensor<dimity::traced<float>, 3>
#include <dimity/dimity.hpp>
using namespace dimity;
int main() {
  auto step = compile([](auto const& w) {
#ifdef MISTAKE
    auto g = grad([](auto const& a) { return square(a); })(w);
#else
    auto g = grad([](auto const& a) { return sum(square(a)); })(w);
#endif
    return eval(w - 0.1f * g);
  });
  tensor<float, 3> w = {1, 2, 3};
  w = step(w);
}
