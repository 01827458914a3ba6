// error: \[dimity\.shape\.19\] view: the extents that are chosen at run time must be given
#include <dimity/dimity.hpp>
using namespace dimity;
int main() {
  float memory[12] = {};
#ifdef MISTAKE
  auto x = view<dyn, 4>(&memory[0]);
#else
  auto x = view<dyn, 4>(&memory[0], 3);
#endif
  x = 1.0f;
}
