// error: \[dimity\.shape\.5\]
// error: shape<4, 3>, dimity::strides<1>
// error: 2 == 1
#include <dimity/dimity.hpp>
using namespace dimity;
int main() {
  float memory[12] = {};
#ifdef MISTAKE
  tensor_view<float, shape<4, 3>, strides<1>> v(memory);
#else
  tensor_view<float, shape<4, 3>, strides<1, 4>> v(memory);
#endif
  (void)v;
}
