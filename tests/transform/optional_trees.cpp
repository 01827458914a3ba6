// Optionals in work on all tensors of a struct at once, in optimizers and in checks of gradients.
// heavy: many compiled derivatives
#include <dimity/dimity.hpp>
#include <dimity/transform/check_gradients.hpp>
#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <tuple>

using namespace dimity;

namespace {

template <class T>
struct with_default {
  static constexpr extent_t fan_in = 4;
  tensor<T, 4, 2> weight;
  std::optional<tensor<T, 2>> bias = tensor<T, 2>{};
  std::optional<tensor<T, 2>> shift;
};
template <class T>
struct layer {
  tensor<T, 3, 2> weight;
  std::optional<tensor<T, 2>> bias;
  constexpr auto operator()(auto const& x) const {
    auto y = matmul(x, weight);
    if (bias) y = y + *bias;
    return y;
  }
};
template <class T>
struct net {
  std::optional<tensor<T, 3>> scale;
  layer<T> linear;
  constexpr auto operator()(auto const& x) const {
    auto h = x;
    if (scale) h = h * *scale;
    return tanh(linear(h));
  }
};
/// The same without optionals.
template <class T>
struct full_net {
  tensor<T, 3> scale;
  tensor<T, 3, 2> weight;
  tensor<T, 2> bias;
  constexpr auto operator()(auto const& x) const { return tanh(matmul(x * scale, weight) + bias); }
};
constexpr auto loss = [](auto const& m, auto const& x) { return mean(square(m(x))); };

net<double> example(int there) {
  net<double> m{std::nullopt, {random::normal<double, 3, 2>(key{1}), std::nullopt}};
  if ((there & 1) != 0) m.scale = tensor<double, 3>{0.5, 2, -1};
  if ((there & 2) != 0) m.linear.bias = tensor<double, 2>{0.25, -0.5};
  return m;
}
full_net<double> filled(net<double> const& m) {
  full_net<double> f{{1, 1, 1}, m.linear.weight, {0, 0}};
  if (m.scale) f.scale = *m.scale;
  if (m.linear.bias) f.bias = *m.linear.bias;
  return f;
}
bool is_close(net<double> const& a, full_net<double> const& b) {
  return allclose(a.linear.weight, b.weight, 1e-12, 1e-12) && (!a.scale || allclose(*a.scale, b.scale, 1e-12, 1e-12)) && (!a.linear.bias || allclose(*a.linear.bias, b.bias, 1e-12, 1e-12));
}
bool have_same(net<double> const& a, net<double> const& b) { return a.scale.has_value() == b.scale.has_value() && a.linear.bias.has_value() == b.linear.bias.has_value(); }
constexpr auto total = [](auto const& sum, auto const& w) { return sum + dimity::sum(w); };
tensor<double, 4, 3> const x = random::normal<double, 4, 3>(key{2});

}  // namespace

TEST_CASE("tree_map and tree_reduce: what is there") {
  for (int there = 0; there < 4; ++there) {
    CAPTURE(there);
    auto const m = example(there);
    auto const doubled = tree_map([](auto const& w) { return w * 2.0; }, m);
    CHECK(have_same(doubled, m));
    CHECK(allclose(doubled.linear.weight, 2.0 * m.linear.weight));
    if (m.scale) CHECK(allclose(*doubled.scale, 2.0 * *m.scale));
    if (m.linear.bias) CHECK(allclose(*doubled.linear.bias, 2.0 * *m.linear.bias));
    auto const zero = tree_map([](auto const& a, auto const& b) { return b - 2.0 * a; }, m, doubled);
    CHECK(double(tree_reduce([](auto const& most, auto const& w) { return maximum(most, max(abs(w))); }, zero, 0.0)) == 0);
    CHECK_THROWS_AS((void)tree_map([](auto const& a, auto const& b) { return a + b; }, m, example(3 - there)), presence_error);

    double sum_of_all = double(eval(sum(m.linear.weight)));
    if (m.scale) sum_of_all += 1.5;
    if (m.linear.bias) sum_of_all -= 0.25;
    CHECK(double(tree_reduce(total, m, 0.0)) == doctest::Approx(sum_of_all));
    constexpr auto traced_total = [](auto const& t) { return tree_reduce(total, t, 0.0); };
    CHECK(double(compile(traced_total)(m)) == doctest::Approx(sum_of_all));
    constexpr auto descend = compile([](auto const& t, auto const& in) { return tree_map([](auto const& w, auto const& g) { return w - 0.1 * g; }, t, grad(loss)(t, in)); });
    auto const next = descend(m, x);
    CHECK(have_same(next, m));
    auto const f = filled(m);
    CHECK(is_close(next, tree_map([](auto const& w, auto const& g) { return w - 0.1 * g; }, f, grad(loss)(f, x))));
  }
}
TEST_CASE("trees that differ in their optionals, passed separately") {
  constexpr auto add = compile([](auto const& a, auto const& b) { return tree_map([](auto const& p, auto const& q) { return p + q; }, a, b); });
  auto const one = example(3), other = example(1);
  CHECK(allclose(*add(one, one).linear.bias, 2.0 * *one.linear.bias));
  CHECK(!add(other, other).linear.bias);
  CHECK_THROWS_AS((void)add(one, other), presence_error);
  CHECK_THROWS_AS((void)jvp(loss, std::tuple{one, x}, std::tuple{other, x}), presence_error);
}
TEST_CASE("ravel and unravel have everything") {
  auto const m = example(3);
  auto const flat = ravel(m);
  static_assert(std::is_same_v<std::remove_cvref_t<decltype(flat)>, tensor<double, 11>>);
  CHECK((flat(0) == 0.5 && flat(9) == 0.25 && flat(10) == -0.5));
  auto const again = unravel<net<double>>(flat);
  CHECK((again.scale && again.linear.bias && array_equal(*again.linear.bias, *m.linear.bias)));
  CHECK_THROWS_AS((void)ravel(example(1)), presence_error);
  constexpr auto norm = compile([](auto const& t) { return sum(square(ravel(t))); });
  CHECK(double(norm(m)) == doctest::Approx(double(eval(sum(square(flat))))));
  CHECK_THROWS_AS((void)norm(example(2)), presence_error);
}
TEST_CASE("optimizers: a state has the optionals of its model") {
  for (int there = 0; there < 4; ++there) {
    CAPTURE(there);
    auto m = example(there);
    auto f = filled(m);
    auto state = optim::adam(m, {.learning_rate = 0.1});
    auto full_state = optim::adam(f, {.learning_rate = 0.1});
    CHECK(have_same(state.first_moment, m));
    for (int i = 0; i < 3; ++i) {
      auto [next, next_state] = optim::update(state, m, grad(loss)(m, x));
      m = next;
      state = next_state;
      // What is not there is not trained.
      auto g = grad(loss)(f, x);
      if (!m.scale) g.scale = zeros<double, 3>();
      if (!m.linear.bias) g.bias = zeros<double, 2>();
      auto [full_next, full_next_state] = optim::update(full_state, f, g);
      f = full_next;
      full_state = full_next_state;
    }
    CHECK((m.scale.has_value() == ((there & 1) != 0) && m.linear.bias.has_value() == ((there & 2) != 0)));
    CHECK(is_close(m, f));
    CHECK(have_same(state.second_moment, m));
    CHECK(is_close(state.second_moment, full_state.second_moment));
  }
  CHECK_THROWS_AS((void)optim::update(optim::sgd(example(1)), example(1), example(2)), presence_error);
}
TEST_CASE("a training step of a model with two optionals is four programs: its state has no optionals of its own") {
  constexpr auto step = compile([](auto const& state, auto const& m, auto const& in) { return optim::update(state, m, grad(loss)(m, in)); });
  static_assert(detail::presence_choices<void, optim::sgd_state<net<double>>, net<double>, tensor<double, 4, 3>>::value.count == 4);
  for (int there = 0; there < 4; ++there) {
    auto const m = example(there);
    auto const state = optim::sgd(m, {.learning_rate = 0.5, .momentum = 0.9});
    auto const [next, next_state] = step(state, m, x);
    auto const g = grad(loss)(m, x);
    CHECK(have_same(next, m));
    CHECK(allclose(next.linear.weight, m.linear.weight - 0.5 * g.linear.weight));
    CHECK(have_same(next_state.velocity, m));
    if (m.linear.bias) CHECK(allclose(*next.linear.bias, *m.linear.bias - 0.5 * *g.linear.bias));
  }
  CHECK_THROWS_AS((void)step(optim::sgd(example(1)), example(3), x), presence_error);
}
TEST_CASE("check_gradients, and gradients by the name of the parameter") {
  for (int there = 0; there < 4; ++there) {
    auto const report = check_gradients(loss, example(there), x);
    CHECK_MESSAGE(report.ok, report.text);
    CHECK((report.text.find("0.scale") != std::string::npos) == ((there & 1) != 0));
    CHECK((report.text.find("0.linear.bias") != std::string::npos) == ((there & 2) != 0));
  }
}
TEST_CASE("a model from nn::init has the optionals that it is made with") {
  auto const with = nn::init<with_default<float>>(key{3});
  REQUIRE(with.bias.has_value());
  CHECK(!with.shift.has_value());
  CHECK(bool(all(abs(*with.bias) <= 0.5f)));
  CHECK(bool(any(*with.bias != 0.0f)));
}
