// error: \[dimity\.shape\.3\] broadcast
// error: shape<8, 3>
// error: shape<4>
#include <dimity/dimity.hpp>
using namespace dimity;
int main() {
  tensor<float, 8, 3> a;
#ifdef MISTAKE
  tensor<float, 4> b;
#else
  tensor<float, 3> b;
#endif
  auto c = eval(a * b);
  c += 1.0f;
  float const first = c(0, 0) + c.data()[1];
  for (float& x : c) x = first;
  tensor<float, 3> d = sum(c, axis<0>);
  auto e = eval(concat(d, d));
  e *= 2.0f;
  if (all(isfinite(e))) d = mean(softmax(c, axis<1>), axis<0>);
}
