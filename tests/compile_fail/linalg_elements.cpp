// error: \[dimity\.linalg\.2\]
#include <dimity/dimity.hpp>
using namespace dimity;
int main() {
  tensor<int, 2, 2> a = {{1, 2}, {3, 4}};
#ifdef MISTAKE
  auto x = eval(linalg::inv(a));
#else
  auto x = eval(linalg::inv(cast<double>(a)));
#endif
  (void)x;
}
