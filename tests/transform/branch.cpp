// cond and switch_ against the branch called directly, and every transform of them against the same transform of that.
#include "derivatives.hpp"

#include <dimity/plan/facts.hpp>

#include <cstdint>

using namespace dimity;
using test::check_derivatives;
using test::spread;

namespace {

constexpr auto grow = [](auto const& x, auto const& w) { return std::tuple{exp(matmul(x, w)), sum(x)}; };
constexpr auto shrink = [](auto const& x, auto const& w) { return std::tuple{square(x) * 0.1, sum(w) + 0.0 * sum(x)}; };
constexpr auto pass = [](auto const& x, auto const&) { return std::tuple{x, sum(x) * 0.0 + 3.0}; };
constexpr auto either = [](auto const& x, auto const& w) { return cond(sum(x) > 0.0, grow, shrink, x, w); };
constexpr auto one_of = [](auto const& i, auto const& x, auto const& w) { return switch_(i, std::tuple{shrink, grow, pass}, x, w); };

constexpr auto loss_of = [](auto const& out) { return sum(sin(std::get<0>(out))) + square(std::get<1>(out)); };
constexpr auto either_loss = [](auto const& x, auto const& w) { return loss_of(either(x, w)); };
constexpr auto grow_loss = [](auto const& x, auto const& w) { return loss_of(grow(x, w)); };
constexpr auto shrink_loss = [](auto const& x, auto const& w) { return loss_of(shrink(x, w)); };
constexpr auto mixed_loss = [](auto const& x, auto const& w) {
  auto const positive = cast<double>(sum(x) > 0.0);
  return positive * grow_loss(x, w) + (1.0 - positive) * shrink_loss(x, w);
};

template <class A, class B>
void check_pair(A const& a, B const& b) {
  CHECK(allclose(std::get<0>(a), std::get<0>(b), 1e-13, 1e-13));
  CHECK(allclose(std::get<1>(a), std::get<1>(b), 1e-13, 1e-13));
}

auto const up = spread<tensor<double, 3>>(0, 1), down = spread<tensor<double, 3>>(-1, 0);
auto const w = spread<tensor<double, 3, 3>>(-1, 1);

}  // namespace

TEST_CASE("cond runs the branch that the condition names") {
  check_pair(compile(either)(up, w), compile(grow)(up, w));
  check_pair(compile(either)(down, w), compile(shrink)(down, w));
  check_pair(cond(true, grow, shrink, up, w), compile(grow)(up, w));
  check_pair(cond(false, grow, shrink, up, w), compile(shrink)(up, w));
  check_pair(cond(2.0, grow, shrink, up, w), compile(grow)(up, w));
  check_pair(cond(0.0, grow, shrink, up, w), compile(shrink)(up, w));
  check_pair(cond(-1, grow, shrink, up, w), compile(grow)(up, w));  // a number is true unless it is 0
  check_pair(cond(0, grow, shrink, up, w), compile(shrink)(up, w));
}
TEST_CASE("switch_ moves an index into range") {
  for (std::int32_t i : {-5, -1, 0, 1, 2, 3, 100}) {
    CAPTURE(i);
    auto const got = switch_(i, std::tuple{shrink, grow, pass}, up, w);
    if (i <= 0) check_pair(got, compile(shrink)(up, w));
    else if (i == 1) check_pair(got, compile(grow)(up, w));
    else check_pair(got, compile(pass)(up, w));
  }
}
TEST_CASE("an index of any type, for all entries or for each") {
  constexpr auto of = [](auto const& i, auto const& x) { return switch_(i, std::tuple{[](auto const& v) { return v; }, [](auto const& v) { return v * 10.0; }, [](auto const& v) { return v * 100.0; }}, x); };
  auto const two = tensor<double, 2>{1, 1};
  CHECK(compile(of)(true, 1.0) == 10);
  CHECK(vmap(of)(tensor<bool, 2>{true, false}, two)(0) == 10);
  CHECK(compile(of)(1.5, 1.0) == 10);
  CHECK(vmap(of)(tensor<double, 2>{1.5, 0.5}, two)(0) == 10);
  CHECK(vmap(of)(tensor<double, 2>{1.5, 0.5}, two)(1) == 1);
  CHECK(compile(of)(std::uint8_t{200}, 1.0) == 100);
  CHECK(vmap(of)(tensor<std::uint8_t, 2>{200, 1}, two)(0) == 100);
  CHECK(compile(of)(std::int64_t{-3}, 1.0) == 1);
}
TEST_CASE("only one branch runs") {
  // The branch not taken would run into nan, and take the time of a large product.
  constexpr auto f = [](auto const& x) {
    return cond(x > 0.0, [](auto const& y) { return log(y); }, [](auto const& y) { return y; }, x);
  };
  CHECK(compile(f)(-1.0) == -1.0);
  CHECK(grad(f)(-1.0) == 1.0);
  CHECK(grad(f)(2.0) == doctest::Approx(0.5));
  constexpr auto& plan = compile(either).plan<tensor<double, 3>, tensor<double, 3, 3>>;
  static_assert(control_count(plan) == 1);
}
TEST_CASE("derivatives are those of the branch taken") {
  check_derivatives(either, up, w);
  check_derivatives(either, down, w);
  for (auto const& x : {up, down}) {
    bool const first = static_cast<double>(eval(sum(x))) > 0;
    auto const both = grad<0, 1>(either_loss)(x, w);
    auto const want = first ? grad<0, 1>(grow_loss)(x, w) : grad<0, 1>(shrink_loss)(x, w);
    CHECK(allclose(std::get<0>(both), std::get<0>(want)));
    CHECK(allclose(std::get<1>(both), std::get<1>(want)));
    CHECK(allclose(hessian(either_loss)(x, w), first ? hessian(grow_loss)(x, w) : hessian(shrink_loss)(x, w)));
  }
  constexpr auto by_index = [](auto const& x, auto const& m, auto const& i) { return loss_of(one_of(i, x, m)); };
  CHECK(allclose(grad<0>(by_index)(up, w, std::int32_t{1}), grad<0>(grow_loss)(up, w)));
  CHECK(allclose(grad<1>(by_index)(up, w, std::int32_t{0}), grad<1>(shrink_loss)(up, w)));
}
TEST_CASE("vmap: one condition for all, or one for each") {
  auto const many = spread<tensor<double, 5, 3>>(-1, 1);
  auto const all = vmap<mapped, whole>(either)(many, w);
  auto const indices = tensor<std::int32_t, 5>{0, 1, 2, -3, 9};
  auto const picked = vmap<mapped, mapped, whole>(one_of)(indices, many, w);
  auto const together = vmap<whole, mapped, whole>(one_of)(std::int32_t{1}, many, w);
  for (int i = 0; i < 5; ++i) {
    CAPTURE(i);
    auto const x = eval(row(many, i));
    auto const one = compile(either)(x, w);
    CHECK(allclose(row(std::get<0>(all), i), std::get<0>(one)));
    CHECK(std::abs(std::get<1>(all)(i) - std::get<1>(one)) < 1e-13);
    auto const by_index = compile(one_of)(std::int32_t{indices(i)}, x, w);
    CHECK(allclose(row(std::get<0>(picked), i), std::get<0>(by_index)));
    CHECK(std::abs(std::get<1>(picked)(i) - std::get<1>(by_index)) < 1e-13);
    auto const grown = compile(grow)(x, w);
    CHECK(allclose(row(std::get<0>(together), i), std::get<0>(grown)));
    CHECK(std::abs(std::get<1>(together)(i) - std::get<1>(grown)) < 1e-13);
  }
  auto const slopes = vmap<mapped, whole>(grad<0>(either_loss))(many, w);
  for (int i = 0; i < 5; ++i) CHECK(allclose(row(slopes, i), grad<0>(either_loss)(eval(row(many, i)), w)));
}
namespace {
constexpr auto summed_either = [](auto const& m, auto const& x) { return sum(vmap<whole, mapped>([](auto const& a, auto const& b) { return either_loss(b, a); })(m, x)); };
constexpr auto summed_mixed = [](auto const& m, auto const& x) { return sum(vmap<whole, mapped>([](auto const& a, auto const& b) { return mixed_loss(b, a); })(m, x)); };
constexpr auto choosing_step = [](auto const& h, auto const& x, auto const& m) {
  auto [next, y] = cond(sum(x) > 0.0, grow, shrink, x + 0.1 * h, m);
  return std::tuple{tanh(next), y};
};
constexpr auto choosing = [](auto const& h, auto const& x, auto const& m) {
  auto [last, ys] = scan(choosing_step, h, x, m);
  return std::tuple{last, ys};
};
constexpr auto loop_in_branch = [](auto const& x, auto const& m) {
  return cond(sum(x) > 0.0, [](auto const& a, auto const& b) { return std::get<0>(scan([](auto const& h, auto const& e, auto const& k) { return std::tuple{tanh(matmul(h, k) + e), h}; }, a, b, b)); },
              [](auto const& a, auto const& b) { return a + sum(b); }, x, m);
};
constexpr auto nested_branch = [](auto const& x, auto const& m) {
  return cond(sum(x) > 0.0, [](auto const& a, auto const& b) { return cond(max(a) > 0.9, [](auto const& c, auto const& d) { return sin(c) * sum(d); }, [](auto const& c, auto const& d) { return cos(c) * sum(d, axis<0>); }, a, b); },
              [](auto const& a, auto const& b) { return a * a + sum(b); }, x, m);
};
}  // namespace
TEST_CASE("gradients of vmap of cond") {
  auto const many = spread<tensor<double, 5, 3>>(-1, 1);
  CHECK(allclose(grad<0>(summed_either)(w, many), grad<0>(summed_mixed)(w, many)));
  CHECK(allclose(grad<1>(summed_either)(w, many), grad<1>(summed_mixed)(w, many)));
}
TEST_CASE("branches in loops, loops in branches, branches in branches") {
  auto const xs = spread<tensor<double, 4, 3>>(-1, 1);
  check_derivatives(choosing, up, xs, w);
  check_derivatives(loop_in_branch, up, w);
  check_derivatives(loop_in_branch, down, w);
  check_derivatives(nested_branch, up, w);
  check_derivatives(nested_branch, eval(up * 0.5), w);
  check_derivatives(nested_branch, down, w);
}
