// error: \[dimity\.tree\.3\]
// error: mapped_leaf<.*2, 3>, .*expression
// lines: 25
#include <dimity/dimity.hpp>
using namespace dimity;
int main() {
  auto const model = nn::init<nn::linear<float, 2, 3>>(key{1});
#ifdef MISTAKE
  auto m = tree_map([](auto const& w) { return sum(w); }, model);
#else
  auto m = tree_map([](auto const& w) { return w * 2.0f; }, model);
#endif
  (void)m;
}
