// nvcc parses the whole library and evaluates one traced gradient. A named function object, because host lambdas and --extended-lambda differ.
#include <dimity/dimity.hpp>

struct loss {
  constexpr auto operator()(auto const& x) const { return dimity::sum(dimity::square(x)); }
};

int main() {
  dimity::tensor<double, 4> x = dimity::ones<double, 4>();
  dimity::tensor<double, 4> g = dimity::grad(loss{})(x);
  return g(0) == 2.0 ? 0 : 1;
}
