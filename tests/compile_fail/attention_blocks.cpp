// error: \[dimity\.attention\.4\]
#include <dimity/dimity.hpp>
using namespace dimity;
int main() {
  tensor<float, 4, 5> x;
#ifdef MISTAKE
  auto y = eval(scaled_dot_product_attention<attention_options{.block_keys = -2}>(x, x, x));
#else
  auto y = eval(scaled_dot_product_attention<attention_options{.block_keys = 2}>(x, x, x));
#endif
  (void)y;
}
