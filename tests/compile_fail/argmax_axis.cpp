// error: \[dimity\.axis\.1\]
// error: shape<8, 3>, 5
#include <dimity/dimity.hpp>
using namespace dimity;
int main() {
  tensor<float, 8, 3> a;
#ifdef MISTAKE
  auto c = eval(argmax(a, axis<5>));
#else
  auto c = eval(argmax(a, axis<1>));
#endif
  (void)c;
}
