// error: \[dimity\.shape\.17\] an extent chosen at run time is in no argument
// lines: 30
#include <dimity/dimity.hpp>
using namespace dimity;
constexpr auto body = [](auto const& c, auto const& x) {
#ifdef MISTAKE
  auto const made = ones<double, dim<"q">, 4>();
#else
  auto const made = ones<double, 3, 4>();
#endif
  return std::tuple{c + sum(sin(cumulative_sum(x * made, axis<0>))), std::tuple{}};
};
constexpr auto f = compile([](auto const& xs) { return std::get<0>(scan(body, zeros<double>(), xs)); });
int main() { return static_cast<int>(double(f(tensor<double, 5>{}))); }
