// error: \[dimity\.random\.3\]
// error: float
#include <dimity/dimity.hpp>
using namespace dimity;
int main() {
#ifdef MISTAKE
  auto c = random::integers<float, 8, 3>(key{1}, 0, 10);
#else
  auto c = random::integers<int, 8, 3>(key{1}, 0, 10);
#endif
  (void)c;
}
