// custom_root, find_root and fixed_point on equations with known solutions.
// heavy: many compiled derivatives
#include "derivatives.hpp"

#include <cmath>

using namespace dimity;
using test::spread;

namespace {

constexpr auto cube = [](auto const& x, auto const& a) { return x * x * x - a; };
constexpr auto cube_root = [](auto const& a) { return find_root(cube, 1.0, a); };
constexpr auto babylon = [](auto const& x, auto const& a) { return 0.5 * (x + a / x); };
constexpr auto square_root = [](auto const& a) { return fixed_point(babylon, 1.0, a); };

// x = tanh(w x + b), a contraction.
constexpr auto layer = [](auto const& x, auto const& w, auto const& b) { return tanh(matmul(w, x) + b); };
constexpr auto equilibrium = [](auto const& w, auto const& b) { return fixed_point(layer, b * 0.0, w, b); };
constexpr auto unrolled = [](auto const& w, auto const& b) {
  return fori_loop(0, 200, [](auto const&, auto const& x, auto const& m, auto const& c) { return layer(x, m, c); }, b * 0.0, w, b);
};
constexpr auto loss = [](auto const& w, auto const& b) { return sum(sin(equilibrium(w, b))); };
constexpr auto unrolled_loss = [](auto const& w, auto const& b) { return sum(sin(unrolled(w, b))); };
constexpr auto kepler = [](auto const& e, auto const& p) { return e - p.second * sin(e) - p.first; };

auto const w = eval(0.3 * spread<tensor<double, 3, 3>>(-1, 1));
auto const b = spread<tensor<double, 3>>(-1, 1);

}  // namespace

TEST_CASE("values") {
  CHECK(cube_root(8.0) == doctest::Approx(2).epsilon(1e-14));
  CHECK(square_root(2.0) == doctest::Approx(std::sqrt(2.0)).epsilon(1e-14));
  auto const x = eval(equilibrium(w, b));
  CHECK(allclose(x, tanh(matmul(w, x) + b), 1e-13, 1e-13));
  double const e = find_root(kepler, 1.0, std::pair{1.0, 0.5});
  CHECK(std::abs(e - 0.5 * std::sin(e) - 1.0) < 1e-14);
}
TEST_CASE("first to third derivatives, in closed form") {
  double const a = 5;
  constexpr auto d1 = [](auto const& x) { return grad(cube_root)(x); };
  constexpr auto d2 = [](auto const& x) { return grad([](auto const& y) { return grad(cube_root)(y); })(x); };
  constexpr auto d3 = [](auto const& x) { return grad([](auto const& y) { return grad([](auto const& z) { return grad(cube_root)(z); })(y); })(x); };
  CHECK(d1(a) == doctest::Approx(std::pow(a, -2.0 / 3) / 3));
  CHECK(d2(a) == doctest::Approx(-2.0 / 9 * std::pow(a, -5.0 / 3)));
  CHECK(d3(a) == doctest::Approx(10.0 / 27 * std::pow(a, -8.0 / 3)));
  CHECK(std::get<1>(jvp(cube_root, std::tuple{a}, std::tuple{3.0})) == doctest::Approx(std::pow(a, -2.0 / 3)));
  CHECK(grad(square_root)(4.0) == doctest::Approx(0.25));
}
TEST_CASE("of several unknowns, as through 200 iterations") {
  auto const g = grad<0, 1>(loss)(w, b);
  auto const want = grad<0, 1>(unrolled_loss)(w, b);
  CHECK(allclose(std::get<0>(g), std::get<0>(want), 1e-10, 1e-10));
  CHECK(allclose(std::get<1>(g), std::get<1>(want), 1e-10, 1e-10));
}
TEST_CASE("vmap: every entry converges by itself") {
  auto const a = tensor<double, 4>{1, 8, 27, 1000};
  CHECK(allclose(vmap(cube_root)(a), tensor<double, 4>{1, 2, 3, 10}, 1e-13, 1e-13));
  CHECK(allclose(vmap(grad(cube_root))(a), pow(a, -2.0 / 3) / 3.0, 1e-12, 1e-12));
}
TEST_CASE("custom_root: a root from anywhere") {
  constexpr auto from_outside = [](auto const& a, auto const& x) { return custom_root(cube, x, a); };
  auto const [value, slope] = value_and_grad<0>(from_outside)(27.0, 3.0);
  CHECK(value == 3);
  CHECK(slope == doctest::Approx(1.0 / 27));
  CHECK(grad<1>(from_outside)(27.0, 3.0) == 0);  // it is a root whatever it was found by
}
TEST_CASE("floats converge to their own rounding") {
  constexpr auto steps_of = [](auto const& a) {
    using namespace detail;
    constexpr root_options o{};
    auto const start = std::tuple{a * 0.5f + 0.5f, a * 0.0f + 1e30f, std::int32_t{0}};
    return std::get<2>(while_loop(still_moving<o>{}, plain_iteration<std::remove_const_t<decltype(babylon)>>{}, start, a));
  };
  CHECK(compile(steps_of)(2.0f) < 10);
  CHECK(square_root(2.0f) == doctest::Approx(std::sqrt(2.0f)).epsilon(1e-6));
  CHECK(grad(cube_root)(8.0f) == doctest::Approx(1.0 / 12).epsilon(1e-5));
}
