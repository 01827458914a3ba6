// Transforms of transforms: third derivatives, gradients inside functions, derivatives with respect to what an inner gradient held fixed.
#include <dimity/dimity.hpp>
#include <doctest/doctest.h>

#include <cmath>
#include <tuple>

using namespace dimity;

namespace {

constexpr auto wave = [](auto const& x) { return sin(2.0 * x); };
constexpr auto energy = [](auto const& x, auto const& k) { return sum(exp(k * x)); };
constexpr auto inner_loss = [](auto const& w, auto const& x) { return sum(square(w * x - 1.0)); };
/// A step of gradient descent, and the loss after it: what meta-learning differentiates.
constexpr auto after_step = [](auto const& w, auto const& x, auto const& rate) { return inner_loss(w - rate * grad(inner_loss)(w, x), x); };

}  // namespace

TEST_CASE("derivatives of any order") {
  constexpr auto first = grad(wave);
  constexpr auto third = grad(grad(grad(wave)));
  CHECK(static_cast<double>(first(0.3)) == doctest::Approx(2 * std::cos(0.6)));
  CHECK(static_cast<double>(third(0.3)) == doctest::Approx(-8 * std::cos(0.6)));
  CHECK(static_cast<double>(grad(grad([](auto const& x) { return x * x * x; }))(2.0)) == 12);
}
TEST_CASE("fourth derivatives, in closed form, by both modes") {
  constexpr auto fourth = grad(grad(grad(grad(wave))));
  CHECK(static_cast<double>(fourth(0.3)) == doctest::Approx(16 * std::sin(0.6)));
  CHECK(static_cast<double>(grad(grad(grad(grad([](auto const& x) { return exp(-x * x); }))))(0.7)) == doctest::Approx((16 * std::pow(0.7, 4) - 48 * 0.49 + 12) * std::exp(-0.49)));
  CHECK(static_cast<double>(grad(grad(grad(grad([](auto const& x) { return log(x); }))))(1.3)) == doctest::Approx(-6 / std::pow(1.3, 4)));
  // Forward four times: the pushforward of the pushforward of ...
  constexpr auto tangent = [](auto const& x) { return std::get<1>(jvp(wave, std::tuple{x}, std::tuple{ones_like(x)})); };
  constexpr auto second = [](auto const& x) { return std::get<1>(jvp(decltype(tangent){}, std::tuple{x}, std::tuple{ones_like(x)})); };
  constexpr auto third = [](auto const& x) { return std::get<1>(jvp(decltype(second){}, std::tuple{x}, std::tuple{ones_like(x)})); };
  constexpr auto pushed = [](auto const& x) { return std::get<1>(jvp(decltype(third){}, std::tuple{x}, std::tuple{ones_like(x)})); };
  CHECK(static_cast<double>(compile(pushed)(tensor<double>(0.3))) == doctest::Approx(16 * std::sin(0.6)));
  // Mixed: the Hessian of the trace of a Hessian. f = sum x^4, so it is diag(24).
  constexpr auto quartic = [](auto const& x) { return sum(square(square(x))); };
  constexpr auto trace = [](auto const& x) { return sum(diagonal(hessian(decltype(quartic){})(x))); };
  CHECK(allclose(hessian(trace)(tensor<double, 3>{0.5, -1, 2}), 24.0 * eye<double, 3>()));
}
TEST_CASE("forward over reverse, reverse over forward, forward over forward") {
  tensor<double, 2> const x = {0.1, -0.2}, v = {1, 2};
  constexpr auto slope = [](auto const& a, auto const& d) { return std::get<1>(jvp([](auto const& p) { return sum(exp(p * p)); }, std::tuple{a}, std::tuple{d})); };
  tensor<double, 2> const second = (2.0 + 4.0 * x * x) * exp(x * x) * v;
  CHECK(allclose(grad(slope)(x, v), second));
  constexpr auto gradient = grad([](auto const& p) { return sum(exp(p * p)); });
  CHECK(allclose(std::get<1>(jvp(gradient, std::tuple{x}, std::tuple{v})), second));
  auto const twice = std::get<1>(jvp([](auto const& a, auto const& d) { return std::get<1>(jvp([](auto const& p) { return exp(p * p); }, std::tuple{a}, std::tuple{d})); }, std::tuple{x, v}, std::tuple{v, zeros<double, 2>()}));
  CHECK(allclose(twice, second * v));
}
TEST_CASE("with respect to what an inner gradient holds fixed") {
  tensor<double, 2> const x = {0.5, 1};
  // d/dk sum_i k exp(k x_i) = sum_i (1 + k x_i) exp(k x_i)
  constexpr auto total = [](auto const& k, auto const& a) { return sum(grad(energy)(a, k)); };
  double const k = 0.7, expected = (1 + k * 0.5) * std::exp(k * 0.5) + (1 + k) * std::exp(k);
  CHECK(static_cast<double>(grad(total)(k, x)) == doctest::Approx(expected));
}
TEST_CASE("through a step of gradient descent") {
  tensor<double, 3> const w = {0.2, 0.5, -0.1}, x = {1, 2, 0.5};
  double const rate = 0.05, h = 1e-6;
  double const numeric = (static_cast<double>(compile(after_step)(w, x, rate + h)) - static_cast<double>(compile(after_step)(w, x, rate - h))) / (2 * h);
  CHECK(static_cast<double>(grad<2>(after_step)(w, x, rate)) == doctest::Approx(numeric).epsilon(1e-7));
  tensor<double, 3> up = w, down = w;
  up(1) += h;
  down(1) -= h;
  double const by_w = (static_cast<double>(compile(after_step)(up, x, rate)) - static_cast<double>(compile(after_step)(down, x, rate))) / (2 * h);
  CHECK(grad(after_step)(w, x, rate)(1) == doctest::Approx(by_w).epsilon(1e-7));
}
TEST_CASE("plain C++ loops inside") {
  constexpr auto power = [](auto const& x) {
    auto y = x * 1.0;
    for (int i = 0; i < 3; ++i) y = y * y;
    return y;
  };
  CHECK(static_cast<double>(grad(power)(1.1)) == doctest::Approx(8 * std::pow(1.1, 7)));
}
