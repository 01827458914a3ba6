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
  auto f = [](auto const& m) { return sum(square(m.weight)); };
  model<float> m;
  auto g = grad(f)(m);
  (void)g;
}
