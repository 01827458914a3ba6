// error: \[dimity\.axis\.2\] permute
// error: shape<8, 3, 2>, 0, 2, 2
#include <dimity/dimity.hpp>
using namespace dimity;
int main() {
  tensor<float, 8, 3, 2> a;
#ifdef MISTAKE
  auto c = eval(permute<0, 2, 2>(a) * 2.0f);
#else
  auto c = eval(permute<0, 2, 1>(a) * 2.0f);
#endif
  (void)c;
}
