// How the planner fuses: numbers of kernels and of passes over memory, as compile-time facts.
#include <dimity/dimity.hpp>
#include <dimity/plan/facts.hpp>
#include <doctest/doctest.h>

#include <array>
#include <cstdint>
#include <tuple>

using namespace dimity;

namespace {

constexpr auto gelu_chain = [](auto const& x) { return gelu(x * 2.0f + 1.0f) * 0.5f; };
constexpr auto softmax_rows = [](auto const& x) { return softmax(x, axis<-1>); };
constexpr auto layer_norm = [](auto const& x, auto const& gain, auto const& shift) {
  auto const centred = x - mean(x, axis<-1>, keep_dims);
  return centred * rsqrt(mean(square(centred), axis<-1>, keep_dims) + 1e-5f) * gain + shift;
};
constexpr auto log_sum_exp = [](auto const& x) { return logsumexp(x); };
constexpr auto gaussian = [](auto const& x, auto const& mu, auto const& sigma) { return sum(-0.5 * square((x - mu) / sigma) - log(sigma) - 0.918938533204672742); };
constexpr auto dense = [](auto const& x, auto const& w, auto const& b) { return relu(matmul(x, w) + b); };
constexpr auto cross_entropy = [](auto const& logits, auto const& labels) { return mean(nn::cross_entropy(logits, labels)); };

constexpr auto gelu_loss = [](auto const& w1, auto const& w2, auto const& x) { return sum(square(matmul(gelu_tanh(matmul(x, w1)), w2))); };
constexpr auto gelu_gradients = [](auto const& w1, auto const& w2, auto const& x) { return grad<0, 1>(gelu_loss)(w1, w2, x); };

constexpr auto reshaped = [](auto const& x) { return reshape<32, 512>(gelu(x)); };
constexpr auto reshaped_product = [](auto const& x, auto const& w) { return reshape<512>(relu(matmul(x, w))); };
constexpr auto in_three_forms = [](auto const& x) {
  auto const y = gelu(x);
  return std::tuple{y, reshape<32, 512>(y), reshape<16384>(transpose(y))};
};
constexpr auto reshaped_first = [](auto const& x) {
  auto const y = gelu(x);
  return std::tuple{reshape<32, 512>(y), y};
};
constexpr auto only_reshaped = [](auto const& x) { return reshape<32, 512>(x); };

template <class T>
struct tower {
  std::array<nn::linear<T, 32, 32>, 12> blocks;
  constexpr auto operator()(auto const& x) const {
    auto h = x;
    for (auto const& b : blocks) h = h + relu(b(h));
    return h;
  }
};
constexpr auto run = [](auto const& model, auto const& x) { return model(x); };
constexpr auto tower_loss = [](auto const& model, auto const& x) { return sum(square(model(x))); };

template <class T>
struct two_layers {
  nn::linear<T, 8, 32> hidden;
  nn::linear<T, 32, 4> output;
  constexpr auto operator()(auto const& x) const { return output(relu(hidden(x))); }
};
constexpr auto loss = [](auto const& model, auto const& x, auto const& labels) { return mean(nn::cross_entropy(model(x), labels)); };
constexpr auto step = [](auto model, auto opt, auto x, auto labels) {
  auto [l, grads] = value_and_grad(loss)(model, x, labels);
  auto [m, o] = optim::update(opt, model, grads);
  return std::tuple{m, o, l};
};
constexpr auto adamw_only = [](auto opt, auto model, auto grads) { return optim::update(opt, model, grads); };

using matrix = tensor<float, 64, 256>;
using row256 = tensor<float, 256>;

}  // namespace

TEST_CASE("a chain of elementwise functions is one pass") {
  constexpr auto const& p = compile(gelu_chain).plan<matrix>;
  static_assert(step_count(p) == 1 && kernel_count(p) == 1 && passes(p) == 2);
  static_assert(bytes_read(p) == 64 * 256 * 4 && bytes_written(p) == 64 * 256 * 4);
  static_assert(p.workspace_bytes == 0);
}
TEST_CASE("softmax and layer norm of rows are one pass each") {
  constexpr auto const& soft = compile(softmax_rows).plan<matrix>;
  static_assert(step_count(soft) == 1 && kernel_count(soft) == 1 && passes(soft) == 2);
  static_assert(soft.workspace_bytes == 256 * 4, "one row of exponentials");
  constexpr auto const& norm = compile(layer_norm).plan<matrix, row256, row256>;
  static_assert(step_count(norm) == 1 && kernel_count(norm) == 1 && passes(norm) == 2);
  static_assert(norm.workspace_bytes == 0);
}
TEST_CASE("values of reductions and their gradients are one kernel") {
  constexpr auto const& lse = compile(value_and_grad(log_sum_exp)).plan<tensor<double, 1000>>;
  static_assert(step_count(lse) == 1 && kernel_count(lse) == 1 && passes(lse) == 2);
  constexpr auto const& gauss = compile(value_and_grad<0, 1, 2>(gaussian)).plan<tensor<double, 1000>, tensor<double>, tensor<double>>;
  static_assert(step_count(gauss) == 1 && kernel_count(gauss) == 1 && passes(gauss) == 2);
  static_assert(gauss.workspace_bytes == 0);
}
TEST_CASE("work on the result of a contraction is its epilogue") {
  constexpr auto const& p = compile(dense).plan<tensor<float, 64, 32>, tensor<float, 32, 16>, tensor<float, 16>>;
  static_assert(step_count(p) == 1 && contraction_count(p) == 1 && kernel_count(p) == 0 && epilogue_count(p) == 1);
  static_assert(contraction_flops(p) == 2 * 64 * 32 * 16);
  static_assert(bytes_written(p) == 64 * 16 * 4, "the product itself is never stored");
  static_assert(p.workspace_bytes == 0);
}
TEST_CASE("a reshaped result is written where it goes") {
  constexpr auto const& p = compile(reshaped).plan<matrix>;
  static_assert(step_count(p) == 1 && passes(p) == 2 && p.workspace_bytes == 0);
  auto const x = random::normal<float, 64, 256>(key{1});
  CHECK(allclose(compile(reshaped)(x), eval(reshape<32, 512>(eval(gelu(x)))), 0, 0));

  // A product too, with its epilogue.
  static_assert(step_count(compile(reshaped_product).plan<matrix, tensor<float, 256, 8>>) == 1);

  // The value and two forms of it: two of them are copies. A transposed one is not the same memory.
  constexpr auto const& q = compile(in_three_forms).plan<matrix>;
  static_assert(step_count(q) == 3);
  auto const [a, b, c] = compile(in_three_forms)(x);
  CHECK(allclose(a, eval(gelu(x)), 0, 0));
  CHECK(allclose(b, eval(reshape<32, 512>(a)), 0, 0));
  CHECK(allclose(c, eval(reshape<16384>(transpose(a))), 0, 0));
  auto const [d, e] = compile(reshaped_first)(x);
  CHECK(allclose(d, b, 0, 0));
  CHECK(allclose(e, a, 0, 0));
  // What is given is copied.
  CHECK(allclose(compile(only_reshaped)(x), eval(reshape<32, 512>(x)), 0, 0));
}

TEST_CASE("a product that is seen in two forms is one value of its epilogue") {
  constexpr auto twice = compile([](auto const& x, auto const& w) {
    auto const y = matmul(x, w);
    return reshape<3, 8, 8>(2.0f * reshape<3, 1, 8, 8>(y)) + y;
  });
  constexpr auto const& p = twice.plan<tensor<float, 3, 8, 16>, tensor<float, 3, 16, 8>>;
  static_assert(step_count(p) == 1 && epilogue_count(p) == 1 && passes(p) == 3 && p.workspace_bytes == 0);
  auto const x = random::normal<float, 3, 8, 16>(key{1});
  auto const w = random::normal<float, 3, 16, 8>(key{2});
  CHECK(allclose(twice(x, w), eval(3.0f * matmul(x, w)), 1e-5, 1e-5));
  // The same of what is in memory.
  constexpr auto both = compile([](auto const& x) { return reshape<24>(exp(reshape<24>(x)) + reshape<24>(x)); });
  static_assert(passes(both.plan<tensor<float, 4, 6>>) == 2);
}

TEST_CASE("what is cheap behind something kept is computed again") {
  // The backward pass reads the product and the tanh of its GELU; what only adds and multiplies is not stored beside them.
  constexpr auto const& p = compile(gelu_gradients).plan<tensor<float, 32, 64>, tensor<float, 64, 16>, tensor<float, 128, 32>>;
  static_assert(contraction_count(p) == 5 && kernel_count(p) == 0 && passes(p) == 14);
  static_assert(p.workspace_bytes == 4 * (4 * 128 * 64 + 128 * 16) + 4096);
}

TEST_CASE("mean cross-entropy and its gradient") {
  constexpr auto const& p = compile(value_and_grad(cross_entropy)).plan<tensor<float, 64, 10>, tensor<std::int32_t, 64>>;
  // One over the logits; one over the 64 losses, whose mean is not accumulated in the first.
  static_assert(step_count(p) <= 2 && kernel_count(p) == step_count(p));
  static_assert(passes(p) <= 3);
}
TEST_CASE("equal layers are one function") {
  constexpr auto const& p = compile(run).plan<tower<float>, tensor<float, 64, 32>>;
  static_assert(step_count(p) == 12 && contraction_count(p) == 12 && epilogue_count(p) == 12 && distinct_count(p) == 1);
  static_assert(p.workspace_bytes == 2 * 64 * 32 * 4, "two activations take turns");
}
TEST_CASE("the gradient of a tower") {
  constexpr auto const& p = compile(value_and_grad(tower_loss)).plan<tower<float>, tensor<float, 64, 32>>;
  static_assert(contraction_count(p) == 12 + 12 + 11, "the input has no gradient");
  static_assert(kernel_count(p) <= 13);
  static_assert(distinct_count(p) <= 18);
}
TEST_CASE("an optimizer step") {
  using model = two_layers<float>;
  using state = optim::adamw_state<model>;
  constexpr auto const& update = compile(adamw_only).plan<state, model, model>;
  static_assert(contraction_count(update) == 0 && primitive_count(update) == 0);
  constexpr auto const& p = compile(step).plan<model, state, tensor<float, 64, 8>, tensor<std::int32_t, 64>>;
  static_assert(contraction_count(p) == 2 + 2 + 1 && primitive_count(p) == 0);
  MESSAGE("AdamW alone: " << kernel_count(update) << " kernels, " << distinct_count(update) << " distinct; with the loss: " << kernel_count(p) << ", " << epilogue_count(p) << " epilogues");
}
