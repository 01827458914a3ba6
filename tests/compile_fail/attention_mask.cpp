// error: \[dimity\.attention\.6\]
// error: shape<3, 7>
// error: shape<2, 4, 7>
#include <dimity/dimity.hpp>
using namespace dimity;
int main() {
  tensor<float, 2, 4, 5> queries;
  tensor<float, 2, 7, 5> keys;
#ifdef MISTAKE
  tensor<bool, 3, 7> mask;
#else
  tensor<bool, 2, 1, 7> mask;
#endif
  auto y = eval(scaled_dot_product_attention(queries, keys, keys, mask));
  (void)y;
}
