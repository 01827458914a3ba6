// Optionals under vmap, and in functions with derivatives of their own.
// heavy: many compiled derivatives
#include "optional_models.hpp"

#include <array>
#include <tuple>
#include <utility>

using namespace dimity;
using namespace test;

namespace {

constexpr auto plus = [](auto const& a, auto const& b) {
  auto y = a;
  if (b) y = y + *b;
  return y;
};
constexpr auto again = [](auto const& m, auto const& v) { return sum(checkpoint([](auto const& l, auto const& u) { return l(l(u)); })(m, v)); };
constexpr auto kept = [](auto const& m, auto const& v) { return sum(m(m(v))); };
/// Three times a derivative, to be told from the function's own.
constexpr auto backward = [](auto const& m, auto const& v, auto const& u) {
  auto g = m;
  g.weight = zeros_like(m.weight) + 3.0 * sum(u);
  if (g.bias) g.bias = 3.0 * u + zeros_like(*m.bias);
  return std::tuple{g, 3.0 * v};
};
constexpr auto own = [](auto const& m, auto const& v) { return sum(custom_vjp(apply_model, backward)(m, v)); };
constexpr auto rule = [](auto const& primals, auto const& tangents) {
  auto const& [m, v] = primals;
  auto const& [dm, dv] = tangents;
  auto dy = matmul(v, dm.weight) * 2.0;
  if (dm.bias) dy = dy + 5.0 * *dm.bias;
  return std::tuple{m(v), dy};
};
constexpr auto own_tangent = [](auto const& m, auto const& v) { return sum(custom_jvp(apply_model, rule)(m, v)); };
constexpr auto slope = [](auto const& y, auto const&, auto const& m) {
  auto d = -y * sum(square(m.weight));
  if (m.bias) d = d + *m.bias;
  return d;
};
constexpr auto end = [](auto const& m, auto const& y, auto const& ts) { return sum(odeint(slope, y, ts, m)); };

tensor<double, 5, 3> const xs = random::normal<double, 5, 3>(key{9});
tensor<double, 3> const x = {0.3, -0.8, 0.5};

}  // namespace

TEST_CASE("vmap: a model for all entries, one for each entry, a model for each result") {
  constexpr auto shared = vmap<whole, mapped>(apply_model);
  constexpr auto separate = vmap(apply_model);
  constexpr auto gradients = vmap<whole, mapped>(grad(loss));
  for (bool const there : {true, false}) {
    CAPTURE(there);
    auto const m = example(there);
    CHECK(allclose(shared(m, xs), compile(apply_model)(m, xs)));

    std::array<layer<double>, 5> models{};
    for (std::size_t i = 0; i < 5; ++i) models[i] = example(there, i);
    auto const layers = stack_trees(models);
    auto const y = separate(layers, xs);
    auto const g = gradients(m, xs);
    static_assert(std::is_same_v<decltype(g), stacked<layer<double>, 5> const>);
    for (int i = 0; i < 5; ++i) {
      tensor<double, 3> const entry = pick<0>(xs, i);
      CHECK(allclose(tensor<double, 3>(pick<0>(y, i)), compile(apply_model)(models[static_cast<std::size_t>(i)], entry)));
      CHECK(layers.get(i).bias.has_value() == there);
      CHECK(g.get(i).bias.has_value() == there);
      CHECK(is_close(g.get(i), grad(loss)(filled(m), entry)));
    }
  }
  CHECK_THROWS_AS((void)stack_trees(std::array{example(true), example(false)}), presence_error);
  // A tensor that is there or not is mapped like one.
  std::optional<tensor<double, 5, 3>> other(xs);
  CHECK(allclose(vmap(plus)(xs, other), 2.0 * xs));
  other.reset();
  CHECK(allclose(vmap(plus)(xs, other), xs));
}
TEST_CASE("checkpoint, custom_vjp, custom_jvp") {
  for (bool const there : {true, false}) {
    CAPTURE(there);
    auto const m = example(there);
    auto const a = grad(again)(m, x), b = grad(own)(m, x), c = grad(own_tangent)(m, x);
    CHECK((a.bias.has_value() == there && b.bias.has_value() == there && c.bias.has_value() == there));
    CHECK(is_close(a, grad(kept)(filled(m), x)));
    CHECK(allclose(b.weight, 9.0 * ones<double, 3, 3>()));
    if (there) CHECK(allclose(*b.bias, 3.0 * ones<double, 3>()));
    CHECK(allclose(c.weight, 2.0 * broadcast_to<3, 3>(reshape<3, 1>(x))));
    if (there) CHECK(allclose(*c.bias, 5.0 * ones<double, 3>()));
    CHECK(allclose(vmap<whole, mapped>(grad<1>(again))(m, xs), vmap<whole, mapped>(grad<1>(kept))(filled(m), xs)));
  }
}
TEST_CASE("odeint: parameters that are not there have no cotangent") {
  tensor<double, 3> const ts = {0, 0.1, 0.2};
  for (bool const there : {true, false}) {
    auto const m = example(there);
    auto const g = grad(end)(m, x, ts), expected = grad(end)(filled(m), x, ts);
    CHECK(g.bias.has_value() == there);
    CHECK(allclose(g.weight, expected.weight, 1e-6, 1e-6));
  }
}
