// error: \[dimity\.index\.6\] one_hot
#include <dimity/dimity.hpp>
using namespace dimity;
int main() {
  tensor<int, 4> ids;
#ifdef MISTAKE
  auto c = eval(one_hot<0>(ids));
#else
  auto c = eval(one_hot<10>(ids));
#endif
  (void)c;
}
