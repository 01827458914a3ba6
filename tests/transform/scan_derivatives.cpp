// Derivatives and vmap of scan against those of the loop written out.
// heavy: many compiled derivatives
#include "recurrence.hpp"

using namespace dimity;
using namespace test;

TEST_CASE("derivatives in both modes") {
  check_derivatives(rnn, h0, xs, w, u);
  check_same(grad<0, 1, 2, 3>(rnn_loss)(h0, xs, w, u), grad<0, 1, 2, 3>(unrolled_loss)(h0, xs, w, u));
  constexpr auto backwards = [](auto const& h, auto const& x, auto const& m, auto const& n) {
    auto [last, ys] = scan<scan_options{.reverse = true}>(cell, h, x, m, n);
    return std::tuple{last, ys};
  };
  check_derivatives(backwards, h0, xs, w, u);
}
TEST_CASE("derivatives of everything that a body may do") {
  // The state twice, an entry that only scales, a constant that is used in two ways, batches, a value that is not differentiated.
  constexpr auto f = [](auto const& h, auto const& x, auto const& m) {
    constexpr auto step = [](auto const& s, auto const& e, auto const& k) {
      auto const& [a, n] = s;
      auto const mixed = matmul(a, k) * sum(e) + sigmoid(matmul(transpose(a), k)) - 0.1 * sum(k, axis<0>);
      auto const next = where(mixed > 0.0, mixed, 0.2 * mixed) / (1.0 + cast<double>(n));
      return std::tuple{std::tuple{next, n + std::int32_t{1}}, std::tuple{max(next, axis<1>), softmax(next, axis<-1>)}};
    };
    auto [last, ys] = scan(step, std::tuple{h, std::int32_t{0}}, x, m);
    return std::tuple{std::get<0>(last), std::get<0>(ys), std::get<1>(ys)};
  };
  check_derivatives(f, spread<tensor<double, 3, 3>>(-1, 1), spread<tensor<double, 4, 2>>(0.2, 1), spread<tensor<double, 3, 3>>(-1, 1));
}
namespace {
constexpr auto inner = [](auto const& a, auto const& b, auto const& c, auto const& d) { return std::tuple{tanh(a * c + b), a * d}; };
constexpr auto nested = [](auto const& x, auto const& k) {
  constexpr auto outer = [](auto const& s, auto const& row_of_x, auto const& c) {
    auto [last, ys] = scan(inner, s, row_of_x, c, s * 2.0);
    return std::tuple{last, sum(ys) + last};
  };
  auto [last, ys] = scan(outer, sum(k), x, k);
  return std::tuple{last, ys};
};
constexpr auto nested_written_out = [](auto const& x, auto const& k) {
  auto s = sum(k);
  std::array<decltype(s), 3> ys{};
  for (int i = 0; i < 3; ++i) {
    auto const d = s * 2.0;
    auto a = s;
    auto total = a * 0.0;
    for (int j = 0; j < 4; ++j) {
      total = total + a * d;
      a = tanh(a * k + pick<0>(pick<0>(x, std::int32_t{i}), std::int32_t{j}));
    }
    s = a;
    ys[static_cast<std::size_t>(i)] = total + a;
  }
  return std::tuple{s, stack<0>(ys[0], ys[1], ys[2])};
};
constexpr auto nested_loss = [](auto const& a, auto const& b) { return loss_of(nested(a, b)); };
constexpr auto nested_loss_written_out = [](auto const& a, auto const& b) { return loss_of(nested_written_out(a, b)); };
}  // namespace
TEST_CASE("a loop in a loop, and a loop of loops") {
  auto const x = spread<tensor<double, 3, 4>>(-1, 1);
  check_same(compile(nested)(x, 0.7), compile(nested_written_out)(x, 0.7), 1e-14);
  check_derivatives(nested, x, tensor<double>{0.7});
  check_same(grad<0, 1>(nested_loss)(x, 0.7), grad<0, 1>(nested_loss_written_out)(x, 0.7));
  check_same(hessian(nested_loss)(x, 0.7), hessian(nested_loss_written_out)(x, 0.7), 1e-11);
}
namespace {
constexpr auto in_w = [](auto const& m, auto const& h, auto const& x, auto const& n) { return rnn_loss(h, x, m, n); };
constexpr auto in_w_unrolled = [](auto const& m, auto const& h, auto const& x, auto const& n) { return unrolled_loss(h, x, m, n); };
constexpr auto norm_of_gradient = [](auto const& m, auto const& h, auto const& x, auto const& n) { return sum(square(grad(in_w)(m, h, x, n))); };
constexpr auto norm_of_gradient_unrolled = [](auto const& m, auto const& h, auto const& x, auto const& n) { return sum(square(grad(in_w_unrolled)(m, h, x, n))); };
}  // namespace
TEST_CASE("second derivatives") {
  check_same(hessian(rnn_loss)(h0, xs, w, u), hessian(unrolled_loss)(h0, xs, w, u), 1e-11);
  auto const v = spread<tensor<double, 3, 3>>(-1, 1);
  check_same(hvp(in_w)(w, v, h0, xs, u), hvp(in_w_unrolled)(w, v, h0, xs, u), 1e-11);
  // Reverse over reverse.
  check_same(grad(norm_of_gradient)(w, h0, xs, u), grad(norm_of_gradient_unrolled)(w, h0, xs, u), 1e-11);
}
namespace {
constexpr auto batch_loss = [](auto const& h, auto const& x, auto const& m, auto const& n) { return sum(vmap<mapped, mapped, whole, whole>(rnn_loss)(h, x, m, n)); };
constexpr auto batch_loss_unrolled = [](auto const& h, auto const& x, auto const& m, auto const& n) { return sum(vmap<mapped, mapped, whole, whole>(unrolled_loss)(h, x, m, n)); };
}  // namespace
namespace {
constexpr auto add_logarithms = [](auto const& h, auto const& entries) {
  constexpr auto add = [](auto const& state, auto const& x) {
    auto const& [total, scale] = state;
    return std::tuple{std::tuple{total + log(x * scale), scale}, std::tuple{}};
  };
  auto [last, none] = scan(add, std::tuple{h, h * 2.0}, entries);
  return std::get<0>(last) + std::get<1>(last);
};
}  // namespace

TEST_CASE("a state that vmap leaves alone, beside one that it does not") {
  // d/dh (h + sum of log(2 h x) + 2 h), for both rows: nothing of the other rows' loop, whose entries are zeros there, may come in.
  tensor<double, 2, 3> const rows = {{1, 2, 3}, {4, 5, 6}};
  constexpr auto all = [](auto const& h, auto const& entries) { return sum(vmap<whole, mapped>(add_logarithms)(h, entries)); };
  CHECK(double(grad(all)(1.5, rows)) == doctest::Approx(2 * (3 + 3 / 1.5)));
}
TEST_CASE("vmap of loops, derivatives of that, and that of derivatives") {
  auto const many_h = spread<tensor<double, 4, 3>>(-1, 1);
  auto const many_x = spread<tensor<double, 4, steps, 3>>(-1, 1);
  auto const many_w = spread<tensor<double, 4, 3, 3>>(-1, 1);
  check_same(vmap(rnn)(many_h, many_x, many_w, eval(many_w * 0.5)), vmap(unrolled)(many_h, many_x, many_w, eval(many_w * 0.5)));
  check_same(vmap<mapped, whole, whole, whole>(rnn)(many_h, xs, w, u), vmap<mapped, whole, whole, whole>(unrolled)(many_h, xs, w, u));
  check_same(vmap<whole, axis<1>, whole, whole>(rnn)(h0, spread<tensor<double, steps, 4, 3>>(-1, 1), w, u), vmap<whole, axis<1>, whole, whole>(unrolled)(h0, spread<tensor<double, steps, 4, 3>>(-1, 1), w, u));
  check_same(vmap<whole, whole, mapped, whole>(rnn)(h0, xs, many_w, u), vmap<whole, whole, mapped, whole>(unrolled)(h0, xs, many_w, u));
  check_same(vmap<mapped, mapped, whole, whole>(grad<2>(rnn_loss))(many_h, many_x, w, u), vmap<mapped, mapped, whole, whole>(grad<2>(unrolled_loss))(many_h, many_x, w, u));
  check_same(grad<0, 1, 2, 3>(batch_loss)(many_h, many_x, w, u), grad<0, 1, 2, 3>(batch_loss_unrolled)(many_h, many_x, w, u));
}
namespace {
// A product in the inner loop of the inner state and of the outer entry: it does not depend on the outer state, and still changes with the inner iterations.
constexpr auto inner_step = [](auto const& a, auto const& b, auto const& m) { return std::tuple{tanh(matmul(a, m) + b), a}; };
constexpr auto outer_step = [](auto const& h, auto const& x, auto const& m) {
  auto const last = std::get<0>(scan(inner_step, x, stack<0>(x, x * 0.5), m));
  return std::tuple{h * 0.5 + last, sum(last)};
};
constexpr auto entry_loops = [](auto const& h, auto const& x, auto const& m) {
  auto [last, ys] = scan(outer_step, h, x, m);
  return std::tuple{last, ys};
};
constexpr auto entry_loops_written_out = [](auto const& h, auto const& x, auto const& m) {
  auto now = h;
  std::array<decltype(sum(h)), steps> ys{};
  for (int t = 0; t < steps; ++t) {
    auto const e = pick<0>(x, std::int32_t{t});
    auto const last = tanh(matmul(tanh(matmul(e, m) + e), m) + e * 0.5);
    now = now * 0.5 + last;
    ys[static_cast<std::size_t>(t)] = sum(last);
  }
  return std::tuple{now, stack<0>(ys[0], ys[1], ys[2], ys[3], ys[4], ys[5])};
};
constexpr auto empty_loop = [](auto const& m, auto const& x) { return sum(m) + sum(std::get<0>(scan([](auto const& s, auto const& e, auto const& k) { return std::tuple{matmul(s, k) + e, s}; }, m * 1.0, x, m))); };
}  // namespace
TEST_CASE("a loop over an entry inside a loop") {
  check_same(compile(entry_loops)(h0, xs, w), compile(entry_loops_written_out)(h0, xs, w), 1e-14);
  check_derivatives(entry_loops, h0, xs, w);
}
TEST_CASE("a loop of no iterations passes its state's derivative on") {
  CHECK(allclose(grad<0>(empty_loop)(w, tensor<double, 0, 3, 3>{}), full<double, 3, 3>(2.0)));
}
