// error: \[dimity\.attention\.3\]
// error: 7L? == 4
#include <dimity/dimity.hpp>
using namespace dimity;
int main() {
  tensor<float, 2, 4, 5> queries;
  tensor<float, 2, 7, 5> keys;
#ifdef MISTAKE
  tensor<float, 2, 4, 3> values;
#else
  tensor<float, 2, 7, 3> values;
#endif
  auto y = eval(scaled_dot_product_attention(queries, keys, values));
  (void)y;
}
