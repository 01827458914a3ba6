// error: \[dimity\.axis\.1\]
// error: shape<8, 3>, 2
#include <dimity/dimity.hpp>
using namespace dimity;
int main() {
  tensor<float, 8, 3> a;
#ifdef MISTAKE
  auto c = eval(slice<2, 0, 1>(a) * 2.0f);
#else
  auto c = eval(slice<1, 0, 1>(a) * 2.0f);
#endif
  (void)c;
}
