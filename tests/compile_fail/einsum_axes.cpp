// error: \[dimity\.einsum\.4\] einsum
// error: shape<2, 2, 2, 2, 2>
#include <dimity/dimity.hpp>
using namespace dimity;
int main() {
  tensor<float, 2, 2, 2, 2, 2> a;
#ifdef MISTAKE
  auto c = eval(einsum<"abcde,fghij->abcdefghij">(a, a));
#else
  auto c = eval(einsum<"abcde,edfgh->abcfgh">(a, a));
#endif
  (void)c;
}
