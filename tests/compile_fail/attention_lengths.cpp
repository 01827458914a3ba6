// error: \[dimity\.attention\.2\]
// error: 5 == 6|5L == 6L
#include <dimity/dimity.hpp>
using namespace dimity;
int main() {
  tensor<float, 2, 4, 5> queries;
#ifdef MISTAKE
  tensor<float, 2, 7, 6> keys;
#else
  tensor<float, 2, 7, 5> keys;
#endif
  tensor<float, 2, 7, 3> values;
  auto y = eval(scaled_dot_product_attention(queries, keys, values));
  (void)y;
}
