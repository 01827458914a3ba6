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
