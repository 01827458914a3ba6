// error: \[dimity\.einsum\.3\] einsum
// error: shape<2, 3>
// error: shape<4, 5>
// error: 3 == 4
#include <dimity/dimity.hpp>
using namespace dimity;
int main() {
  tensor<float, 2, 3> a;
#ifdef MISTAKE
  tensor<float, 4, 5> b;
#else
  tensor<float, 3, 5> b;
#endif
  auto c = eval(einsum<"ij,jk->ik">(a, b) * 2.0f);
  (void)c;
}
