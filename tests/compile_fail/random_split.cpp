// error: \[dimity\.random\.4\] split
#include <dimity/dimity.hpp>
using namespace dimity;
int main() {
#ifdef MISTAKE
  auto keys = random::split<0>(key{1});
#else
  auto keys = random::split<2>(key{1});
#endif
  (void)keys;
}
