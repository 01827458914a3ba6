// error: \[dimity\.root\.2\]
// error: tensor<.*double.*, 2>.*tensor<.*double
#include <dimity/dimity.hpp>
using namespace dimity;
int main() {
  tensor<double, 2> x = {1, 2};
#ifdef MISTAKE
  auto r = custom_root([](auto const& s) { return sum(s); }, x);
#else
  auto r = custom_root([](auto const& s) { return s - sum(s) * 0.1; }, x);
#endif
  (void)r;
}
