// Derivatives of recurrent layers: against differences, in both modes, under vmap, and what a gradient's plan is.
// heavy: gradients of loops
#include <dimity/dimity.hpp>
#include <dimity/plan/facts.hpp>
#include <dimity/transform/check_gradients.hpp>
#include <doctest/doctest.h>

#include <algorithm>

#include "recurrent.hpp"

using namespace dimity;
using namespace recurrent_test;

namespace {

constexpr auto loss = [](auto const& layer, auto const& x, auto const& state) {
  auto const [outputs, last] = layer(x, state);
  return sum(square(outputs)) + sum(sin(nn::detail::hidden_of(last)));
};
constexpr auto from_zeros = [](auto const& layer, auto const& x) { return sum(square(std::get<0>(layer(x)))); };

}  // namespace

TEST_CASE("gradients agree with differences") {
  auto const x = data().get<double, 4, 2, 3>("recurrent/x");
  auto const h = data().get<double, 2, 5>("recurrent/h"), c = data().get<double, 2, 5>("recurrent/c");
  CHECK(check_gradients(loss, parameters<nn::rnn<double, 3, 5, nn::recurrent_options{.reverse = true}>, double, 1>("rnn"), x, h));
  CHECK(check_gradients(loss, parameters<nn::lstm<double, 3, 5>, double, 4>("lstm"), x, std::tuple{h, c}));
  CHECK(check_gradients(loss, parameters<nn::gru<double, 3, 5>, double, 3>("gru"), x, h));
}
TEST_CASE("under vmap a gradient for each sequence, with a length chosen at run time the same") {
  auto const layer = parameters<nn::lstm<double, 3, 5>, double, 4>("lstm");
  auto const xs = eval(random::normal<double, 3, 4, 3>(key{1}));
  auto const gradients = vmap<whole, mapped>(grad(from_zeros))(layer, xs);
  for (int i = 0; i < 3; ++i) {
    tensor<double, 4, 3> const x = row(xs, i);
    auto const own = grad(from_zeros)(layer, x);
    CHECK(allclose(gradients.get(i).weight_hh_l0, own.weight_hh_l0));
    CHECK(allclose(gradients.get(i).bias_ih_l0, own.bias_ih_l0));
    tensor<double, dim<"length">, 3> some(4);
    std::copy_n(x.data(), x.size(), some.data());
    CHECK(allclose(grad(from_zeros)(layer, some).weight_ih_l0, own.weight_ih_l0));
  }
}
TEST_CASE("plan of a gradient: a loop forwards and one backwards, and each weight's gradient one product behind them") {
  constexpr auto& plan = compile(grad(from_zeros)).plan<nn::lstm<float, 16, 32>, tensor<float, 20, 16>>;
  static_assert(control_count(plan) == 2);
  // Forwards two products, backwards that with the cotangents, behind the loops one for each weight.
  static_assert(contraction_count(plan) == 5);
  // The gates' cotangents are put side by side by one pad each.
  CHECK(primitive_count(plan) == 4);
}
