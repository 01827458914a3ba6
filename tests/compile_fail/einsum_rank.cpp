// error: \[dimity\.einsum\.2\] einsum
// error: shape<3, 4>
// error: 3 == 2
#include <dimity/dimity.hpp>
using namespace dimity;
int main() {
  tensor<float, 2, 3> a;
  tensor<float, 3, 4> b;
#ifdef MISTAKE
  auto c = eval(einsum<"ij,bjk->bik">(a, b) * 2.0f);
#else
  auto c = eval(einsum<"ij,jk->ik">(a, b) * 2.0f);
#endif
  (void)c;
}
