// error: \[dimity\.axis\.1\]
// error: 4
#include <dimity/dimity.hpp>
using namespace dimity;
int main() {
  tensor<float, 8, 3> a;
#ifdef MISTAKE
  auto c = eval(expand_dims<4>(a));
#else
  auto c = eval(expand_dims<2>(a));
#endif
  (void)c;
}
