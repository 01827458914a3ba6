// error: \[dimity\.axis\.1\]
// error: shape<8, 1>, 2
#include <dimity/dimity.hpp>
using namespace dimity;
int main() {
  tensor<float, 8, 1> a;
#ifdef MISTAKE
  auto c = eval(squeeze<2>(a));
#else
  auto c = eval(squeeze<1>(a));
#endif
  (void)c;
}
