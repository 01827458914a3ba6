// error: \[dimity\.shape\.7\] reshape
// error: shape<8, 3>
// error: shape<5, 5>
// error: 24 == 25
#include <dimity/dimity.hpp>
using namespace dimity;
int main() {
  tensor<float, 8, 3> a;
#ifdef MISTAKE
  auto c = eval(reshape<5, 5>(a) + 1.0f);
#else
  auto c = eval(reshape<6, 4>(a) + 1.0f);
#endif
  (void)c;
}
