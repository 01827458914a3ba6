// The library on this machine, compiled by nvcc: its front end reads templates differently (partial specialisations on strings, marks among template arguments), so each kind is here once, with values. Named function objects,
// because host lambdas and --extended-lambda differ.
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

struct attend {
  constexpr auto operator()(auto const& all) const {
    auto const q = dimity::reshape<2, 3, 2, 4>(dimity::slice<2, 0, 8>(all)), k = dimity::reshape<2, 3, 2, 4>(dimity::slice<2, 8, 16>(all));
    return dimity::softmax(dimity::einsum<"bqhd,bkhd->bhqk">(q, k), dimity::axis<-1>);
  }
};
struct layer {
  constexpr auto operator()(auto const& w, auto const& x) const { return dimity::tanh(dimity::matmul(x, w)); }
};
struct named_layer {
  constexpr auto operator()(auto const& w, auto const& x) const { return dimity::sin(dimity::checkpoint_name<"hidden">(layer{}(w, x))); }
};
struct checkpointed_by_name {
  constexpr auto operator()(auto const& w, auto const& x) const { return dimity::sum(dimity::checkpoint<dimity::save_names<"hidden">>(named_layer{})(w, x)); }
};
struct checkpointed {
  constexpr auto operator()(auto const& w, auto const& x) const { return dimity::sum(dimity::checkpoint<dimity::save_contractions>(layer{})(w, x)); }
};
template <class T>
struct network {
  dimity::nn::conv2d<T, 1, 2, 3> convolution;
  dimity::nn::layer_norm<T, 8> norm;
  dimity::nn::linear<T, 8, 3> last;
  constexpr auto operator()(auto const& x) const { return last(norm(dimity::reshape<2, 8>(dimity::relu(convolution(x))))); }
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
  using namespace dimity;
  auto const all = random::normal<float, 2, 3, 16>(key{1});
  tensor<float, 2, 2, 3, 3> const weights = compile(attend{})(all);
  if (!allclose(eval(sum(weights, axis<-1>)), ones<float, 2, 2, 3>())) return 1;
  if (!(einsum<"ij,ij">(w, w) == 16.0)) return 1;
  auto const inputs = random::normal<double, 5, 2, 4>(key{2});
  tensor<double, 5, 2, 4> const mapped_results = vmap<whole, mapped>(layer{})(w, inputs);
  if (!allclose(mapped_results, eval(tanh(matmul(inputs, w))))) return 1;
  if (!allclose(grad(checkpointed{})(w, row(inputs, 0)), grad([](auto const& v, auto const& x) { return sum(layer{}(v, x)); })(w, row(inputs, 0)))) return 1;
  if (!allclose(grad(checkpointed_by_name{})(w, row(inputs, 0)), grad([](auto const& v, auto const& x) { return sum(sin(layer{}(v, x))); })(w, row(inputs, 0)))) return 1;
  auto const model = nn::init<network<float>>(key{3});
  if (!dimity::all(isfinite(eval(model(random::normal<float, 2, 1, 4, 4>(key{4})))))) return 1;
  return g(0) == 2.0 ? 0 : 1;
}
