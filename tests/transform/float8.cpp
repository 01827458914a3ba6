// heavy: many compiled derivatives
// Derivatives of programs that store in 8 bits on the way, vmap, and structs of 8-bit floats.
#include <dimity/debug.hpp>
#include <dimity/dimity.hpp>

#include <doctest/doctest.h>

#include <cmath>

using namespace dimity;

namespace {

template <class T>
struct layer {
  tensor<T, 12, 8> weight;
  tensor<T, 8> bias;
};
constexpr auto in_eight_bits = [](auto const& x, float largest) { return cast<float8_e4m3fn>(clip(x / (largest / 448.0f), -448.0f, 448.0f)); };
constexpr auto loss = [](auto const& model, auto const& x, auto const& y) {
  auto const product = cast<float>(matmul(in_eight_bits(x, 4.0f), in_eight_bits(model.weight, 2.0f))) * (4.0f * 2.0f / (448.0f * 448.0f));
  return mean(square(tanh(product + model.bias) - y));
};
constexpr auto loss_of_floats = [](auto const& model, auto const& x, auto const& y) { return mean(square(tanh(matmul(x, model.weight) + model.bias) - y)); };

}  // namespace

TEST_CASE("gradients of a layer that multiplies 8-bit floats are floats, and near those of floats") {
  layer<float> const model{random::normal<float, 12, 8>(key{1}) * 0.3f, random::normal<float, 8>(key{2})};
  tensor<float, 16, 12> const x = random::normal<float, 16, 12>(key{3});
  tensor<float, 16, 8> const y = random::normal<float, 16, 8>(key{4});
  auto const [value, gradient] = value_and_grad(loss)(model, x, y);
  auto const [exact, wanted] = value_and_grad(loss_of_floats)(model, x, y);
  static_assert(std::is_same_v<std::remove_cvref_t<decltype(gradient)>, layer<float>>);
  CHECK(std::fabs(static_cast<float>(value) - static_cast<float>(exact)) < 0.02f * static_cast<float>(exact));
  auto const distance = [](auto const& a, auto const& b) { return std::sqrt(static_cast<float>(sum(square(a - b)) / sum(square(b)))); };
  CHECK(distance(gradient.weight, wanted.weight) < 0.1f);
  CHECK(distance(gradient.bias, wanted.bias) < 0.05f);
  // Nothing on the way back is rounded to 8 bits: hardly an element is such a number.
  int short_ones = 0;
  for (float const g : gradient.weight) short_ones += static_cast<float>(float8_e4m3fn(g)) == g;
  CHECK(short_ones < 10);
}
TEST_CASE("tangents of such a layer are floats too") {
  layer<float> const model{random::normal<float, 12, 8>(key{1}) * 0.3f, random::normal<float, 8>(key{2})};
  layer<float> const direction{random::normal<float, 12, 8>(key{6}) * 1e-5f, random::normal<float, 8>(key{7}) * 1e-5f};
  tensor<float, 16, 12> const x = random::normal<float, 16, 12>(key{3});
  tensor<float, 16, 8> const y = random::normal<float, 16, 8>(key{4});
  auto const [value, gradient] = value_and_grad(loss)(model, x, y);
  auto const of_model = [](auto const& m, auto const& a, auto const& b) { return loss(m, a, b); };
  tensor<float, 16, 12> const no_x = zeros<float, 16, 12>();
  tensor<float, 16, 8> const no_y = zeros<float, 16, 8>();
  auto const [again, tangent] = jvp(of_model, std::tuple{model, x, y}, std::tuple{direction, no_x, no_y});
  float const wanted = static_cast<float>(sum(gradient.weight * direction.weight) + sum(gradient.bias * direction.bias));
  CHECK(std::fabs(wanted) > 1e-7f);
  CHECK(std::fabs(static_cast<float>(tangent) - wanted) < 1e-4f * std::fabs(wanted));
}
TEST_CASE("derivatives on the way through what moves elements are not rounded to 8 bits") {
  tensor<float, 4, 8> const w = random::normal<float, 4, 8>(key{1});
  tensor<float, 5, 8> const x = random::normal<float, 5, 8>(key{2});
  // Each element's derivative is smaller than what 8 bits hold.
  auto const all_are = [&](float wanted, auto const& f) {
    using moves = std::remove_cvref_t<decltype(f)>;
    auto const g = eval(grad([](auto const& v) { return 1e-4f * sum(cast<float>(moves{}(cast<float8_e4m3fn>(v)))); })(x));
    int wrong = 0;
    for (std::size_t i = 0; i < g.size(); ++i) wrong += g.data()[i] != 0 && std::fabs(g.data()[i] - wanted) > 1e-6f * wanted;
    CHECK(wrong == 0);
    CHECK(std::fabs(static_cast<float>(sum(g))) > 0);
  };
  all_are(1e-4f, [](auto const& v) { return transpose(v); });
  all_are(1e-4f, [](auto const& v) { return slice<0, 0, 2>(v); });
  all_are(2e-4f, [](auto const& v) { return concat<1>(v, v); });
  all_are(1e-4f, [](auto const& v) { return reshape<40>(v); });
  all_are(1e-4f, [](auto const& v) { return take(v, arange<std::int64_t, 3>(), axis<0>); });
  auto const at = tensor<int>(1);
  auto const moved = [](auto const& v, auto const& i) { return 1e-4f * sum(cast<float>(dynamic_slice<0, 2>(cast<float8_e4m3fn>(v), i))); };
  CHECK(allclose(sum(grad(moved)(x, at)), tensor<float>(16e-4f), 1e-5));
  auto const updated = [](auto const& v, auto const& b, auto const& i) { return 1e-4f * sum(cast<float>(dynamic_update_slice<0>(cast<float8_e4m3fn>(v), cast<float8_e4m3fn>(b), i))); };
  tensor<float, 2, 8> const b = random::normal<float, 2, 8>(key{3});
  CHECK(allclose(sum(grad<0>(updated)(x, b, at)), tensor<float>(24e-4f), 1e-5));
  CHECK(allclose(sum(grad<1>(updated)(x, b, at)), tensor<float>(16e-4f), 1e-5));
  // The documentation's layer, in both modes and one after the other.
  constexpr auto scaled = [](auto const& v, auto const& u) {
    auto const of_u = max(abs(u), axis<1>, keep_dims) / 448.0f;
    auto const of_v = max(abs(v)) / 448.0f;
    return mean(square(relu(matmul(cast<float8_e4m3fn>(u / of_u), transpose(cast<float8_e4m3fn>(v / of_v))) * of_u * of_v)));
  };
  constexpr auto plain = [](auto const& v, auto const& u) { return mean(square(relu(matmul(u, transpose(v))))); };
  tensor<float, 4, 8> const dw = random::normal<float, 4, 8>(key{7}) * 1e-6f;
  tensor<float, 5, 8> const dx = zeros<float, 5, 8>();
  float const exact = std::get<1>(jvp(plain, std::tuple{w, x}, std::tuple{dw, dx})), got = std::get<1>(jvp(scaled, std::tuple{w, x}, std::tuple{dw, dx}));
  CHECK(std::fabs(got - exact) < 0.1f * std::fabs(exact));
  auto const near = [](auto const& a, auto const& c) { return static_cast<float>(sum(square(a - c))) < 0.02f * static_cast<float>(sum(square(c))); };
  CHECK(near(eval(grad<0>(scaled)(w, x)), eval(grad<0>(plain)(w, x))));
  CHECK(near(eval(hvp(scaled)(w, dw, x)), eval(hvp(plain)(w, dw, x))));
}
TEST_CASE("parameters, states and operands of branches in 8 bits") {
  using f8 = float8_e4m3fn;
  tensor<float, 8, 8> const w = random::normal<float, 8, 8>(key{1});
  tensor<float, 3, 8> const x = random::normal<float, 3, 8>(key{2});
  tensor<f8, 8, 8> const w8 = cast<f8>(w);
  tensor<f8, 3, 8> const x8 = cast<f8>(x), u8 = ones<f8, 3, 8>();
  // A gradient in 8 bits is that of float, rounded once.
  auto const squared = [](auto const& v, auto const& u) { return mean(square(cast<float>(matmul(u, v)))); };
  tensor<f8, 8, 8> const g = grad(squared)(w8, x8);
  tensor<float, 8, 8> const wide = grad(squared)(eval(cast<float>(w8)), eval(cast<float>(x8)));
  for (std::size_t i = 0; i < g.size(); ++i) CHECK(std::fabs(static_cast<float>(g.data()[i]) - wide.data()[i]) <= 0.07f * std::fabs(wide.data()[i]) + 0x1p-10f);
  auto const [y, pulled] = vjp([](auto const& u, auto const& v) { return matmul(u, v); }, std::tuple{x8, w8}, u8);
  tensor<float, 3, 8> const of_x = matmul(cast<float>(u8), transpose(cast<float>(w8)));
  for (std::size_t i = 0; i < of_x.size(); ++i) CHECK(std::get<0>(pulled).data()[i].bits == f8(of_x.data()[i]).bits);

  static constexpr auto body = [](auto const&, auto const& s, auto const& v) { return cast<f8>(tanh(matmul(s, v))); };
  auto const looped = [](auto const& u, auto const& v) { return sum(cast<float>(fori_loop(0, 4, body, cast<f8>(u), cast<f8>(v)))); };
  auto const unrolled = [](auto const& u, auto const& v) {
    auto const eight = cast<f8>(v);
    return sum(cast<float>(body(0, body(0, body(0, body(0, cast<f8>(u), eight), eight), eight), eight)));
  };
  auto const near = [](auto const& a, auto const& c, float share) { return std::sqrt(static_cast<float>(sum(square(a - c)))) < share * std::sqrt(static_cast<float>(sum(square(c)))); };
  CHECK(near(eval(grad<0>(looped)(x, w)), eval(grad<0>(unrolled)(x, w)), 0.15f));
  CHECK(near(eval(grad<1>(looped)(x, w)), eval(grad<1>(unrolled)(x, w)), 0.15f));
  auto const chosen = [](auto const& u, auto const& v, auto const& c) {
    return sum(cond(c, [](auto const& s, auto const& t) { return cast<float>(matmul(s, t)); }, [](auto const& s, auto const& t) { return cast<float>(s) + sum(cast<float>(t)); }, cast<f8>(u), cast<f8>(v)));
  };
  CHECK(near(eval(grad<0>(chosen)(x, w, tensor<bool>(true))), eval(grad<0>([](auto const& u, auto const& v) { return sum(cast<float>(matmul(cast<f8>(u), cast<f8>(v)))); })(x, w)), 0.05f));
  static constexpr auto step = [](auto const& s, auto const& e) {
    auto const out = cast<f8>(s * 0.5f + e);
    return std::pair{cast<float>(out), out};
  };
  auto const scanned = [](auto const& u, auto const& v) { return sum(cast<float>(matmul(std::get<1>(scan(step, zeros<float, 8>(), u)), cast<f8>(v)))); };
  auto const by_hand = [](auto const& u, auto const& v) {
    auto const s0 = step(zeros<float, 8>(), row(u, 0));
    auto const s1 = step(s0.first, row(u, 1));
    auto const s2 = step(s1.first, row(u, 2));
    return sum(cast<float>(matmul(stack<0>(s0.second, s1.second, s2.second), cast<f8>(v))));
  };
  CHECK(near(eval(grad<0>(scanned)(x, w)), eval(grad<0>(by_hand)(x, w)), 0.15f));
}
TEST_CASE("gradients and tangents that are stored in 8 bits are rounded there") {
  tensor<float8_e5m2, 3> const x{0.5, 1, 3};
  auto const cube = [](auto const& v) { return sum(v * v * v); };
  tensor<float8_e5m2, 3> const g = grad(cube)(x);
  for (std::size_t i = 0; i < 3; ++i) CHECK(g.data()[i].bits == float8_e5m2(3 * static_cast<float>(x.data()[i]) * static_cast<float>(x.data()[i])).bits);
  auto const [y, t] = jvp([](auto const& v) { return v * v; }, std::tuple{x}, std::tuple{x});
  for (std::size_t i = 0; i < 3; ++i) CHECK(t.data()[i].bits == float8_e5m2(2 * static_cast<float>(x.data()[i]) * static_cast<float>(x.data()[i])).bits);
}
TEST_CASE("batched, cast as a struct, looked at") {
  tensor<float8_e4m3fn, 5, 7> const x = cast<float8_e4m3fn>(random::normal<float, 5, 7>(key{5}));
  tensor<float, 5> const sums = vmap([](auto const& row) { return cast<float>(sum(row * row)); })(x);
  CHECK(allclose(sums, sum(square(cast<float>(x)), axis<1>), 1e-6, 1e-6));
  layer<float8_e4m3fn> const parameters{cast<float8_e4m3fn>(random::normal<float, 12, 8>(key{1})), cast<float8_e4m3fn>(random::normal<float, 8>(key{2}))};
  layer<float> const wide = cast<float>(parameters);
  CHECK(allclose(wide.weight, cast<float>(parameters.weight), 0, 0));
  CHECK_THROWS_AS((void)debug::check_finite(tensor<float8_e4m3fn, 3>{1, 500, 2}, "h"), finite_error);
  CHECK_THROWS_AS((void)debug::check_finite(tensor<float8_e5m2, 3>{1, 70000, 2}, "h"), finite_error);
}
