// error: \[dimity\.root\.1\]
#include <dimity/dimity.hpp>
#include <utility>
using namespace dimity;
int main() {
  tensor<double, 2> x = {1, 2};
#ifdef MISTAKE
  auto r = fixed_point([](auto const& s) { return std::pair{s.first * 0.5, s.second * 0.5}; }, std::pair{x, 1.0});
#else
  auto r = fixed_point([](auto const& s) { return s * 0.5; }, x);
#endif
  (void)r;
}
