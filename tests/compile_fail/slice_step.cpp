// error: \[dimity\.axis\.3\] slice
#include <dimity/dimity.hpp>
using namespace dimity;
int main() {
  tensor<float, 8, 3> a;
#ifdef MISTAKE
  auto c = eval(slice<0, 0, 8, 0>(a) * 2.0f);
#else
  auto c = eval(slice<0, 0, 8, 2>(a) * 2.0f);
#endif
  (void)c;
}
