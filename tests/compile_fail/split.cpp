// error: \[dimity\.shape\.9\] split
// error: split_extent<8, 3>
#include <dimity/dimity.hpp>
using namespace dimity;
int main() {
  tensor<float, 8, 3> a;
#ifdef MISTAKE
  auto [x, y, z] = split<3>(a);
#else
  auto [x, y, z] = split<3, 1>(a);
#endif
  auto c = eval(x + y + z);
  (void)c;
}
