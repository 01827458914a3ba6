// error: \[dimity\.axis\.1\]
// error: shape<8, 3>, 2
#include <dimity/dimity.hpp>
using namespace dimity;
int main() {
  tensor<float, 8, 3> a;
#ifdef MISTAKE
  auto c = eval(roll<1>(a, axis<2>));
#else
  auto c = eval(roll<1>(a, axis<1>));
#endif
  (void)c;
}
