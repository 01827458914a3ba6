// error: \[dimity\.dispatch\.1\] .*std::span
// error: dispatched_value<.*tensor
#include <dimity/dimity.hpp>
#include <dimity/dispatch.hpp>
using namespace dimity;
#ifdef MISTAKE
DIMITY_DISPATCH(doubled, (tensor<float, 3> const& x) -> float) { return sum(x + x); }
#else
DIMITY_DISPATCH(doubled, (std::span<float const, 3> x) -> float) { return sum(view<3>(x) + view<3>(x)); }
#endif
int main() {
  return 0;
}
