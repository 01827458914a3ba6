// while_loop and fori_loop against the loop written out.
#include "derivatives.hpp"

#include <dimity/plan/facts.hpp>

#include <cmath>
#include <cstdint>

using namespace dimity;
using test::check_derivatives;
using test::spread;

namespace {

constexpr auto above = [](auto const& x, auto const& limit) { return max(abs(x)) > limit; };
constexpr auto halve = [](auto const& x, auto const&) { return x * 0.5; };
constexpr auto halvings = [](auto const& x, auto const& limit) { return while_loop(above, halve, x, limit); };

// The square root by Newton's method, to the last bit.
constexpr auto moving = [](auto const& s, auto const&) { return abs(s.first - s.second) > 1e-15 * abs(s.first); };
constexpr auto newton_step = [](auto const& s, auto const& a) { return std::pair{0.5 * (s.first + a / s.first), s.first}; };
constexpr auto root = [](auto const& a) { return while_loop(moving, newton_step, std::pair{a * 0.5 + 0.5, a * 0.0}, a).first; };

constexpr auto rotate = [](auto const& i, auto const& x, auto const& w) { return tanh(matmul(x, w)) + 0.1 * cast<double>(i); };
constexpr auto five_times = [](auto const& x, auto const& w) { return fori_loop(0, 5, rotate, x, w); };
constexpr auto n_times = [](auto const& n, auto const& x, auto const& w) { return fori_loop(0, n, rotate, x, w); };
constexpr auto at_most_eight = [](auto const& n, auto const& x, auto const& w) { return fori_loop<8>(0, n, rotate, x, w); };
constexpr auto written_out = [](auto const& x, auto const& w) {
  auto y = x;
  for (int i = 0; i < 5; ++i) y = tanh(matmul(y, w)) + 0.1 * i;
  return y;
};

auto const x0 = spread<tensor<double, 3>>(-1, 1);
auto const w = spread<tensor<double, 3, 3>>(-1, 1);

}  // namespace

TEST_CASE("while_loop stops where the condition first fails") {
  CHECK(allclose(compile(halvings)(full<double, 2>(40.0), 1.0), full<double, 2>(0.625)));
  CHECK(allclose(while_loop(above, halve, full<double, 2>(40.0), 1.0), full<double, 2>(0.625)));
  CHECK(allclose(compile(halvings)(full<double, 2>(0.5), 1.0), full<double, 2>(0.5)));  // not once
  CHECK(allclose(compile(halvings)(full<double, 2>(1.5), 1.0), full<double, 2>(0.75)));  // once
  CHECK(compile(root)(2.0) == doctest::Approx(std::sqrt(2.0)).epsilon(1e-15));
  constexpr auto& plan = compile(root).plan<double>;
  static_assert(control_count(plan) == 1);
}
TEST_CASE("a state that cannot be overwritten ends in its place, after an odd or even number of iterations") {
  for (int n = 0; n < 6; ++n) {
    CAPTURE(n);
    tensor<double, 3> want = x0;
    for (int i = 0; i < n; ++i) want = eval(tanh(matmul(want, w)) + 0.1 * i);
    CHECK(allclose(compile(n_times)(std::int32_t{n}, x0, w), want, 1e-14, 1e-14));
    CHECK(allclose(fori_loop(std::int32_t{0}, std::int32_t{n}, rotate, x0, w), want, 1e-14, 1e-14));
    CHECK(allclose(compile(at_most_eight)(std::int32_t{n}, x0, w), want, 1e-14, 1e-14));
  }
}
TEST_CASE("forward mode through while_loop") {
  auto const [y, dy] = jvp(root, std::tuple{3.0}, std::tuple{1.0});
  CHECK(y == doctest::Approx(std::sqrt(3.0)));
  CHECK(dy == doctest::Approx(0.5 / std::sqrt(3.0)));
  auto const d = spread<tensor<double, 3>>(-1, 1);
  auto const [value, slope] = jvp(n_times, std::tuple{std::int32_t{5}, x0, w}, std::tuple{std::int32_t{0}, d, zeros<double, 3, 3>()});
  auto const [same, want] = jvp(written_out, std::tuple{x0, w}, std::tuple{d, zeros<double, 3, 3>()});
  CHECK(allclose(value, same));
  CHECK(allclose(slope, want));
  CHECK(allclose(jacfwd(root)(tensor<double>{5.0}), tensor<double>{0.5 / std::sqrt(5.0)}));
}
TEST_CASE("vmap of while_loop: every entry as often as it needs") {
  auto const a = tensor<double, 5>{0.01, 1, 2, 1e6, 3};
  CHECK(allclose(vmap(root)(a), sqrt(a), 1e-14, 1e-14));
  auto const many = tensor<double, 3, 2>{{40, 40}, {0.5, 0.25}, {3, -7}};
  auto const limits = tensor<double, 3>{1, 1, 2};
  auto const got = vmap(halvings)(many, limits);
  for (int i = 0; i < 3; ++i) CHECK(allclose(row(got, i), compile(halvings)(eval(row(many, i)), limits(i))));
  CHECK(allclose(vmap<whole, mapped, whole>(n_times)(std::int32_t{3}, spread<tensor<double, 4, 3>>(-1, 1), w), [] {
    tensor<double, 4, 3> y = spread<tensor<double, 4, 3>>(-1, 1);
    for (int i = 0; i < 3; ++i) y = tanh(matmul(eval(y), w)) + 0.1 * i;
    return y;
  }()));
  // The tangent of each entry, too.
  constexpr auto slope = [](auto const& x) { return std::get<1>(jvp(root, std::tuple{x}, std::tuple{x * 0.0 + 1.0})); };
  CHECK(allclose(vmap(slope)(a), 0.5 / sqrt(a), 1e-12, 1e-12));
}
TEST_CASE("fori_loop between plain numbers") {
  CHECK(allclose(compile(five_times)(x0, w), compile(written_out)(x0, w), 1e-14, 1e-14));
  check_derivatives(five_times, x0, w);
  constexpr auto none = [](auto const& x, auto const& m) { return fori_loop(3, 3, rotate, x, m); };
  CHECK(allclose(compile(none)(x0, w), x0));
  constexpr auto from_three = [](auto const& x) { return fori_loop(3, 6, [](auto const& i, auto const& s) { return s * 10.0 + cast<double>(i); }, x); };
  CHECK(compile(from_three)(0.0) == 345);
  CHECK(grad(from_three)(0.0) == 1000);
}
namespace {
constexpr auto bounded_loss = [](auto const& x, auto const& m, auto const& n) { return sum(square(at_most_eight(n, x, m))); };
constexpr auto written_loss = [](auto const& x, auto const& m) { return sum(square(written_out(x, m))); };
}  // namespace
TEST_CASE("reverse mode through a loop with a bound") {
  auto const g = grad<0, 1>(bounded_loss)(x0, w, std::int32_t{5});
  auto const want = grad<0, 1>(written_loss)(x0, w);
  CHECK(allclose(std::get<0>(g), std::get<0>(want)));
  CHECK(allclose(std::get<1>(g), std::get<1>(want)));
  CHECK(allclose(grad<0>(bounded_loss)(x0, w, std::int32_t{0}), 2.0 * x0));
}
TEST_CASE("loops in loops") {
  // The number of inner iterations depends on the outer one.
  constexpr auto triangle = [](auto const& x) {
    constexpr auto outer = [](auto const& i, auto const& s) { return fori_loop(0, i, [](auto const& j, auto const& t) { return t + cast<double>(j); }, s); };
    return fori_loop(0, 6, outer, x);
  };
  double want = 0;
  for (int i = 0; i < 6; ++i)
    for (int j = 0; j < i; ++j) want += j;
  CHECK(compile(triangle)(0.0) == want);
  CHECK(std::get<1>(jvp(triangle, std::tuple{0.0}, std::tuple{2.0})) == 2);
}
TEST_CASE("reverse mode past a while_loop that no derivative goes through") {
  constexpr auto f = [](auto const& x) { return while_loop([](auto const& a) { return a < 10.0; }, [](auto const& a) { return a * 2.0; }, stop_gradient(x)) * x; };
  CHECK(grad(f)(1.0) == 16);
}
