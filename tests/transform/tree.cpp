// tree_map, tree_reduce, ravel and unravel, on values and while traced.
#include <dimity/dimity.hpp>
#include <doctest/doctest.h>

#include <array>
#include <tuple>

using namespace dimity;

namespace {

template <class T>
struct net {
  nn::linear<T, 3, 4> hidden;
  std::array<nn::linear<T, 4, 4>, 2> blocks;
  tensor<T> scale;
  constexpr auto operator()(auto const& x) const {
    auto h = tanh(hidden(x));
    for (auto const& b : blocks) h = h + tanh(b(h)) * scale;
    return h;
  }
};
constexpr auto loss = [](auto const& model, auto const& x) { return mean(square(model(x))); };
constexpr auto penalised = [](auto const& q, auto const& in) { return loss(q, in) + 0.01 * tree_reduce([](auto const& s, auto const& w) { return s + sum(square(w)); }, q, 0.0); };
net<double> model() {
  auto m = nn::init<net<double>>(key{3});
  m.scale = 0.5;
  return m;
}
constexpr int parameters = 12 + 4 + 2 * (16 + 4) + 1;

}  // namespace

TEST_CASE("tree_map: one tree, two trees, tuples and arrays") {
  auto const m = model();
  auto const doubled = tree_map([](auto const& w) { return w * 2.0; }, m);
  CHECK(allclose(doubled.blocks[1].weight, m.blocks[1].weight * 2.0));
  CHECK(double(doubled.scale) == 1.0);
  auto const zero = tree_map([](auto const& a, auto const& b) { return a - 0.5 * b; }, m, doubled);
  CHECK(double(tree_reduce([](auto const& sum, auto const& w) { return maximum(sum, max(abs(w))); }, zero, tensor<double>(0.0))) == 0);
  auto const pair = tree_map([](auto const& x) { return x + x; }, std::tuple{tensor<float, 2>{1, 2}, std::array{tensor<float>(3.0f), tensor<float>(4.0f)}});
  CHECK(std::get<0>(pair)(1) == 4);
  CHECK(float(std::get<1>(pair)[1]) == 8);
}
TEST_CASE("inside a traced function: gradient descent and a penalty in one program") {
  auto const m = model();
  auto const x = random::normal<double, 5, 3>(key{4});
  constexpr auto step = compile([](auto const& q, auto const& in) { return tree_map([](auto const& w, auto const& g) { return w - 0.1 * g; }, q, grad(penalised)(q, in)); });
  auto const next = step(m, x);
  auto const g = grad(loss)(m, x);
  CHECK(allclose(next.hidden.weight, m.hidden.weight - 0.1 * (g.hidden.weight + 0.02 * m.hidden.weight), 1e-12, 1e-12));
  CHECK(allclose(next.scale, m.scale - 0.1 * (g.scale + 0.02 * m.scale), 1e-12, 1e-12));
}
TEST_CASE("ravel and unravel are inverse, and differentiate") {
  auto const m = model();
  auto const flat = ravel(m);
  static_assert(std::is_same_v<std::remove_cvref_t<decltype(flat)>, tensor<double, parameters>>);
  CHECK(flat(0) == m.hidden.weight(0, 0));
  CHECK(flat(parameters - 1) == 0.5);
  auto const back = unravel<net<double>>(flat);
  CHECK(array_equal(back.blocks[1].bias, m.blocks[1].bias));
  CHECK(array_equal(back.blocks[0].weight, m.blocks[0].weight));
  auto const x = random::normal<double, 5, 3>(key{4});
  constexpr auto flat_loss = [](auto const& v, auto const& in) { return loss(unravel<net<double>>(v), in); };
  CHECK(allclose(grad(flat_loss)(flat, x), ravel(grad(loss)(m, x)), 1e-12, 1e-12));
  // A whole Hessian of a model, which has no tensor type of its own.
  auto const h = hessian(flat_loss)(flat, x);
  CHECK(allclose(h, transpose(h), 1e-10, 1e-10));
}
