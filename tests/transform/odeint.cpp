// odeint on equations with known solutions, and its derivatives.
// heavy: many compiled derivatives
#include "derivatives.hpp"

#include <cmath>

using namespace dimity;
using test::spread;

namespace {

constexpr auto decay = [](auto const& y, auto const&, auto const& k) { return -k * y; };
constexpr auto spring = [](auto const& y, auto const&, auto const& w) { return matmul(w, y); };
constexpr auto forced = [](auto const& y, auto const& t, auto const& p) { return p.first * cos(t) - p.second * y; };
constexpr auto logistic = [](auto const& y, auto const&) { return y * (1.0 - y); };

constexpr ode_options exact{.rtol = 1e-11, .atol = 1e-12};
constexpr ode_options fixed{.method = ode_method::rk4, .steps = 50};

auto const times = tensor<double, 4>{0, 0.5, 1.25, 2};

}  // namespace

TEST_CASE("solutions in closed form") {
  auto const y = eval(odeint<exact>(decay, 3.0, times, 0.7));
  auto const z = eval(odeint<fixed>(decay, 3.0, times, 0.7));
  for (int i = 0; i < 4; ++i) {
    CHECK(y(i) == doctest::Approx(3 * std::exp(-0.7 * times(i))).epsilon(1e-10));
    CHECK(z(i) == doctest::Approx(3 * std::exp(-0.7 * times(i))).epsilon(1e-8));
  }
  // Circles, with the times falling, and a start other than 0.
  auto const back = eval(odeint<exact>(spring, tensor<double, 2>{1, 0}, tensor<double, 3>{2, 1, -1}, tensor<double, 2, 2>{{0, 1}, {-1, 0}}));
  for (int i = 0; i < 3; ++i) {
    double const t = (std::array<double, 3>{2, 1, -1})[static_cast<std::size_t>(i)] - 2;
    CHECK(back(i, 0) == doctest::Approx(std::cos(t)).epsilon(1e-9));
    CHECK(back(i, 1) == doctest::Approx(-std::sin(t)).epsilon(1e-9));
  }
  auto const l = eval(odeint<exact>(logistic, 0.1, times));
  for (int i = 0; i < 4; ++i) CHECK(l(i) == doctest::Approx(1 / (1 + 9 * std::exp(-times(i)))).epsilon(1e-9));
  CHECK(allclose(odeint(logistic, 0.25, tensor<double, 1>{5.0}), tensor<double, 1>{0.25}));
}
TEST_CASE("a solution that does not exist is nan") {
  constexpr auto explodes = [](auto const& y, auto const&) { return y * y; };
  constexpr ode_options few{.max_steps = 50};
  auto const y = eval(odeint<few>(explodes, 1.0, tensor<double, 2>{0, 2}));
  CHECK(std::isnan(y(1)));
}
namespace {
template <ode_options O>
struct forced_loss {
  constexpr auto operator()(auto const& y0, auto const& ts, auto const& p) const { return sum(sin(odeint<O>(forced, y0, ts, p))); }
};
template <ode_options O>
struct spring_of {
  constexpr auto operator()(auto const& y0, auto const& ts, auto const& w) const { return odeint<O>(spring, y0, ts, w); }
};
}  // namespace
TEST_CASE("reverse mode by the adjoint equation is that through the steps") {
  auto const p = std::pair{1.3, 0.4};
  auto const [gy, gt, gp] = grad<0, 1, 2>(forced_loss<exact>{})(0.5, times, p);
  auto const [hy, ht, hp] = grad<0, 1, 2>(forced_loss<fixed>{})(0.5, times, p);
  CHECK(gy == doctest::Approx(hy).epsilon(1e-6));
  CHECK(allclose(gt, ht, 1e-6, 1e-6));
  CHECK(gp.first == doctest::Approx(hp.first).epsilon(1e-6));
  CHECK(gp.second == doctest::Approx(hp.second).epsilon(1e-6));
}
TEST_CASE("derivatives against finite differences, in both modes") {
  auto const w = tensor<double, 2, 2>{{-0.1, 1}, {-1.2, 0.05}};
  auto const y0 = tensor<double, 2>{1, 0.3};
  auto const u = spread<tensor<double, 4, 2>>(-1, 1);
  auto const [y, pulled] = vjp(spring_of<exact>{}, std::tuple{y0, times, w}, u);
  auto const dw = spread<tensor<double, 2, 2>>(-1, 1);
  auto const dy = spread<tensor<double, 2>>(-1, 1);
  auto const dt = spread<tensor<double, 4>>(-1, 1);
  auto const [same, tangent] = jvp(spring_of<exact>{}, std::tuple{y0, times, w}, std::tuple{dy, dt, dw});
  double const h = 1e-5;
  auto const moved = [&](double s) { return compile(spring_of<exact>{})(eval(y0 + s * dy), eval(times + s * dt), eval(w + s * dw)); };
  auto const numeric = eval((moved(h) - moved(-h)) / (2 * h));
  CHECK(allclose(y, same, 1e-9, 1e-10));
  CHECK(allclose(tangent, numeric, 1e-5, 1e-6));
  double const reverse = static_cast<double>(eval(sum(std::get<0>(pulled) * dy) + sum(std::get<1>(pulled) * dt) + sum(std::get<2>(pulled) * dw)));
  CHECK(reverse == doctest::Approx(static_cast<double>(eval(sum(u * numeric)))).epsilon(1e-5));
}
TEST_CASE("vmap: every entry with its own steps") {
  auto const k = tensor<double, 3>{0.1, 2, 30};
  auto const y = vmap<whole, whole, mapped>([](auto const& y0, auto const& ts, auto const& rate) { return odeint<exact>(decay, y0, ts, rate); })(1.0, times, k);
  for (int i = 0; i < 3; ++i)
    for (int j = 0; j < 4; ++j) CHECK(y(i, j) == doctest::Approx(std::exp(-k(i) * times(j))).epsilon(1e-8));
}
TEST_CASE("floats") {
  constexpr ode_options loose{.rtol = 1e-5, .atol = 1e-6};
  auto const y = eval(odeint<loose>(decay, 3.0f, tensor<float, 2>{0, 1}, 0.7f));
  CHECK(y(1) == doctest::Approx(3 * std::exp(-0.7)).epsilon(1e-4));
  auto const z = eval(odeint(decay, 3.0f, tensor<float, 2>{0, 1}, 0.7f));  // no float is as exact as the options ask for
  CHECK(z(1) == doctest::Approx(3 * std::exp(-0.7)).epsilon(1e-5));
}
