#include "on_cuda.hpp"

#include <array>

using namespace dimity;
using test::numbers;

namespace {
template <class T>
struct net {
  nn::linear<T, 6, 4> hidden;
  std::array<tensor<T, 3>, 2> extra;
  int steps;  // a plain number of the struct stays what it is
  constexpr auto operator()(auto const& x) const { return tanh(hidden(x)); }
};
long allocations() { return emulation::memory_of_device::get().allocations; }
std::size_t blocks_alive() { return emulation::memory_of_device::get().blocks.size(); }
}  // namespace

TEST_CASE("cuda_tensor: there and back, zeros, copies, moves") {
  auto const x = numbers<float, 5, 7>(1);
  cuda_tensor<float, 5, 7> const there(x);
  static_assert(std::is_same_v<cuda_tensor<float, 5, 7>, tensor<on_cuda<float>, 5, 7>>);
  CHECK(allclose(to_host(there), x));
  CHECK(allclose(to_host(cuda_tensor<float, 3>()), zeros<float, 3>()));
  CHECK(cuda_tensor<float, 5, 7>::size() == 35);
  CHECK(cuda_tensor<float, 5, 7>::extent(1) == 7);

  cuda_tensor<float, 5, 7> copy = there;
  CHECK(copy.data() != there.data());
  copy = copy * 2.0f;
  CHECK(allclose(to_host(there), x));
  CHECK(allclose(to_host(copy), eval(x * 2.0f)));
  float const* const memory = copy.data();
  cuda_tensor<float, 5, 7> moved = std::move(copy);
  CHECK(moved.data() == memory);
  CHECK_FALSE(copy.owns_elements());
  copy = there;
  CHECK(allclose(to_host(copy), x));
  copy = std::move(moved);
  CHECK(copy.data() == memory);
  moved = copy + 1.0f;
  CHECK(allclose(to_host(moved), eval(x * 2.0f + 1.0f)));
  copy = static_cast<cuda_tensor<float, 5, 7> const&>(copy);
  CHECK(copy.data() == memory);
}

TEST_CASE("cuda_tensor: nothing is leaked") {
  {
    auto const x = to_cuda(numbers<float, 300>(1));  // streams and scratch memory exist from here on
    static_cast<void>(to_host(eval(sum(x * x))));
  }
  std::size_t const before = blocks_alive();
  {
    auto a = to_cuda(numbers<float, 300>(1));
    auto b = a;
    b = a + b;
    a = std::move(b);
    static_cast<void>(eval(transpose(reshape<20, 15>(a))));
  }
  CHECK(blocks_alive() == before);
}

TEST_CASE("trees: a model of the GPU is the same struct of other scalars") {
  net<float> model = nn::init<net<float>>(key{1});
  model.extra[1] = numbers<float, 3>(5);
  model.steps = 7;
  auto const there = to_cuda(model);
  static_assert(std::is_same_v<std::remove_cv_t<decltype(there)>, net<on_cuda<float>>>);
  static_assert(std::is_same_v<decltype(there.hidden.weight), cuda_tensor<float, 6, 4>>);
  CHECK(there.steps == 7);
  auto const back = to_host(there);
  static_assert(std::is_same_v<std::remove_cv_t<decltype(back)>, net<float>>);
  CHECK(allclose(back.hidden.weight, model.hidden.weight));
  CHECK(allclose(back.extra[1], model.extra[1]));
  CHECK(back.steps == 7);
  auto const pair = to_host(to_cuda(std::tuple{numbers<float, 2>(1), numbers<std::int32_t, 3>(2)}));
  CHECK(allclose(std::get<1>(pair), numbers<std::int32_t, 3>(2)));
  auto const state = to_cuda(optim::adam(nn::linear<float, 6, 4>{}));
  static_assert(std::is_same_v<decltype(state.step), cuda_tensor<std::int32_t>>);
  CHECK(float(to_host(state.learning_rate)) == 1e-3f);
}

TEST_CASE("expressions: evaluated where their operands are") {
  auto const a = numbers<float, 4, 6>(1), b = numbers<float, 4, 6>(2);
  auto const da = to_cuda(a), db = to_cuda(b);
  auto const e = da * db + 1.0f;
  auto const y = eval(e);
  static_assert(std::is_same_v<std::remove_cv_t<decltype(y)>, cuda_tensor<float, 4, 6>>);
  CHECK(allclose(to_host(y), eval(a * b + 1.0f)));
  CHECK(allclose(to_host(e), eval(a * b + 1.0f)));
  float const s = sum(da);
  CHECK(s == doctest::Approx(float(sum(a))));
  cuda_tensor<double, 4, 6> wide = da;
  CHECK(allclose(to_host(wide), cast<double>(a)));
  // A temporary moves into the expression.
  CHECK(allclose(to_host(eval(eval(da + db) * 2.0f)), eval((a + b) * 2.0f)));
  cuda_tensor<float, 4, 6> to;
  assign(to, da - db, cuda{});
  CHECK(allclose(to_host(to), eval(a - b)));
}

TEST_CASE("a stream of one's own") {
  cudaStream_t stream = nullptr;
  REQUIRE(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking) == cudaSuccess);
  {
    auto const x = to_cuda(numbers<float, 9>(1), cuda{stream});
    CHECK(x.stream() == stream);
    auto const y = eval(x * 2.0f, cuda{stream});
    CHECK(y.stream() == stream);
    auto const z = compile([](auto const& v) { return exp(v); }, cuda{.stream = stream})(y);
    CHECK(z.stream() == stream);
    synchronize(cuda{stream});
    CHECK(allclose(to_host(z), eval(exp(numbers<float, 9>(1) * 2.0f))));
  }
  release(cuda{stream});
  cudaStreamDestroy(stream);
}

#ifdef DIMITY_CUDA_EMULATION
TEST_CASE("errors say what and where") {
  CHECK(has_cuda_device());
  emulation::has_device = false;
  CHECK_FALSE(has_cuda_device());
  try {
    static_cast<void>(to_cuda(numbers<float, 3>(1)));
    CHECK(false);
  } catch (cuda_error const& e) {
    std::string const text = e.what();
    CHECK(text.find("no CUDA device") == 0);
    CHECK(text.find("cudaErrorNoDevice") != std::string::npos);
    CHECK(text.find("runtime.hpp:") != std::string::npos);
    CHECK(e.code == cudaErrorNoDevice);
  }
  emulation::has_device = true;
}
#endif

TEST_CASE("an assignment allocates nothing") {
  auto const a = to_cuda(numbers<float, 40, 6>(1));
  auto const b = to_cuda(numbers<float, 6>(2));
  cuda_tensor<float, 40, 6> y = softmax(a + b, axis<-1>);
  long const before = allocations();
  y = softmax(a + b, axis<-1>);
  y = tanh(y) * 2.0f;
  CHECK(allocations() == before);
}

TEST_CASE_TEMPLATE("cuda: numbers of an expression are arguments of its kernel", T, float, double, std::int8_t, std::int64_t, bfloat16) {
  auto const x = to_cuda(numbers<T, 20>(1));
  auto const host = to_host(x);
  T const a = static_cast<T>(2), b = static_cast<T>(3);
  long const before = emulation::launches;
  auto y = eval(x * a + b);
  y = y * b;
  if (test::emulated) CHECK(emulation::launches - before == 2);
  auto const wanted = eval((host * a + b) * b);
  CHECK(allclose(to_host(y), wanted, 0.01, 0.01));
  // Of two equal kernels one has a number and the other a tensor of rank 0.
  auto const m1 = to_cuda(numbers<T, 8, 16>(3)), m2 = to_cuda(numbers<T, 8, 16>(4));
  auto const v = to_cuda(numbers<T, 16>(5));
  auto const t = to_cuda(numbers<T>(6));
  CHECK(allclose(to_host(eval(sum(m2 * t + sum(m1 * a + v, axis<0>), axis<0>))), eval(sum(to_host(m2) * to_host(t) + sum(to_host(m1) * a + to_host(v), axis<0>), axis<0>)), 0.05, 0.5));
  CHECK(allclose(to_host(eval(sum(m2 * a + sum(m1 * t + v, axis<0>), axis<0>))), eval(sum(to_host(m2) * a + sum(to_host(m1) * to_host(t) + to_host(v), axis<0>), axis<0>)), 0.05, 0.5));
  // A reduction in two kernels; and what reads a number in memory.
  auto const long_row = to_cuda(numbers<T, 3, 5000>(2));
  CHECK(allclose(to_host(eval(max(long_row * a, axis<-1>))), eval(max(to_host(long_row) * a, axis<-1>)), 0.01, 0.01));
  CHECK(allclose(to_host(eval(flip(concat<0>(x * a, x), axis<0>) + b)), eval(flip(concat<0>(host * a, host), axis<0>) + b), 0.01, 0.01));
}
