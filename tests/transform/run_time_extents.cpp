// Traced functions on tensors whose extents are chosen at run time: one program, differentiated, mapped and looped, for every extent.
// heavy: many compiled derivatives
#include <dimity/plan/facts.hpp>

#include "../support/allocations.hpp"
#include "../support/run_time_extents.hpp"

using namespace dimity;

namespace {

using test::as;
using test::batch;

void check_same(auto const& known, auto const& chosen) { test::check_same(known, chosen, 1e-9); }
constexpr auto steps = dim<"time">;

template <class X>
void fill(X& x, int seed) {
  for (std::size_t i = 0; i < x.size(); ++i) x.data()[i] = static_cast<typename X::value_type>(static_cast<double>((static_cast<int>(i) * 37 + seed * 11) % 23 - 11) / 16);
}
template <extent_t... E>
tensor<double, E...> made(int seed) {
  tensor<double, E...> x;
  fill(x, seed);
  return x;
}
template <class T>
struct network {
  tensor<T, 6, 5> first;
  tensor<T, 5> bias;
  tensor<T, 5, 3> second;
};

constexpr auto loss = [](auto const& m, auto const& x, auto const& labels) {
  return mean(nn::cross_entropy(matmul(tanh(matmul(x, m.first) + m.bias), m.second), labels));
};
constexpr auto loss_and_gradient = compile([](auto const& m, auto const& x, auto const& labels) { return value_and_grad<0, 1>(loss)(m, x, labels); });

template <extent_t N>
void check_loss() {
  network<double> const m{made<6, 5>(1), made<5>(2), made<5, 3>(3)};
  auto const x = made<N, 6>(4);
  tensor<std::int32_t, N> labels;
  for (int i = 0; i < N; ++i) labels(i) = i % 3;
  auto const [want, want_gradients] = loss_and_gradient(m, x, labels);
  auto const [value, gradients] = loss_and_gradient(m, as<batch, 6>(x), as<batch>(labels));
  CHECK(double(value) == doctest::Approx(double(want)));
  auto const& [known_model, known_x] = want_gradients;
  auto const& [chosen_model, chosen_x] = gradients;
  check_same(known_model.first, chosen_model.first);
  check_same(known_model.bias, chosen_model.bias);
  check_same(known_model.second, chosen_model.second);
  check_same(known_x, chosen_x);
}

}  // namespace

TEST_CASE("run-time extents: a loss and its gradients") {
  check_loss<1>();
  check_loss<7>();
  check_loss<64>();
  check_loss<301>();
}

TEST_CASE("run-time extents: the plan is that of a known extent") {
  constexpr auto known = loss_and_gradient.plan<network<double>, tensor<double, 64, 6>, tensor<std::int32_t, 64>>;
  constexpr auto chosen = loss_and_gradient.plan<network<double>, tensor<double, batch, 6>, tensor<std::int32_t, batch>>;
  static_assert(step_count(known) == step_count(chosen) && kernel_count(known) == kernel_count(chosen) && epilogue_count(known) == epilogue_count(chosen));
  static_assert(bytes_read(known) == bytes_read(chosen, 64) && bytes_written(known) == bytes_written(chosen, 64) && passes(known) == passes(chosen, 64));
  // Workspace: a linear function of the extent, up to alignment.
  constexpr auto bytes = [](int n) { return loss_and_gradient.workspace_bytes_for<network<double>, tensor<double, batch, 6>, tensor<std::int32_t, batch>>(n); };
  static_assert(bytes(1000) - bytes(0) <= 1000 * (bytes(2000) - bytes(1000)) / 1000 + 512);
  static_assert(bytes(4000) - bytes(2000) <= 2 * (bytes(2000) - bytes(1000)) + 512 && bytes(4000) - bytes(2000) + 512 >= 2 * (bytes(2000) - bytes(1000)));
  constexpr std::size_t fixed = loss_and_gradient.workspace_bytes<network<double>, tensor<double, 1000, 6>, tensor<std::int32_t, 1000>>;
  static_assert(bytes(1000) < fixed + fixed / 3 + 32768, "beside it only the panel of a product whose extents are not known, and buffers are placed by time of birth only");
}

TEST_CASE("run-time extents: no allocation once the workspace is there") {
  network<double> const m{made<6, 5>(1), made<5>(2), made<5, 3>(3)};
  constexpr auto value = compile(loss);
  tensor<double, batch, 6> x(50);
  fill(x, 3);
  tensor<std::int32_t, batch> labels(50);
  double sum = double(value(m, x, labels));
  auto const before = test::allocation_count();
  for (int i = 0; i < 3; ++i) sum += double(value(m, x, labels));
  CHECK(test::allocation_count() == before);
  CHECK(std::isfinite(sum));
}

TEST_CASE("run-time extents: jvp, vjp, hvp") {
  constexpr auto f = [](auto const& x) { return exp(x) * sum(x, axis<0>, keep_dims) + mean(square(x)); };
  auto const x = made<7, 6>(1), dx = made<7, 6>(2);
  auto const [y, dy] = jvp(f, std::tuple{x}, std::tuple{dx});
  auto const [yr, dyr] = jvp(f, std::tuple{as<batch, 6>(x)}, std::tuple{as<batch, 6>(dx)});
  check_same(y, yr);
  check_same(dy, dyr);
  auto const [yd, dyd] = jvp(f, std::tuple{as<dyn, dyn>(x)}, std::tuple{as<dyn, dyn>(dx)});
  check_same(dy, dyd);
  auto const [z, back] = vjp(f, std::tuple{x}, dx);
  auto const [zr, backr] = vjp(f, std::tuple{as<batch, 6>(x)}, as<batch, 6>(dx));
  check_same(std::get<0>(back), std::get<0>(backr));
  constexpr auto scalar_f = [](auto const& x) { return sum(exp(x) * x) + prod(mean(x, axis<0>)); };
  check_same(hvp(scalar_f)(x, dx), hvp(scalar_f)(as<batch, 6>(x), as<batch, 6>(dx)));
  CHECK_THROWS_AS((void)jvp(f, std::tuple{as<batch, 6>(x)}, std::tuple{as<dyn, 6>(made<8, 6>(2))}), shape_error);
}

TEST_CASE("run-time extents: full derivatives") {
  constexpr auto f = [](auto const& x) { return sum(exp(x) * sum(x), axis<0>) * x; };
  auto const x = made<5>(3);
  check_same(jacfwd(f)(x), jacfwd(f)(as<batch>(x)));
  check_same(jacrev(f)(x), jacrev(f)(as<dyn>(x)));
  constexpr auto g = [](auto const& x) { return sum(square(x) * x) + square(sum(x)); };
  check_same(hessian(g)(x), hessian(g)(as<batch>(x)));
}

namespace {

constexpr auto layer = [](auto const& x, auto const& w) { return tanh(matmul(x, w)); };
constexpr auto energy = [](auto const& x, auto const& w) { return sum(square(matmul(x, w))); };
constexpr auto total_energy = [](auto const& x, auto const& w) { return sum(vmap<mapped, whole>(energy)(x, w)); };
constexpr auto scalar_product = [](auto const& p, auto const& q) { return sum(p * q); };
constexpr auto with_all = [](auto const& a, auto const& b) { return vmap<whole, mapped>(scalar_product)(a, b); };

}  // namespace

TEST_CASE("run-time extents: vmap") {
  auto const x = made<9, 6>(1);
  auto const w = made<6, 4>(2);
  check_same(vmap<mapped, whole>(layer)(x, w), vmap<mapped, whole>(layer)(as<batch, 6>(x), w));
  check_same(vmap<mapped, whole>(layer)(x, w), vmap<mapped, whole>(layer)(as<dyn, dyn>(x), w));
  check_same(vmap<mapped, whole>(grad(energy))(x, w), vmap<mapped, whole>(grad(energy))(as<batch, 6>(x), w));
  check_same(grad<1>(total_energy)(x, w), grad<1>(total_energy)(as<batch, 6>(x), w));
  check_same(vmap<mapped, whole>(with_all)(x, made<3, 6>(5)), vmap<mapped, whole>(with_all)(as<batch, 6>(x), as<dyn, 6>(made<3, 6>(5))));
  CHECK_THROWS_AS((void)vmap(energy)(as<dyn, 6>(x), as<dyn, 6, 4>(made<8, 6, 4>(1))), shape_error);
}

namespace {

constexpr auto recurrence = [](auto const& w, auto const& u, auto const& start, auto const& xs) {
  auto const [last, all] = scan([](auto const& h, auto const& x, auto const& w, auto const& u) {
    auto const next = tanh(matmul(w, h) + matmul(u, x));
    return std::tuple{next, next};
  }, start, xs, w, u);
  return sum(square(last)) + mean(all);
};

constexpr auto last_state = [](auto const& start, auto const& xs) {
  return std::get<0>(scan([](auto const& h, auto const& x) { return std::tuple{h * 0.5 + x, std::tuple<>{}}; }, start, xs));
};
constexpr auto last_norm = [](auto const& s, auto const& x) { return sum(square(last_state(s, x))); };
constexpr auto mapped_norm = [](auto const& start, auto const& xs) { return sum(vmap<mapped, axis<1>>(last_norm)(start, xs)); };
constexpr auto double_or_exp = [](auto const& c, auto const& x) { return cond(c, [](auto const& a) { return a * 2.0; }, [](auto const& a) { return exp(a); }, x); };
constexpr auto double_or_exp_norm = [](auto const& c, auto const& x) { return sum(square(double_or_exp(c, x))); };
constexpr auto thrice = [](auto const& x) { return fori_loop(0, 3, [](auto const&, auto const& a) { return a + sin(a); }, x); };
constexpr auto thrice_sum = [](auto const& x) { return sum(thrice(x)); };

template <extent_t N>
void check_recurrence() {
  auto const w = made<4, 4>(1);
  auto const u = made<4, 3>(2);
  auto const h = made<4>(3);
  auto const xs = made<N, 3>(4);
  constexpr auto f = value_and_grad<0, 1, 2, 3>(recurrence);
  auto const [want, known] = f(w, u, h, xs);
  auto const [value, chosen] = f(w, u, h, as<steps, 3>(xs));
  CHECK(double(value) == doctest::Approx(double(want)));
  check_same(std::get<0>(known), std::get<0>(chosen));
  check_same(std::get<1>(known), std::get<1>(chosen));
  check_same(std::get<2>(known), std::get<2>(chosen));
  check_same(std::get<3>(known), std::get<3>(chosen));
}

}  // namespace

TEST_CASE("run-time extents: a scan over a time that is chosen at run time, and its gradient") {
  check_recurrence<1>();
  check_recurrence<2>();
  check_recurrence<17>();
  constexpr auto last = compile(last_state);
  // No entries: the state as it was.
  check_same(made<3>(1), last(made<3>(1), tensor<double, steps, 3>(0)));
  // A batch of sequences: both extents chosen at run time.
  auto const xs = made<5, 7, 3>(2);
  auto const start = made<7, 3>(3);
  check_same(last(start, xs), last(as<batch, 3>(start), as<steps, batch, 3>(xs)));
  check_same(grad(mapped_norm)(start, xs), grad(mapped_norm)(as<batch, 3>(start), as<steps, batch, 3>(xs)));
}

TEST_CASE("run-time extents: branches and while loops") {
  constexpr auto f = compile(double_or_exp);
  auto const x = made<5, 2>(1);
  check_same(f(true, x), f(true, as<batch, 2>(x)));
  check_same(f(false, x), f(false, as<batch, 2>(x)));
  check_same(grad<1>(double_or_exp_norm)(tensor<bool>(false), x), grad<1>(double_or_exp_norm)(tensor<bool>(false), as<batch, 2>(x)));
  constexpr auto halve = [](auto const& x) {
    return while_loop([](auto const& a) { return max(abs(a)) > 0.1; }, [](auto const& a) { return a * 0.5; }, x);
  };
  check_same(halve(x), halve(as<batch, 2>(x)));
  check_same(grad(thrice_sum)(x), grad(thrice_sum)(as<batch, 2>(x)));
}

TEST_CASE("run-time extents: what a program makes itself has the extents of its arguments") {
  constexpr auto f = [](auto const& x) { return x + ones<double, batch, 2>() * 2.0 + zeros_like(x); };
  auto const x = made<5, 2>(1);
  check_same(eval(x + 2.0), compile(f)(as<batch, 2>(x)));
  constexpr auto dropped = [](auto const& k, auto const& x) { return where(random::bernoulli<batch, 2>(k, 0.5), x, 0.0); };
  auto const y = compile(dropped)(key{1}, as<batch, 2>(x));
  CHECK(y.extent(0) == 5);
  constexpr auto known = [](auto const& k, auto const& x) { return where(random::bernoulli<5, 2>(k, 0.5), x, 0.0); };
  check_same(compile(known)(key{1}, x), y);
}

TEST_CASE("run-time extents: a moved argument gives its memory where it is as large") {
  constexpr auto f = compile([](auto const& x) { return x * 2.0 + 1.0; });
  tensor<double, batch> x(1000);
  x = 3.0;
  double const* const memory = x.data();
  auto const y = f(std::move(x));
  CHECK(y.data() == memory);
  CHECK(y(999) == 7.0);
  constexpr auto twice = compile([](auto const& x) { return concat(x, x); });
  tensor<double, dyn> z(10);
  z = 2.0;
  auto const w = twice(std::move(z));
  CHECK(w.extent(0) == 20);
  CHECK(w(19) == 2.0);
}

TEST_CASE("run-time extents: names that differ do not meet, arguments that do not agree are refused") {
  constexpr auto f = compile([](auto const& x, auto const& y) { return sum(x * y); });
  tensor<double, batch> a(3), b(4);
  CHECK_THROWS_AS((void)f(a, b), shape_error);
  static_assert(!broadcastable<shape<batch, 2>, shape<steps, 2>>);
  static_assert(broadcastable<shape<batch, 2>, shape<1, 2>>);
  static_assert(broadcastable<shape<dyn, 2>, shape<steps, 2>>);
  static_assert(!broadcastable<shape<batch, 2>, shape<4, 2>>);
}
