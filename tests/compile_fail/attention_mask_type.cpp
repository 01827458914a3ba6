// error: \[dimity\.attention\.5\]
#include <dimity/dimity.hpp>
using namespace dimity;
int main() {
  tensor<float, 4, 5> x;
#ifdef MISTAKE
  tensor<int, 4, 4> mask;
#else
  tensor<bool, 4, 4> mask;
#endif
  auto y = eval(scaled_dot_product_attention(x, x, x, mask));
  (void)y;
}
