// error: \[dimity\.attention\.1\]
// error: shape<5>
#include <dimity/dimity.hpp>
using namespace dimity;
int main() {
  tensor<float, 7, 5> keys;
  tensor<float, 7, 3> values;
#ifdef MISTAKE
  tensor<float, 5> queries;
#else
  tensor<float, 1, 5> queries;
#endif
  auto y = eval(scaled_dot_product_attention(queries, keys, values));
  (void)y;
}
