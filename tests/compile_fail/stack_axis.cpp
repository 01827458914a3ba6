// error: \[dimity\.axis\.1\]
// error: 3
#include <dimity/dimity.hpp>
using namespace dimity;
int main() {
  tensor<float, 8, 3> a;
#ifdef MISTAKE
  auto c = eval(stack<3>(a, a));
#else
  auto c = eval(stack<2>(a, a));
#endif
  (void)c;
}
