// Derivatives, transforms and training with 16-bit floats.
#include "../expr/storage_floats.hpp"

#include <dimity/debug.hpp>
#include <dimity/plan/facts.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <tuple>
#include <type_traits>

using namespace dimity;
using dimity_tests::numbers;

namespace {

/// The largest difference, in units of the last place of T at the largest element of y.
template <class T, class X, class Y>
double units_apart(X const& x, Y const& y) {
  double worst = 0, largest = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    worst = std::fmax(worst, std::fabs(static_cast<double>(static_cast<float>(x.data()[i])) - static_cast<double>(static_cast<float>(y.data()[i]))));
    largest = std::fmax(largest, std::fabs(static_cast<double>(static_cast<float>(y.data()[i]))));
  }
  return worst / (largest * static_cast<double>(static_cast<float>(std::numeric_limits<T>::epsilon())));
}

constexpr auto chain = [](auto const& x, auto const& w) { return sum(tanh(matmul(x, w)) * 0.5f + square(sum(x, axis<1>, keep_dims))); };
constexpr auto softmax_rows = [](auto const& x) { return softmax(x * 2, axis<-1>); };

template <class T>
struct network {
  nn::linear<T, 12, 16> hidden;
  nn::layer_norm<T, 16> norm;
  nn::linear<T, 16, 3> output;
  constexpr auto operator()(auto const& x) const { return output(relu(norm(hidden(x)))); }
};
constexpr auto loss = [](auto const& model, auto const& x, auto const& labels) { return mean(nn::cross_entropy(model(x), labels)); };
constexpr auto mixed_loss = [](auto const& model, auto const& x, auto const& labels) {
  auto const sixteen = cast<bfloat16>(model);
  return mean(nn::cross_entropy(cast<float>(sixteen(cast<bfloat16>(x))), labels));
};
template <class T>
constexpr auto converted_outside = [](auto const& m, auto const& inputs) {
  auto const sixteen = cast<T>(m);
  auto const [last, states] = scan([](auto const& state, auto const& input, auto const& u) { return std::tuple{state + cast<float>(sum(matmul(input, u))), state}; }, zeros_like(sum(m)), inputs, sixteen);
  return last;
};
template <class T>
constexpr auto converted_inside = [](auto const& m, auto const& inputs) {
  auto const [last, states] = scan([](auto const& state, auto const& input, auto const& u) { return std::tuple{state + cast<float>(sum(matmul(input, cast<T>(u)))), state}; }, zeros_like(sum(m)), inputs, m);
  return last;
};
template <auto Loss>
constexpr auto step = compile([](auto const& model, auto const& optimizer, auto const& x, auto const& labels) {
  auto [l, gradients] = value_and_grad(Loss)(model, x, labels);
  auto [next, state] = optim::update(optimizer, model, gradients);
  return std::tuple{next, state, l};
});
/// The loss before and after 80 steps on numbers whose class is the largest of their first three.
template <auto Loss, class T>
std::pair<float, float> train() {
  auto model = nn::init<network<T>>(key{1});
  auto optimizer = optim::adam(model, {.learning_rate = 0.01});
  auto const x = numbers<T, 64, 12>(3);
  tensor<std::int64_t, 64> const labels = argmax(slice<1, 0, 3>(x), axis<1>);
  float first = 0, last = 0;
  for (int i = 0; i < 80; ++i) {
    auto next = step<Loss>(model, optimizer, x, labels);
    model = std::get<0>(next);
    optimizer = std::get<1>(next);
    last = static_cast<float>(std::get<2>(next)());
    if (i == 0) first = last;
  }
  return {first, last};
}

}  // namespace

TEST_CASE_TEMPLATE("gradients are those of float, to the precision that they are stored in", T, float16, bfloat16) {
  auto const x = numbers<T, 6, 10>(1);
  auto const w = numbers<T, 10, 7>(2);
  tensor<float, 6, 10> const wx = cast<float>(x);
  tensor<float, 10, 7> const ww = cast<float>(w);
  auto const [dx, dw] = grad<0, 1>(chain)(x, w);
  auto const [fx, fw] = grad<0, 1>(chain)(wx, ww);
  static_assert(std::is_same_v<typename std::remove_cvref_t<decltype(dx)>::value_type, T>);
  CHECK(units_apart<T>(dx, fx) < 2);
  CHECK(units_apart<T>(dw, fw) < 2);
  auto const [y, dy] = jvp(chain, std::tuple{x, w}, std::tuple{x, w});
  auto const [fy, fdy] = jvp(chain, std::tuple{wx, ww}, std::tuple{wx, ww});
  CHECK(units_apart<T>(y, fy) < 1);
  CHECK(units_apart<T>(dy, fdy) < 2);
  auto const [value, pulled] = vjp(softmax_rows, std::tuple{x}, x);
  auto const [float_value, float_pulled] = vjp(softmax_rows, std::tuple{wx}, wx);
  CHECK(units_apart<T>(value, float_value) < 1);
  CHECK(units_apart<T>(std::get<0>(pulled), std::get<0>(float_pulled)) < 2);
}
TEST_CASE_TEMPLATE("batched, repeated and branched", T, float16, bfloat16) {
  auto const x = numbers<T, 5, 8>(4);
  tensor<T, 5, 8> const each = vmap([](auto const& row) { return softmax(row * 2, axis<-1>); })(x), all = softmax_rows(x);
  for (std::size_t i = 0; i < x.size(); ++i) CHECK(each.data()[i].bits == all.data()[i].bits);
  auto const w = numbers<T, 8, 8>(5);
  tensor<T, 5, 8> const products = vmap<mapped, whole>([](auto const& row, auto const& m) { return matmul(row, m); })(x, w), one = matmul(x, w);
  for (std::size_t i = 0; i < x.size(); ++i) CHECK(products.data()[i].bits == one.data()[i].bits);
  // A state is stored, and so rounded, in each round.
  auto const [last, states] = compile([](auto const& start, auto const& inputs) {
    return scan([](auto const& state, auto const& input) {
      auto const next = state * 0.9 + input;
      return std::tuple{next, next};
    }, start, inputs);
  })(tensor<T, 8>(zeros<T, 8>()), x);
  tensor<T, 8> state = zeros<T, 8>();
  for (extent_t i = 0; i < 5; ++i)
    for (extent_t j = 0; j < 8; ++j) {
      state(j) = T(static_cast<float>(state(j)) * 0.9f + static_cast<float>(x(i, j)));
      CHECK(std::fabs(static_cast<float>(states(i, j)) - static_cast<float>(state(j))) <= std::fabs(static_cast<float>(state(j))) * static_cast<float>(std::numeric_limits<T>::epsilon()));
    }
  CHECK(last(3).bits == states(4, 3).bits);
  tensor<T, 5, 8> const chosen = compile([](auto const& flag, auto const& v) {
    return cond(flag, [](auto const& u) { return u * 2; }, [](auto const& u) { return -u; }, v);
  })(tensor<bool>(true), x);
  CHECK(static_cast<float>(chosen(2, 2)) == 2 * static_cast<float>(x(2, 2)));
}
TEST_CASE_TEMPLATE("what a loop's iterations add to a gradient is added in float", T, float16, bfloat16) {
  tensor<float, 4, 4> const w = ones<float, 4, 4>();
  tensor<T, 1000, 1, 4> const x = ones<T, 1000, 1, 4>();
  tensor<float, 4, 4> const a = grad(converted_outside<T>)(w, x), b = grad(converted_inside<T>)(w, x);
  CHECK(allclose(a, full<float, 4, 4>(1000.0f), 1e-6, 0.0));
  CHECK(allclose(b, full<float, 4, 4>(1000.0f), 1e-6, 0.0));
}
TEST_CASE_TEMPLATE("attention sums in float", T, float16, bfloat16) {
  auto const q = numbers<T, 2, 24, 8>(6), k = numbers<T, 2, 24, 8>(7), v = numbers<T, 2, 24, 8>(8);
  constexpr attention_options options{.causal = true, .block_queries = 8, .block_keys = 8};
  tensor<T, 2, 24, 8> const y = scaled_dot_product_attention<options>(q, k, v);
  tensor<float, 2, 24, 8> const f = scaled_dot_product_attention<options>(cast<float>(q), cast<float>(k), cast<float>(v));
  for (std::size_t i = 0; i < y.size(); ++i) CHECK(y.data()[i].bits == T(f.data()[i]).bits);
}
TEST_CASE("a whole struct converted") {
  auto const model = nn::init<network<float>>(key{2});
  network<bfloat16> const sixteen = cast<bfloat16>(model);
  for (std::size_t i = 0; i < sixteen.hidden.weight.size(); ++i) CHECK(sixteen.hidden.weight.data()[i].bits == bfloat16(model.hidden.weight.data()[i]).bits);
  network<float> const back = cast<float>(sixteen);
  CHECK(back.norm.weight(3) == 1.0f);
  auto const pair = cast<double>(std::tuple{tensor<float, 2>{1, 2}, tensor<std::int32_t, 2>{3, 4}});
  static_assert(std::is_same_v<std::remove_cvref_t<decltype(pair)>, std::tuple<tensor<double, 2>, tensor<std::int32_t, 2>>>);
  CHECK(std::get<0>(pair)(1) == 2.0);
  // The gradient is of the parameters as they are kept.
  auto const x = numbers<float, 4, 12>(9);
  tensor<std::int64_t, 4> const labels{0, 1, 2, 0};
  auto const gradients = grad(mixed_loss)(model, x, labels);
  auto const exact = grad(loss)(model, x, labels);
  static_assert(std::is_same_v<std::remove_cvref_t<decltype(gradients)>, network<float>>);
  CHECK(units_apart<bfloat16>(gradients.output.weight, exact.output.weight) < 4);
}
TEST_CASE("what is shown and checked is what is stored") {
  CHECK_THROWS_AS((void)debug::check_finite(tensor<float16, 3>{1, 70000, 2}, "h"), finite_error);
  constexpr auto squared = [](auto const& x) { return debug::check_finite(x * x, "square"); };
  CHECK_THROWS_AS((void)compile(squared)(tensor<float16, 2>{1, 300}), finite_error);
  CHECK(static_cast<float>(compile(squared)(tensor<bfloat16, 2>{1, 300})(1)) == 90112.0f);
}
TEST_CASE("training") {
  auto const close = [](std::pair<float, float> const& losses) {
    CHECK(losses.first > 0.9f);
    CHECK(losses.second < 0.25f);
  };
  close(train<loss, float>());
  close(train<loss, float16>());
  close(train<loss, bfloat16>());
  close(train<mixed_loss, float>());
}
TEST_CASE("one kernel: 16-bit floats are converted where they are loaded and stored") {
  using matrix = tensor<bfloat16, 32, 64>;
  constexpr auto& chained = compile([](auto const& x, auto const& b) { return relu(x * b + 1) * 0.5f; }).template plan<matrix, tensor<bfloat16, 64>>;
  static_assert(step_count(chained) == 1 && kernel_count(chained) == 1);
}
