// Optionals in loops and branches: in the state, in the entries, in the results and in what does not change.
// heavy: many compiled derivatives
#include "optional_models.hpp"

#include <array>
#include <tuple>
#include <utility>

using namespace dimity;
using namespace test;

namespace {

constexpr auto cell = [](auto const& h, auto const& v, auto const& m) {
  auto next = m(h + v);
  auto y = m.bias;
  if (y) y = *y + next;
  return std::tuple{next, y};
};
constexpr auto run = [](auto const& m, auto const& start, auto const& entries) {
  auto const [last, ys] = scan(cell, start, entries, m);
  auto total = sum(square(last));
  if (ys) total = total + sum(*ys);
  return total;
};
constexpr auto unrolled = [](auto const& m, auto const& start, auto const& entries, auto const& counts) {
  auto h = start;
  auto total = sum(start) * 0.0;
  for (int i = 0; i < 5; ++i) {
    h = m(h + pick<0>(entries, i));
    total = total + counts * (sum(h) + sum(*m.bias));
  }
  return total + sum(square(h));
};
constexpr auto decay = [](auto const& m, auto const& v) {
  auto next = m;
  next.weight = m.weight * 0.5 + sum(v);
  if (m.bias) next.bias = *m.bias - v;
  return std::tuple{next, std::tuple{}};
};
constexpr auto final_state = [](auto const& m, auto const& entries) { return std::get<0>(scan(decay, m, entries)); };
constexpr auto score = [](auto const& s, auto const& entries) { return loss(std::get<0>(scan(decay, s, entries)), pick<0>(entries, 0)); };
constexpr auto optional_entries = [](auto const& h, auto const& v) {
  auto next = h + v.first;
  if (v.second) next = next + *v.second;
  return std::tuple{next, v.second};
};
constexpr auto added = [](auto const& start, auto const& entries) { return scan(optional_entries, start, entries); };
constexpr auto losing = [](auto const& m, auto const& v) {
  auto next = m;
  next.bias = {};
  next.weight = m.weight + sum(v);
  return std::tuple{next, std::tuple{}};
};
constexpr auto lose = [](auto const& m, auto const& entries) { return std::get<0>(scan(losing, m, entries)); };
constexpr auto halve = [](auto const& m) {
  auto next = m;
  next.weight = m.weight * 0.5;
  if (m.bias) next.bias = *m.bias * 0.5;
  return next;
};
constexpr auto large = [](auto const& m) { return max(abs(m.weight)) > 0.1; };
constexpr auto small_enough = [](auto const& m) { return while_loop(large, [](auto const& s) { return halve(s); }, m); };
constexpr auto three_times = [](auto const& m) { return fori_loop(0, 3, [](auto const&, auto const& s) { return halve(s); }, m); };
constexpr auto n_times = [](auto const& m, auto const& n) { return fori_loop<5>(0, n, [](auto const&, auto const& s) { return halve(s); }, m); };
constexpr auto maybe = [](auto const& m, auto const& v) { return cond(sum(v) > 0.0, [](auto const& s) { return halve(s); }, [](auto const& s) { return s; }, m); };
constexpr auto through = [](auto const& s, auto const& v) { return loss(n_times(s, std::int32_t{2}), v) + loss(maybe(s, v), v); };

tensor<double, 5, 3> const xs = random::normal<double, 5, 3>(key{9});
tensor<double, 3> const x = {0.3, -0.8, 0.5};

}  // namespace

TEST_CASE("scan: in what does not change, in the state, in the entries and in the results") {
  for (bool const there : {true, false}) {
    CAPTURE(there);
    auto const m = example(there);
    double const counts = there ? 1 : 0;
    CHECK(allclose(compile(run)(m, x, xs), compile(unrolled)(filled(m), x, xs, counts)));
    auto const g = grad(run)(m, x, xs);
    CHECK(g.bias.has_value() == there);
    CHECK(is_close(g, grad(unrolled)(filled(m), x, xs, counts)));

    layer<double> const last = final_state(m, xs);
    CHECK(last.bias.has_value() == there);
    CHECK(is_close(last, final_state(filled(m), xs)));
    auto const slope = grad(score)(m, xs);
    CHECK(slope.bias.has_value() == there);
    if (there) CHECK(is_close(slope, grad(score)(filled(m), xs)));
    else CHECK(allclose(std::get<1>(jvp(score, std::tuple{m, xs}, std::tuple{m, tensor<double, 5, 3>(zeros<double, 5, 3>())})), sum(slope.weight * m.weight)));
  }
  using entries = std::pair<tensor<double, 5, 3>, std::optional<tensor<double, 5, 3>>>;
  auto const [both, same] = added(x, entries{xs, xs});
  auto const [one, none] = added(x, entries{xs, std::nullopt});
  CHECK(allclose(both, x + 2.0 * sum(xs, axis<0>)));
  CHECK(allclose(one, x + sum(xs, axis<0>)));
  CHECK((same && array_equal(*same, xs) && !none));
}
TEST_CASE("a state that loses an optional throws when there was one") {
  CHECK(!lose(example(false), xs).bias);
  CHECK_THROWS_AS((void)lose(example(true), xs), presence_error);
}
TEST_CASE("while_loop, fori_loop, cond, switch_") {
  for (bool const there : {true, false}) {
    CAPTURE(there);
    auto const m = example(there);
    auto const a = compile(small_enough)(m), b = compile(three_times)(m), c = compile(n_times)(m, std::int32_t{3}), d = compile(maybe)(m, x), e = compile(maybe)(m, tensor<double, 3>{-1, 0, 0});
    for (auto const* r : {&a, &b, &c, &d, &e}) CHECK(r->bias.has_value() == there);
    CHECK(is_close(a, compile(small_enough)(filled(m))));
    CHECK((allclose(b.weight, 0.125 * m.weight) && is_close(c, filled(b))));
    if (there) CHECK(allclose(*b.bias, 0.125 * *m.bias));
    CHECK(allclose(d.weight, sum(x) > 0.0 ? 0.5 * m.weight : m.weight));
    CHECK(array_equal(e.weight, m.weight));
    CHECK(is_close(grad(through)(m, x), grad(through)(filled(m), x)));
  }
}
