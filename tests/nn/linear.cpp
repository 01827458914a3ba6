// Linear layers: values, leading axes, parameter names, gradients.
#include <dimity/dimity.hpp>
#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace dimity;

namespace {

using layer = nn::linear<double, 3, 2>;
layer example() { return {{{1, 2}, {3, 4}, {5, 6}}, {10, 20}}; }

}  // namespace

TEST_CASE("y = x W + b, on vectors, batches and batches of batches") {
  layer const l = example();
  tensor<double, 2> const one = l(tensor<double, 3>{1, 0, -1});
  CHECK((one(0) == 1 - 5 + 10 && one(1) == 2 - 6 + 20));
  tensor<double, 2, 2> const two = l(tensor<double, 2, 3>{{1, 0, -1}, {0, 1, 0}});
  CHECK((two(0, 0) == one(0) && two(1, 1) == 24));
  tensor<double, 2, 1, 2> const nested = l(tensor<double, 2, 1, 3>{{{1, 0, -1}}, {{0, 1, 0}}});
  CHECK((nested(0, 0, 1) == one(1) && nested(1, 0, 0) == 13));
  nn::linear_without_bias<double, 3, 2> const plain{l.weight};
  tensor<double, 2> const without = plain(tensor<double, 3>{1, 0, -1});
  CHECK(without(0) == -4);
}
TEST_CASE("compiled and differentiated") {
  constexpr auto apply = [](auto const& l_, auto const& x) { return l_(x); };
  constexpr auto total = [](auto const& l_, auto const& x) { return sum(l_(x)); };
  layer const l = example();
  tensor<double, 2, 3> const x = {{1, 0, -1}, {0, 1, 0}};
  CHECK(allclose(compile(apply)(l, x), l(x)));
  layer const g = grad(total)(l, x);
  CHECK((g.bias(0) == 2 && g.bias(1) == 2));
  CHECK((g.weight(0, 0) == 1 && g.weight(1, 1) == 1 && g.weight(2, 0) == -1));
  tensor<double, 2, 3> const gx = grad<1>(total)(l, x);
  CHECK((gx(0, 0) == 3 && gx(1, 2) == 11));
}
TEST_CASE("parameters have names and a number") {
  std::vector<std::string> names;
  layer l = example();
  for_each_parameter(l, [&](std::string_view name, auto const&) { names.emplace_back(name); });
  CHECK(names == std::vector<std::string>{"weight", "bias"});
  CHECK(parameter_count(l) == 8);
  static_assert(layer::fan_in == 3);
}
