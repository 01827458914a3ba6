// error: \[dimity\.einsum\.2\] einsum
// error: 2 == 1
#include <dimity/dimity.hpp>
using namespace dimity;
int main() {
  tensor<float, 2, 3> a;
#ifdef MISTAKE
  auto c = eval(einsum<"ij,jk->ik">(a) * 2.0f);
#else
  auto c = eval(einsum<"ij->ji">(a) * 2.0f);
#endif
  (void)c;
}
