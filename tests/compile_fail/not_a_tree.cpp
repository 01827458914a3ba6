// error: \[dimity\.tree\.1\]
// error: model
#include <dimity/dimity.hpp>
using namespace dimity;
template <class T>
struct model {
#ifdef MISTAKE
  model() = default;
#endif
  tensor<T, 3> weight;
};
int main() {
  model<float> m;
  auto const n = parameter_count(m);
  (void)n;
}
