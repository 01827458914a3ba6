// lines: 16
// error: \[dimity\.tree\.5\]
// error: optionals_of_a_call<5, false>
#include <dimity/dimity.hpp>
#include <array>
#include <optional>
using namespace dimity;
int main() {
#ifdef MISTAKE
  std::array<std::optional<tensor<float, 3>>, 5> biases;
#else
  std::array<std::optional<tensor<float, 3>>, 4> biases;
#endif
  tensor<float, 3> x = {1, 2, 3};
  biases[1] = x;
  tensor<float, 3> const y = compile([](auto const& all, auto const& v) {
    auto sum = v;
    for (auto const& b : all)
      if (b) sum = sum + *b;
    return sum;
  })(biases, x);
  (void)y;
}
