// Recurrent layers: NumPy's values in both directions, names, and the products and loops of a sequence.
#include <dimity/dimity.hpp>
#include <dimity/plan/facts.hpp>
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "recurrent.hpp"

using namespace dimity;
using namespace recurrent_test;

namespace {

constexpr nn::recurrent_options backwards{.reverse = true};
constexpr auto apply = [](auto const& layer, auto const& x, auto const&... state) { return layer(x, state...); };

template <class T, class Forward, class Backward, int Gates>
void check_values(std::string const& name, double tolerance) {
  auto const x = data().get<T, 4, 2, 3>("recurrent/x");
  auto const h = data().get<T, 2, 5>("recurrent/h");
  auto const expect = [&](std::string const& way, auto const& given) {
    auto const& [outputs, last] = given;
    CHECK(allclose(outputs, data().get<T, 4, 2, 5>(name + "/" + way), tolerance, tolerance));
    CHECK(allclose(nn::detail::hidden_of(last), data().get<T, 2, 5>(name + "/" + way + "/h"), tolerance, tolerance));
    if constexpr (detail::is_tuple<std::remove_cvref_t<decltype(last)>>) CHECK(allclose(std::get<1>(last), data().get<T, 2, 5>(name + "/" + way + "/c"), tolerance, tolerance));
  };
  auto const layer = parameters<Forward, T, Gates>(name);
  auto const reverse = parameters<Backward, T, Gates>(name);
  expect("zeros", layer(x));
  if constexpr (Gates == 4) {
    auto const c = data().get<T, 2, 5>("recurrent/c");
    expect("forward", layer(x, std::tuple{h, c}));
    expect("reverse", reverse(x, std::tuple{h, c}));
  } else {
    expect("forward", layer(x, h));
    expect("reverse", reverse(x, h));
  }
}
template <class T>
void check_all(double tolerance) {
  check_values<T, nn::rnn<T, 3, 5>, nn::rnn<T, 3, 5, backwards>, 1>("rnn", tolerance);
  check_values<T, nn::lstm<T, 3, 5>, nn::lstm<T, 3, 5, backwards>, 4>("lstm", tolerance);
  check_values<T, nn::gru<T, 3, 5>, nn::gru<T, 3, 5, backwards>, 3>("gru", tolerance);
}

}  // namespace

TEST_CASE("NumPy's values forwards, backwards and from zeros") {
  check_all<double>(1e-13);
  check_all<float>(1e-5);
}
TEST_CASE("a length of one is the cell, a sequence of one is a column of the batch") {
  auto const x = data().get<double, 4, 2, 3>("recurrent/x");
  auto const layer = parameters<nn::lstm<double, 3, 5>, double, 4>("lstm");
  auto const cell = parameters<nn::lstm_cell<double, 3, 5>, double, 4>("lstm");
  tensor<double, 1, 2, 3> const first = slice<0, 0, 1>(x);
  auto const [outputs, last] = layer(first);
  auto const [h, c] = cell(eval(row(x, 0)));
  CHECK(allclose(row(outputs, 0), h));
  CHECK(allclose(std::get<1>(last), c));
  tensor<double, 4, 3> const own = pick<1>(x, 1);
  CHECK(allclose(std::get<0>(layer(own)), pick<1>(std::get<0>(layer(x)), 1)));
}
TEST_CASE("both directions at once") {
  auto const x = data().get<double, 4, 2, 3>("recurrent/x");
  auto const layer = parameters<nn::lstm<double, 3, 5>, double, 4>("lstm");
  auto const reverse = parameters<nn::lstm<double, 3, 5, backwards>, double, 4>("lstm");
  nn::bidirectional<nn::lstm<double, 3, 5>> const both{layer, layer};
  auto const [outputs, states] = both(x);
  CHECK(allclose(slice<2, 0, 5>(outputs), std::get<0>(layer(x))));
  CHECK(allclose(slice<2, 5, 10>(outputs), std::get<0>(reverse(x))));
  CHECK(allclose(std::get<1>(states.second), std::get<1>(std::get<1>(reverse(x)))));
  auto const again = both(x, states);
  CHECK(allclose(slice<2, 0, 5>(std::get<0>(again)), std::get<0>(layer(x, states.first))));
}
TEST_CASE("parameters: PyTorch's names") {
  auto const layer = nn::init<nn::bidirectional<nn::rnn<float, 3, 4>>>(key{1});
  std::vector<std::string> names;
  for_each_parameter(layer, [&](std::string_view name, auto const&) { names.emplace_back(name); });
  CHECK(names[0] == "forward.weight_ih_l0");
  CHECK(names[7] == "backward.bias_hh_l0");
  float const most = max(abs(layer.forward.weight_ih_l0));
  CHECK((most <= 0.5f && most > 0.3f));
}
TEST_CASE("plans: one product before the loop, in it one product and the gates") {
  constexpr auto& lstm = compile(apply).plan<nn::lstm<float, 64, 64>, tensor<float, 128, 64>>;
  static_assert(contraction_count(lstm) == 2 && epilogue_count(lstm) == 1 && control_count(lstm) == 1);
  // In the loop the gates and the copy, before it the zeros to start from.
  static_assert(kernel_count(lstm) == 3 && primitive_count(lstm) == 0);
  static_assert(contraction_flops(lstm) == 128 * 2 * 256 * (64 + 64));
  constexpr auto& batched = compile(apply).plan<nn::gru<float, 64, 64>, tensor<float, 128, 8, 64>, tensor<float, 8, 64>>;
  static_assert(contraction_count(batched) == 2 && epilogue_count(batched) == 2 && control_count(batched) == 1 && kernel_count(batched) == 1);
  CHECK(control_count(lstm) == 1);
}
