// check_gradients passes what is right, names what is wrong.
#include <dimity/dimity.hpp>
#include <dimity/transform/check_gradients.hpp>
#include <doctest/doctest.h>

#include <array>
#include <cstdint>
#include <tuple>

using namespace dimity;

namespace {

template <class X>
X filled(double scale, double phase) {
  X x{};
  double at = phase;
  for_each_parameter(x, [&](std::string_view, auto& leaf) {
    for (auto& e : leaf) e = static_cast<std::remove_cvref_t<decltype(e)>>(scale * std::sin(at += 1.3));
  });
  return x;
}

template <class T>
struct net {
  nn::linear<T, 3, 5> hidden;
  std::array<nn::linear<T, 5, 5>, 2> blocks;
  tensor<T> scale;
  constexpr auto operator()(auto const& x) const {
    auto h = tanh(hidden(x));
    for (auto const& b : blocks) h = h + tanh(b(h)) * scale;
    return h;
  }
};
constexpr auto net_loss = [](auto const& model, auto const& x) { return mean(square(model(x))); };
constexpr auto net_outputs = [](auto const& model, auto const& x) { return model(x); };

}  // namespace

TEST_CASE("a right gradient passes, in double and in float") {
  auto const x = filled<tensor<double, 4, 3>>(1, 0);
  auto const model = filled<net<double>>(0.5, 1);
  auto const report = check_gradients(net_loss, model, x);
  CAPTURE(report.text);
  CHECK(report);
  CHECK(report.worst_error < 1e-7);
  CHECK(report.text.find("0.blocks.1.weight: derivative") != std::string::npos);
  CHECK(report.text.find("1: derivative") != std::string::npos);
  CHECK(report.text.find("forward against reverse") != std::string::npos);

  auto const single = check_gradients(net_loss, filled<net<float>>(0.5, 1), filled<tensor<float, 4, 3>>(1, 0));
  CAPTURE(single.text);
  CHECK(single);
}
TEST_CASE("functions with tensors as results, tuples as arguments and results") {
  auto const report = check_gradients(net_outputs, filled<net<double>>(0.5, 1), filled<tensor<double, 4, 3>>(1, 0));
  CAPTURE(report.text);
  CHECK(report);
  constexpr auto two = [](auto const& both) { return std::tuple{exp(std::get<0>(both)), std::get<0>(both) * sum(std::get<1>(both))}; };
  auto const tuples = check_gradients(two, std::tuple{filled<tensor<double, 3>>(1, 0), filled<tensor<double, 2, 2>>(1, 2)});
  CAPTURE(tuples.text);
  CHECK(tuples);
  CHECK(tuples.text.find("0.1: derivative") != std::string::npos);
}
TEST_CASE("integers and scalars among the arguments") {
  constexpr auto loss = [](auto const& logits, auto const& labels, auto const& weight) { return weight * mean(nn::cross_entropy(logits, labels)); };
  tensor<std::int32_t, 4> const labels = {0, 2, 1, 2};
  auto const report = check_gradients(loss, filled<tensor<double, 4, 3>>(2, 0), labels, 1.5);
  CAPTURE(report.text);
  CHECK(report);
  CHECK(report.text.find("2: derivative") != std::string::npos);
  CHECK(report.text.find("1: derivative") == std::string::npos);
}
TEST_CASE("a wrong gradient is caught and named") {
  // The value of x * w; the derivative with respect to w is missing the factor that stop_gradient hides.
  constexpr auto wrong = [](auto const& x, auto const& w) { return sum(square(x) * w) + sum(stop_gradient(w) * w); };
  auto const report = check_gradients(wrong, filled<tensor<double, 6>>(1, 0), filled<tensor<double, 6>>(1, 2));
  CAPTURE(report.text);
  CHECK_FALSE(report);
  CHECK(report.worst_path == "1");
  CHECK(report.worst_error > 0.01);
  CHECK(report.text.find("WRONG") != std::string::npos);

  constexpr auto one_element = [](auto const& x) { return sum(slice<0, 0, 99>(exp(x))) + sum(stop_gradient(slice<0, 99, 100>(exp(x)))); };
  CHECK_FALSE(check_gradients(one_element, filled<tensor<double, 100>>(1, 0)));
  constexpr auto wide = [](auto const& x) { return x * stop_gradient(x); };
  CHECK_FALSE(check_gradients(wide, filled<tensor<double, 4>>(1, 0)));
  CHECK_FALSE(check_gradients(wide, filled<tensor<float, 4>>(1, 0)));
}
TEST_CASE("options: step, tolerance, seed") {
  constexpr auto cube = [](auto const& x) { return sum(x * x * x); };
  auto const x = filled<tensor<double, 5>>(1, 0);
  CHECK(check_gradients({.step = 1e-4, .tolerance = 1e-6}, cube, x));
  CHECK_FALSE(check_gradients({.step = 0.5, .tolerance = 1e-6}, cube, x));
  CHECK(check_gradients({.step = 0.5, .tolerance = 10}, cube, x));
  CHECK(check_gradients({.seed = 1}, cube, x).text != check_gradients({.seed = 2}, cube, x).text);
  CHECK(check_gradients({.seed = 1}, cube, x).text == check_gradients({.seed = 1}, cube, x).text);
}
TEST_CASE("a derivative that is not finite does not pass") {
  constexpr auto root = [](auto const& x) { return sum(sqrt(x)); };
  CHECK_FALSE(check_gradients(root, tensor<double, 2>{0.0, 1.0}));
}
