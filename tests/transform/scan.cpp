// scan and map against the loop written out: values, plans, what a body may do.
#include "recurrence.hpp"

#include <dimity/plan/facts.hpp>

#include "../support/allocations.hpp"

using namespace dimity;
using namespace test;

namespace {

template <class T>
struct layer {
  tensor<T, 4, 4> weight;
  tensor<T, 4> bias;
};
constexpr auto apply_layer = [](auto const& x, auto const& l) { return std::tuple{tanh(matmul(x, l.weight) + l.bias), std::tuple<>{}}; };
constexpr auto tower = [](auto const& layers, auto const& x) { return sum(square(std::get<0>(scan(apply_layer, x, layers)))); };

}  // namespace

TEST_CASE("values are those of the loop written out") {
  check_same(compile(rnn)(h0, xs, w, u), compile(unrolled)(h0, xs, w, u), 1e-14);
  check_same(rnn(h0, xs, w, u), compile(unrolled)(h0, xs, w, u), 1e-14);  // at once, on tensors
  check_same(compile(rnn, scalar)(h0, xs, w, u), compile(unrolled)(h0, xs, w, u), 1e-14);
  check_same(compile(grad<2>(rnn_loss), scalar)(h0, xs, w, u), grad<2>(unrolled_loss)(h0, xs, w, u));
}
TEST_CASE("every dtype can be carried and scanned") {
  constexpr auto count = [](auto const& s, auto const& x) { return std::tuple{std::tuple{std::get<0>(s) + x, x > std::int32_t{2}, std::get<2>(s) * 0.5f}, std::get<0>(s)}; };
  auto const numbers = arange<std::int32_t, 5>();
  auto [last, before] = scan(count, std::tuple{std::int32_t{10}, false, 8.0f}, numbers);
  CHECK(std::get<0>(last) == 20);
  CHECK(std::get<1>(last) == true);
  CHECK(std::get<2>(last) == 0.25f);
  CHECK(array_equal(before, tensor<std::int32_t, 5>{10, 10, 11, 13, 16}));
}
TEST_CASE("from the end, and of one or no entry") {
  constexpr auto running = [](auto const& s, auto const& x) { return std::tuple{s + x, s + x}; };
  auto const x = tensor<double, 4>{1, 2, 3, 4};
  auto [total, sums] = scan<scan_options{.reverse = true}>(running, 0.0, x);
  CHECK(total == 10);
  CHECK(array_equal(sums, tensor<double, 4>{10, 9, 7, 4}));
  auto [one, first] = scan(running, 3.0, tensor<double, 1>{2.0});
  CHECK(one == 5);
  CHECK(array_equal(first, tensor<double, 1>{5.0}));
  auto [start, nothing] = scan(running, 3.0, tensor<double, 0>{});
  CHECK(start == 3);
  static_assert(std::is_same_v<decltype(nothing), tensor<double, 0>>);
}
TEST_CASE("states that swap, stay and are overwritten") {
  constexpr auto swap = [](auto const& s, auto const&) { return std::tuple{std::tuple{std::get<1>(s), std::get<0>(s), std::get<2>(s)}, std::get<0>(s) + std::get<2>(s)}; };
  auto const a = spread<tensor<double, 3>>(0, 1), b = spread<tensor<double, 3>>(2, 3), c = spread<tensor<double, 3>>(4, 5);
  auto [last, ys] = scan(swap, std::tuple{a, b, c}, zeros<double, 5>());
  CHECK(array_equal(std::get<0>(last), b));
  CHECK(array_equal(std::get<1>(last), a));
  CHECK(array_equal(std::get<2>(last), c));
  for (int t = 0; t < 5; ++t) CHECK(allclose(row(ys, t), (t % 2 == 0 ? a : b) + c));
  // A Fibonacci of vectors: one output is the other input.
  constexpr auto fibonacci = [](auto const& s, auto const&) { return std::tuple{std::pair{s.second, s.first + s.second}, s.first}; };
  auto [end, all] = scan(fibonacci, std::pair{0.0, 1.0}, zeros<double, 10>());
  CHECK(array_equal(all, tensor<double, 10>{0, 1, 1, 2, 3, 5, 8, 13, 21, 34}));
  CHECK(end.first == 55);
  // In place where nothing else reads what is overwritten.
  constexpr auto roll_on = [](auto const& s, auto const& x) { return std::tuple{roll<1>(s, axis<0>) + x, s}; };
  auto [rolled, seen] = scan(roll_on, tensor<double, 4>{1, 2, 3, 4}, tensor<double, 3>{0, 10, 0});
  CHECK(array_equal(rolled, tensor<double, 4>{12, 13, 14, 11}));
  CHECK(array_equal(row(seen, 2), tensor<double, 4>{13, 14, 11, 12}));
}
TEST_CASE("entries and states are seen through strides") {
  auto const wide = spread<tensor<double, 3, steps>>(-1, 1);
  constexpr auto over_columns = [](auto const& h, auto const& x, auto const& m, auto const& n) { return rnn(h, transpose(x), transpose(m), n); };
  check_same(compile(over_columns)(h0, wide, w, u), compile(unrolled)(h0, eval(transpose(wide)), eval(transpose(w)), u), 1e-14);
  constexpr auto from_row = [](auto const& a, auto const& x, auto const& m, auto const& n) { return rnn(column(a, 1), x, m, n); };
  auto const square_start = spread<tensor<double, 3, 3>>(-1, 1);
  check_same(compile(from_row)(square_start, xs, w, u), compile(unrolled)(eval(column(square_start, 1)), xs, w, u), 1e-14);
}
namespace {
constexpr auto plain_step = [](auto const& h, auto const& x, auto const& k) { return std::tuple{tanh(tanh(matmul(h, k)) + x), sum(h)}; };
constexpr auto saved = [](auto const& h, auto const& x, auto const& k) { return std::get<0>(scan(plain_step, h, x, k)); };
constexpr auto recomputed = [](auto const& h, auto const& x, auto const& k) {
  return std::get<0>(scan(checkpoint(plain_step), h, x, k));
};
constexpr auto saved_loss = [](auto const& h, auto const& x, auto const& k) { return sum(square(saved(h, x, k))); };
constexpr auto recomputed_loss = [](auto const& h, auto const& x, auto const& k) { return sum(square(recomputed(h, x, k))); };
constexpr auto twice_the_slope = custom_vjp([](auto const& x) { return sin(x); }, [](auto const& x, auto const& t) { return 2.0 * t * cos(x); });
constexpr auto custom = [](auto const& x) { return sum(map([](auto const& e) { return twice_the_slope(e); }, x)); };
constexpr auto noisy = [](auto const& k, auto const& x) {
  constexpr auto step = [](auto const& s, auto const& e) {
    auto const keys = random::split<2>(s.first);
    return std::tuple{std::pair{keys[0], s.second + e * random::normal<double, 3>(keys[1])}, std::tuple<>{}};
  };
  return std::get<0>(scan(step, std::pair{k, zeros<double, 3>()}, x)).second;
};
constexpr auto newton = [](auto const& start, auto const& targets) {
  constexpr auto step = [](auto const& x, auto const& t) {
    constexpr auto f = [](auto const& y, auto const& z) { return square(y) - z; };
    return std::tuple{x - f(x, t) / grad(f)(x, t), x};
  };
  return std::get<0>(scan(step, start, targets));
};
constexpr auto batched_step = [](auto const& s, auto const& x) { return std::tuple{vmap([](auto const& p, auto const& q) { return p * q + 1.0; })(s, x), sum(s)}; };
}  // namespace
TEST_CASE("inside saved_loss body: checkpoint, custom rules, random numbers, grad, vmap") {
  check_same(grad<0, 1, 2>(saved_loss)(h0, xs, w), grad<0, 1, 2>(recomputed_loss)(h0, xs, w));

  CHECK(allclose(grad(custom)(xs), 2.0 * cos(xs)));

  auto k = key{5};
  tensor<double, 3> total = zeros<double, 3>();
  for (int t = 0; t < steps; ++t) {
    auto const keys = random::split<2>(k);
    total = total + row(xs, t) * random::normal<double, 3>(keys[1]);
    k = keys[0];
  }
  CHECK(allclose(compile(noisy)(key{5}, xs), total));
  auto const direction = spread<tensor<double, steps, 3>>(-1, 1);
  CHECK(allclose(std::get<1>(jvp([](auto const& a, auto const& b) { return noisy(a, b); }, std::tuple{key{5}, xs}, std::tuple{key{0}, direction})), compile(noisy)(key{5}, direction)));
  CHECK(std::abs(newton(1.0, full<double, 8>(2.0)) - std::sqrt(2.0)) < 1e-14);
  CHECK(std::abs(grad<0>([](auto const& t) { return newton(t * 0.0 + 1.0, t * ones<double, 12>()); })(2.0) - 0.5 / std::sqrt(2.0)) < 1e-12);
  auto [s, sums] = scan(batched_step, ones<double, 3>() * 0.5, xs);
  tensor<double, 3> by_hand = full<double, 3>(0.5);
  for (int t = 0; t < steps; ++t) {
    CHECK(sums(t) == doctest::Approx(static_cast<double>(eval(sum(by_hand)))));
    by_hand = by_hand * row(xs, t) + 1.0;
  }
  CHECK(allclose(s, by_hand));
}
TEST_CASE("stacked layers: a tower that compiles like one layer") {
  std::array<layer<float>, 48> layers;
  for (std::size_t i = 0; i < layers.size(); ++i) layers[i] = {random::normal<float, 4, 4>(key{i}) * 0.5f, random::normal<float, 4>(key{100 + i}) * 0.1f};
  auto const all = stack_trees(layers);
  auto const x = random::normal<float, 8, 4>(key{7});
  tensor<float, 8, 4> y = x;
  for (auto const& l : layers) y = tanh(matmul(y, l.weight) + l.bias);
  CHECK(std::abs(compile(tower)(all, x) - static_cast<float>(eval(sum(square(y))))) < 1e-5f);

  constexpr auto step = compile(grad(tower));
  using stack_type = stacked<layer<float>, 48>;
  constexpr auto& plan = step.plan<stack_type, tensor<float, 8, 4>>;
  static_assert(control_count(plan) == 2);
  static_assert(contraction_count(plan) == 3);
  auto const g = step(all, x);
  // One weight of one layer, numerically.
  auto up = all, down = all;
  std::get<0>(up.leaves)(17, 2, 1) += 1e-2f;
  std::get<0>(down.leaves)(17, 2, 1) -= 1e-2f;
  float const numeric = (compile(tower)(up, x) - compile(tower)(down, x)) / 2e-2f;
  CHECK(std::get<0>(g.leaves)(17, 2, 1) == doctest::Approx(numeric).epsilon(2e-2));
}
TEST_CASE("the weight gradient of a recurrence is one product, and nothing is allocated") {
  constexpr auto simple = [](auto const& k, auto const& h, auto const& x) {
    auto [last, ys] = scan([](auto const& s, auto const& e, auto const& m) {
      auto next = tanh(matmul(s, m) + e);
      return std::tuple{next, next};
    }, h, x, k);
    return sum(last) + sum(ys);
  };
  constexpr auto step = compile(grad(simple));
  using W = tensor<double, 64, 64>;
  using H = tensor<double, 64>;
  using X = tensor<double, 50, 64>;
  constexpr auto& plan = step.plan<W, H, X>;
  static_assert(contraction_count(plan) == 3);  // forward and backward in the loops, the gradient after them
  static_assert(contraction_flops(plan) == 2 * 50 * 64 * 64 * 3);
  auto const k = eval(random::normal<double, 64, 64>(key{1}) * 0.1);
  auto const h = random::normal<double, 64>(key{2});
  auto const x = random::normal<double, 50, 64>(key{3});
  reserve_workspace(step.workspace_bytes<W, H, X>);
  W g = step(k, h, x);
  auto const before = test::allocation_count();
  g = step(k, h, x);
  CHECK(test::allocation_count() - before <= 1);  // the result itself
  auto up = k, down = k;
  up(3, 5) += 1e-6;
  down(3, 5) -= 1e-6;
  CHECK(g(3, 5) == doctest::Approx((compile(simple)(up, h, x) - compile(simple)(down, h, x)) / 2e-6).epsilon(1e-6));
}
namespace {
constexpr auto map_body = [](auto const& x, auto const& k) { return std::tuple{matmul(x, k), sum(x)}; };
constexpr auto map_loss = [](auto const& x, auto const& k) { return loss_of(map(map_body, x, k)); };
constexpr auto vmap_loss = [](auto const& x, auto const& k) { return loss_of(vmap<mapped, whole>(map_body)(x, k)); };
}  // namespace
namespace {
constexpr auto through_many = [](auto const& x, auto const& k) { return sum(matmul(exp(outer(x, x)), k)); };
constexpr auto mapped_many = [](auto const& x, auto const& k) { return map(through_many, x, k); };
}  // namespace
TEST_CASE("map needs the scratch memory of one entry") {
  using X = tensor<double, 32, 16>;
  using K = tensor<double, 16, 16>;
  static_assert(compile(mapped_many).workspace_bytes<X, K> * 16 < compile(vmap<mapped, whole>(through_many)).workspace_bytes<X, K>);
}
TEST_CASE("map is vmap, one entry at a time") {
  check_same(map(map_body, xs, w), vmap<mapped, whole>(map_body)(xs, w), 1e-14);
  check_same(grad<0, 1>(map_loss)(xs, w), grad<0, 1>(vmap_loss)(xs, w));
}
