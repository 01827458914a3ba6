// nvcc parses the whole library and evaluates traced gradients, of a loop and a branch too. A named function object, because host lambdas and --extended-lambda differ.
#include <dimity/dimity.hpp>

struct loss {
  constexpr auto operator()(auto const& x) const { return dimity::sum(dimity::square(x)); }
};

struct step {
  constexpr auto operator()(auto const& h, auto const& x, auto const& w) const {
    auto const next = dimity::tanh(dimity::matmul(h, w) + x);
    return std::tuple{next, dimity::sum(next)};
  }
};
struct twice {
  constexpr auto operator()(auto const& x) const { return x * 2.0; }
};
struct half {
  constexpr auto operator()(auto const& x) const { return x * 0.5; }
};
struct loop_loss {
  constexpr auto operator()(auto const& w, auto const& xs) const {
    auto const sums = std::get<1>(dimity::scan(step{}, dimity::zeros<double, 4>(), xs, w));
    return dimity::cond(dimity::sum(w) > 0.0, twice{}, half{}, dimity::sum(sums));
  }
};

int main() {
  dimity::tensor<double, 4, 4> w = dimity::ones<double, 4, 4>();
  dimity::tensor<double, 6, 4> xs = dimity::ones<double, 6, 4>();
  if (!(dimity::grad(loop_loss{})(w, xs)(0, 0) > 0)) return 1;
  dimity::tensor<double, 4> x = dimity::ones<double, 4>();
  dimity::tensor<double, 4> g = dimity::grad(loss{})(x);
  auto const [re, im] = dimity::fft::rfft(x);
  if (re(0) != 4.0 || im(0) != 0.0) return 1;
  if (!(dimity::eval(dimity::linalg::svdvals(w))(0) > 3.9)) return 1;
  dimity::tensor<double, dimity::dim<"batch">, 4> rows(3);
  rows = 1.0;
  if (dimity::grad(loss{})(rows)(2, 3) != 2.0) return 1;
  return g(0) == 2.0 ? 0 : 1;
}
