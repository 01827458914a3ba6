// error: \[dimity\.random\.2\]
// error: int
#include <dimity/dimity.hpp>
using namespace dimity;
int main() {
#ifdef MISTAKE
  auto c = random::normal<int, 8, 3>(key{1});
#else
  auto c = random::normal<float, 8, 3>(key{1});
#endif
  (void)c;
}
