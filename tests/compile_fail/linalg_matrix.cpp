// error: \[dimity\.linalg\.3\]
#include <dimity/dimity.hpp>
using namespace dimity;
int main() {
  tensor<double, 4> a = {1, 2, 3, 4};
#ifdef MISTAKE
  auto x = linalg::qr(a);
#else
  auto x = linalg::qr(expand_dims<1>(a));
#endif
  (void)x;
}
