#include "training.hpp"

#include <vector>

using namespace dimity;
using test::allocations;
using test::loss;
using test::numbers;
using test::some_labels;
using test::train;

namespace {
template <class T>
using mlp = test::mlp_of<T, 64, 32>;

/// Steps on both sides, compared after each.
template <class Optimizer>
void check_training(cuda const& device, Optimizer const& optimizer, int steps) {
  auto const x = numbers<float, 16, 64>(3);
  auto const labels = some_labels<16>();
  auto model = nn::init<mlp<float>>(key{42});
  auto state = optimizer(model);
  auto there = to_cuda(model);
  auto state_there = to_cuda(state);
  auto const x_there = to_cuda(x);
  auto const labels_there = to_cuda(labels);
  auto const step = compile(train);
  auto const step_there = compile(train, device);
  tensor<float> l;
  cuda_tensor<float> l_there;
  float first = 0;
  for (int i = 0; i < steps; ++i) {
    std::tie(model, state, l) = step(std::move(model), std::move(state), x, labels);
    float const* const weight = there.hidden.weight.data();
    long const before = allocations();
    std::tie(there, state_there, l_there) = step_there(std::move(there), std::move(state_there), x_there, labels_there);
    // In place, and nothing allocated but the loss.
    CHECK(there.hidden.weight.data() == weight);
    if (test::emulated && i > 0) CHECK(allocations() - before == 1);
    CHECK(float(to_host(l_there)) == doctest::Approx(float(l)).epsilon(1e-4));
    if (i == 0) first = float(l);
  }
  CHECK(float(l) < first);
  auto const back = to_host(there);
  test::check_close(back.hidden.weight, model.hidden.weight, 1e-3);
  test::check_close(back.output.bias, model.output.bias, 1e-3);
}
}  // namespace

TEST_CASE("cuda: a training step, in place") {
  check_training(cuda{}, [](auto const& m) { return optim::adamw(m, {.learning_rate = 1e-2}); }, 4);
}

TEST_CASE("cuda: recorded as a graph, replayed") {
  long const recordings = emulation::recordings, replays = emulation::replays;
  check_training(cuda{.graph = true}, [](auto const& m) { return optim::sgd(m, {.learning_rate = 0.1, .momentum = 0.9}); }, 9);
  if (test::emulated) {
    // The first call runs as it is. The loss is a new tensor each time, and still one recording serves all calls.
    CHECK(emulation::replays - replays == 8);
    CHECK(emulation::recordings - recordings == 1);
  }
}

TEST_CASE("cuda: results of a replay are tensors of their own") {
  auto const f = compile([](auto const& x) { return std::tuple{x + 1.0f, sum(x)}; }, cuda{.graph = true});
  auto x = to_cuda(numbers<float, 20>(1));
  auto const host = to_host(x);
  std::vector<std::tuple<cuda_tensor<float, 20>, cuda_tensor<float>>> all;
  for (int i = 0; i < 4; ++i) {
    all.push_back(f(x));
    x = x * 2.0f;
  }
  for (int i = 0; i < 4; ++i) {
    float const scale = static_cast<float>(1 << i);
    CHECK(allclose(to_host(std::get<0>(all[static_cast<std::size_t>(i)])), eval(host * scale + 1.0f)));
    CHECK(allclose(to_host(std::get<1>(all[static_cast<std::size_t>(i)])), eval(sum(host) * scale)));
  }
}

TEST_CASE("cuda: large results are recorded where they are") {
  auto const f = compile([](auto const& x) { return x + 1.0f; }, cuda{.graph = true});
  auto const x = to_cuda(numbers<float, 300, 1000>(1));
  auto const host = eval(to_host(x) + 1.0f);
  std::vector<cuda_tensor<float, 300, 1000>> all;  // kept, so that each is somewhere else
  long const recordings = emulation::recordings;
  for (int i = 0; i < 3; ++i) all.push_back(f(x));
  for (auto const& y : all) CHECK(allclose(to_host(y), host));
  if (test::emulated) CHECK(emulation::recordings - recordings == 2);
}

TEST_CASE("cuda: a replay sees new numbers and new elements") {
  auto const f = compile([](auto const& x, auto const& rate) { return x * rate; }, cuda{.graph = true});
  auto x = to_cuda(numbers<float, 20>(1));
  auto const host = to_host(x);
  for (float const rate : {1.0f, 2.0f, 3.0f}) CHECK(allclose(to_host(f(x, rate)), eval(host * rate)));
  x = x + 1.0f;
  CHECK(allclose(to_host(f(x, 2.0f)), eval((host + 1.0f) * 2.0f)));
}

TEST_CASE("cuda: the scratch memory that is asked for is that of the kernels too") {
  constexpr auto total = [](auto const& x) { return sum(x); };
  static_assert(compile(total).workspace_bytes<tensor<float, 300, 1000>> == 0);
  // Several blocks share the sum, and each leaves its part.
  static_assert(compile(total, cuda{}).workspace_bytes<cuda_tensor<float, 300, 1000>> > 0);
}

TEST_CASE("cuda: gradients, Jacobians and batches of what is on the GPU") {
  auto const model = nn::init<mlp<float>>(key{42});
  auto const x = numbers<float, 16, 64>(3);
  auto const labels = some_labels<16>();
  auto const there = grad(loss)(to_cuda(model), to_cuda(x), to_cuda(labels));
  static_assert(std::is_same_v<std::remove_cv_t<decltype(there)>, mlp<on_cuda<float>>>);
  test::compare(there, grad(loss)(model, x, labels), 1e-4);
  auto const f = [](auto const& v) { return sin(v) * sum(v); };
  test::compare(jacobian(f)(to_cuda(numbers<float, 5>(1))), jacobian(f)(numbers<float, 5>(1)), 1e-4);
  test::compare(compile(f)(to_cuda(numbers<float, 5>(1))), eval(f(numbers<float, 5>(1))), 1e-4);
}

TEST_CASE("cuda: results of one program that are the same value, inputs passed on") {
  auto const f = [](auto const& x, auto const& y) { return std::tuple{x, x, x + y, x + y, y * 0.0f}; };
  test::same_on_cuda(f, numbers<float, 4, 5>(1), numbers<float, 5>(2));
  auto const g = compile([](auto const& a, auto const& b) { return std::tuple{b, transpose(a) + b}; }, cuda{});
  auto a = to_cuda(numbers<float, 6, 6>(1)), b = to_cuda(numbers<float, 6, 6>(2));
  std::tie(a, b) = g(std::move(a), std::move(b));
  CHECK(allclose(to_host(a), numbers<float, 6, 6>(2)));
  CHECK(allclose(to_host(b), eval(transpose(numbers<float, 6, 6>(1)) + numbers<float, 6, 6>(2))));
}

TEST_CASE("cuda: a recording belongs to the memory of all arguments and results") {
  auto const a0 = numbers<float, 8, 8>(1), b0 = numbers<float, 8, 8>(2);
  auto const product = [](auto const& x, auto const& y) { return matmul(x, y); };
  auto const g = compile(product, cuda{.graph = true});
  auto a = to_cuda(a0), b = to_cuda(b0);
  static_cast<void>(g(a, b));
  a = g(std::move(a), b);
  b = g(a, std::move(b));
  tensor<float, 8, 8> const a1 = matmul(a0, b0), b1 = matmul(a1, b0);
  test::check_close(to_host(a), a1, 1e-4);
  test::check_close(to_host(b), b1, 1e-4);
}

TEST_CASE("cuda: what was moved from is noticed") {
  auto x = to_cuda(numbers<float, 4>(1));
  auto const y = std::move(x);
  auto const f = compile([](auto const& v) { return v * 2.0f; }, cuda{});
  CHECK_THROWS_WITH_AS(f(x), doctest::Contains("moved from"), error);
  CHECK_THROWS_WITH_AS(eval(x * 2.0f), doctest::Contains("moved from"), error);
  CHECK(allclose(to_host(f(y)), eval(numbers<float, 4>(1) * 2.0f)));
}

TEST_CASE("cuda: a recorded call refuses what decides while it runs") {
  auto const f = compile([](auto const& x) { return while_loop([](auto const& v) { return sum(v) < 10.0f; }, [](auto const& v) { return v * 2.0f; }, x); }, cuda{.graph = true});
  auto x = to_cuda(numbers<float, 3>(1));
  CHECK_THROWS_WITH_AS(f(std::move(x)), doctest::Contains("while_loop, cond, debug::print and debug::check_finite need values on this side"), error);
  CHECK(x.owns_elements());
}

TEST_CASE("cuda: attention and a block of layers") {
  auto const attention = [](auto const& q, auto const& k, auto const& v) { return scaled_dot_product_attention(q, k, v); };
  test::same_within(1e-4, attention, numbers<float, 2, 40, 8>(1), numbers<float, 2, 40, 8>(2), numbers<float, 2, 40, 8>(3));
}
