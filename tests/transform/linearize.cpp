// linearize and the two-step vjp against jvp and vjp.
#include "derivatives.hpp"

#include <dimity/plan/facts.hpp>

using namespace dimity;
using test::spread;

namespace {

constexpr auto f = [](auto const& x, auto const& w) { return std::tuple{tanh(matmul(x, w)), sum(exp(x))}; };
constexpr auto twice = [](auto const& x, auto const& w, auto const& d, auto const& e) {
  auto const [y, push] = linearize(f, x, w);
  auto const a = push(d, e);
  auto const b = push(d * 2.0, w);
  return std::tuple{std::get<0>(y), std::get<0>(a), std::get<1>(a), std::get<0>(b)};
};
constexpr auto pulled = [](auto const& x, auto const& w, auto const& u) {
  auto const [y, pull] = vjp(f, std::tuple{x, w});
  auto const [gx, gw] = pull(u);
  auto const [hx, hw] = pull(y);
  return std::tuple{gx, gw, hx, hw};
};
auto const x = spread<tensor<double, 4, 3>>(-1, 1), d = spread<tensor<double, 4, 3>>(-0.5, 1);
auto const w = spread<tensor<double, 3, 2>>(-1, 1), e = spread<tensor<double, 3, 2>>(-0.5, 1);

}  // namespace

TEST_CASE("linearize") {
  auto const [y, a, a_sum, b] = compile(twice)(x, w, d, e);
  auto const [want, da] = jvp(f, std::tuple{x, w}, std::tuple{d, e});
  auto const db = std::get<1>(jvp(f, std::tuple{x, w}, std::tuple{eval(d * 2.0), w}));
  CHECK(allclose(y, std::get<0>(want)));
  CHECK(allclose(a, std::get<0>(da)));
  CHECK(std::abs(a_sum - std::get<1>(da)) < 1e-12);
  CHECK(allclose(b, std::get<0>(db)));
  // Outside of traced functions, too.
  auto const [value, push] = linearize(f, x, w);
  CHECK(allclose(std::get<0>(value), y));
  CHECK(allclose(std::get<0>(push(d, e)), a));
}
TEST_CASE("the function is computed once, however often its derivative is applied") {
  constexpr auto& plan = compile(twice).plan<tensor<double, 4, 3>, tensor<double, 3, 2>, tensor<double, 4, 3>, tensor<double, 3, 2>>;
  static_assert(contraction_count(plan) == 4);  // x w, dx w, x dw, 2 dx w; the last is x w again
}
TEST_CASE("vjp in two steps") {
  auto const u = f(x * 0.3, w);
  auto const own = std::tuple{eval(std::get<0>(u)), static_cast<double>(eval(std::get<1>(u)))};
  auto const [gx, gw, hx, hw] = compile(pulled)(x, w, own);
  auto const [y, g] = vjp(f, std::tuple{x, w}, own);
  CHECK(allclose(gx, std::get<0>(g)));
  CHECK(allclose(gw, std::get<1>(g)));
  auto const h = std::get<1>(vjp(f, std::tuple{x, w}, y));
  CHECK(allclose(hx, std::get<0>(h)));
  CHECK(allclose(hw, std::get<1>(h)));
  auto const [value, pull] = vjp(f, std::tuple{x, w});
  CHECK(allclose(std::get<1>(pull(own)), gw));
}
namespace {
constexpr auto slope_of_push = [](auto const& a, auto const& b) {
  auto const [y, push] = linearize(f, a, b);
  return sum(square(std::get<0>(push(a, b)))) + sum(std::get<0>(y));
};
constexpr auto slope_of_jvp = [](auto const& a, auto const& b) {
  auto const [y, t] = jvp(f, std::tuple{a, b}, std::tuple{a, b});
  return sum(square(std::get<0>(t))) + sum(std::get<0>(y));
};
}  // namespace
TEST_CASE("derivatives of what linearize returns") {
  CHECK(allclose(grad<0>(slope_of_push)(x, w), grad<0>(slope_of_jvp)(x, w)));
  CHECK(allclose(grad<1>(slope_of_push)(x, w), grad<1>(slope_of_jvp)(x, w)));
}
