// Layers in turn: values, names by position, initialisation, gradients, plans; residual.
#include <dimity/dimity.hpp>
#include <dimity/plan/facts.hpp>
#include <dimity/transform/check_gradients.hpp>
#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace dimity;

namespace {

using activation = decltype([](auto const& x) { return relu(x); });
template <class T>
using network = nn::sequential<nn::linear<T, 4, 8>, activation, nn::residual<nn::sequential<nn::layer_norm<T, 8>, nn::linear<T, 8, 8>>>, nn::linear<T, 8, 3>>;
template <class T>
struct model {
  network<T> body;
  constexpr auto operator()(auto const& x) const { return body(x); }
};
constexpr auto apply = [](auto const& m, auto const& x) { return m(x); };
constexpr auto loss = [](auto const& m, auto const& x) { return sum(square(m(x))); };

}  // namespace

TEST_CASE("one after the other") {
  auto const m = nn::init<network<double>>(key{1});
  auto const x = eval(random::normal<double, 5, 4>(key{2}));
  auto const& [first, act, block, last] = m.layers;
  auto const& [norm, inner_layer] = block.layer.layers;
  tensor<double, 5, 8> const h = relu(first(x));
  tensor<double, 5, 8> const n = norm(h);
  tensor<double, 5, 3> const expected = last(eval(h + inner_layer(n)));
  CHECK(allclose(m(x), expected));
  CHECK(allclose(compile(apply)(m, x), expected));
  CHECK(array_equal(nn::sequential<>{}(x), x));
}
TEST_CASE("layers that return tensors may be followed by layers that return expressions") {
  auto const m = nn::init<nn::sequential<nn::rnn_cell<float, 3, 4>, activation, nn::linear<float, 4, 2>>>(key{1});
  tensor<float, 3> const x = {1, 2, 3};
  tensor<float, 2> const expected = std::get<2>(m.layers)(relu(std::get<0>(m.layers)(x)));
  CHECK(allclose(m(x), expected));
}
TEST_CASE("parameters are named by position") {
  auto const m = nn::init<model<float>>(key{1});
  std::vector<std::string> names;
  for_each_parameter(m, [&](std::string_view name, auto const&) { names.emplace_back(name); });
  CHECK(names == std::vector<std::string>{"body.0.weight", "body.0.bias", "body.2.layer.0.weight", "body.2.layer.0.bias", "body.2.layer.1.weight", "body.2.layer.1.bias", "body.3.weight", "body.3.bias"});
  names.clear();
  for_each_parameter(m.body, [&](std::string_view name, auto const&) { names.emplace_back(name); });
  CHECK(names[2] == "2.layer.0.weight");
  CHECK(static_cast<float>(std::get<0>(std::get<2>(m.body.layers).layer.layers).weight(7)) == 1);
}
TEST_CASE("gradients agree with differences, and training lowers the loss") {
  auto m = nn::init<model<double>>(key{1});
  auto const x = eval(random::normal<double, 5, 4>(key{2}));
  CHECK(check_gradients(loss, m, x));
  auto const before = compile(loss)(m, x);
  m = tree_map([](auto const& w, auto const& g) { return w - 0.001 * g; }, m, grad(loss)(m, x));
  CHECK(static_cast<double>(compile(loss)(m, x)) < static_cast<double>(before));
}
TEST_CASE("plan: what is between two products is in them or one loop") {
  constexpr auto& plan = compile(apply).plan<nn::sequential<nn::linear<float, 64, 32>, activation, nn::linear<float, 32, 10>>, tensor<float, 16, 64>>;
  static_assert(step_count(plan) == 2 && contraction_count(plan) == 2 && epilogue_count(plan) == 2);
  CHECK(kernel_count(plan) == 0);
}
