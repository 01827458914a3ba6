// heavy: sums over batches of unknown size, which many blocks share
// Tensors of a GPU whose extents are chosen at run time: what owns them, what assigns to them, programs and recordings of them.
#include "training.hpp"

#include <utility>

using namespace dimity;
using test::allocations;
using test::loss;
using test::numbers;
using test::some_labels;
using test::train;

namespace {

constexpr extent_t batch = dim<"batch">;
template <class T>
using mlp = test::mlp_of<T, 24, 16>;

void check_training(cuda const& device) {
  auto model = nn::init<mlp<float>>(key{42});
  auto state = optim::adamw(model, {.learning_rate = 1e-2});
  auto there = to_cuda(model);
  auto state_there = to_cuda(state);
  auto const step = compile(train);
  auto const step_there = compile(train, device);
  // One place for all batches, as large as the largest.
  cuda_tensor<float, batch, 24> x_there(40);
  cuda_tensor<std::int64_t, batch> labels_there(40);
  float const* const place = x_there.data();
  tensor<float> l;
  cuda_tensor<float> l_there;
  for (int const n : {40, 7, 40, 7}) {
    CAPTURE(n);
    auto const x = numbers<float, batch, 24>(3, n);
    auto const labels = some_labels<batch>(n);
    x_there.copy_from(x);
    labels_there.copy_from(labels);
    CHECK(x_there.data() == place);
    CHECK(x_there.extent(0) == static_cast<std::size_t>(n));
    float const* const weight = there.hidden.weight.data();
    std::tie(model, state, l) = step(std::move(model), std::move(state), x, labels);
    std::tie(there, state_there, l_there) = step_there(std::move(there), std::move(state_there), x_there, labels_there);
    CHECK(there.hidden.weight.data() == weight);
    CHECK(float(to_host(l_there)) == doctest::Approx(float(l)).epsilon(1e-4));
  }
  test::check_close(to_host(there.hidden.weight), model.hidden.weight, 1e-3);
}

}  // namespace

TEST_CASE("cuda_tensor with run-time extents: there and back, zeros, copies, moves") {
  auto const x = numbers<float, dyn, 7>(1, 5);
  cuda_tensor<float, dyn, 7> there(x);
  CHECK(there.size() == 35);
  CHECK(there.extent(0) == 5);
  CHECK(there.extent(-1) == 7);
  CHECK(allclose(to_host(there), x));
  cuda_tensor<float, dyn, 7> const some_zeros(3);
  CHECK(allclose(to_host(some_zeros), zeros<float, 3, 7>()));
  CHECK(cuda_tensor<float, dyn, 7>().size() == 0);
  CHECK_THROWS_WITH_AS((cuda_tensor<float, dyn, 7>(-1)), "tensor: an extent cannot be negative, it is -1", shape_error);

  cuda_tensor<float, dyn, 7> copy = there;
  CHECK(copy.data() != there.data());
  copy = copy * 2.0f;
  CHECK(allclose(to_host(there), x));
  CHECK(allclose(to_host(copy), x * 2.0f));
  float const* const memory = copy.data();
  cuda_tensor<float, dyn, 7> moved = std::move(copy);
  CHECK(moved.data() == memory);
  CHECK(copy.size() == 0);
  CHECK_FALSE(copy.owns_elements());
  CHECK_THROWS_WITH_AS(eval(copy + 1.0f), "a tensor of the GPU that was moved from is used in an expression", error);
  CHECK_THROWS_AS(compile([](auto const& a) { return a + 1.0f; }, cuda{})(copy), error);
  CHECK(moved.extent(2) == 1);
  copy = some_zeros;
  CHECK(copy.extent(0) == 3);
  // What is smaller fits where a larger one was.
  moved = some_zeros;
  CHECK(moved.data() == memory);
  CHECK(moved.size() == 21);
  moved.copy_from(x);
  CHECK(moved.data() == memory);
  CHECK(allclose(to_host(moved), x));
  cuda_tensor<float, dyn, 7> const nothing(tensor<float, dyn, 7>(0));
  CHECK(nothing.size() == 0);
  CHECK(to_host(nothing).size() == 0);
}

TEST_CASE("expressions give their extents to what they are assigned to") {
  auto const x = numbers<float, batch, 6>(1, 9);
  auto const there = to_cuda(x);
  static_assert(std::is_same_v<decltype(to_cuda(x)), cuda_tensor<float, batch, 6>>);
  cuda_tensor<float, batch, 6> y = there * 2.0f + 1.0f;
  CHECK(y.extent(0) == 9);
  CHECK(allclose(to_host(y), x * 2.0f + 1.0f));
  static_assert(std::is_same_v<decltype(eval(transpose(there))), cuda_tensor<float, 6, batch>>);
  CHECK(allclose(to_host(transpose(there)), transpose(x)));
  CHECK(float(sum(there)) == doctest::Approx(float(sum(x))));

  // Elements that are read at other places than they are written go through other memory.
  cuda_tensor<float, dyn, dyn> z = there;
  z = transpose(z);
  CHECK(z.extent(0) == 6);
  CHECK(allclose(to_host(z), transpose(x)));
  z = slice<0, 1, 4>(z) * 3.0f;
  CHECK(z.extent(0) == 3);
  CHECK(allclose(to_host(z), slice<0, 1, 4>(eval(transpose(x))) * 3.0f));
  z = cuda_tensor<float, 2, 3>(numbers<float, 2, 3>(4)) + 1.0f;  // of extents that are known
  CHECK(z.extent(1) == 3);
  CHECK(allclose(to_host(z), numbers<float, 2, 3>(4) + 1.0f));
  cuda_tensor<float, 9, 6> fixed;
  fixed = there + 1.0f;
  CHECK(allclose(to_host(fixed), numbers<float, dyn, 6>(1, 9) + 1.0f));

  long const before = allocations();
  y = tanh(there);
  y = y * there;
  if (test::emulated) CHECK(allocations() == before);
  auto const stays = to_host(y);
  CHECK_THROWS_AS(y = there + to_cuda(numbers<float, batch, 6>(2, 8)), shape_error);
  CHECK(allclose(to_host(y), stays));
  cuda_tensor<float, 8, 6> other;
  CHECK_THROWS_AS(other = there + 1.0f, shape_error);
}

TEST_CASE("a training step with batches of any size, in place") { check_training(cuda{}); }

TEST_CASE("a recording belongs to the extents that it was made with") {
  long const before = emulation::replays;
  check_training(cuda{.graph = true});
  if (test::emulated) CHECK(emulation::replays > before);
}

TEST_CASE("kernels count in 32 bits, and their launches refuse more") {
  CHECK(detail::blocks_at_run_time(0x7ff00000, 256) == 0x7ff000);
  CHECK_THROWS_AS(static_cast<void>(detail::blocks_at_run_time(0x7ff00001, 256)), error);
  cuda_tensor<float, dyn, dyn> const tall(3000000000, 0), nothing(0, 0);
  CHECK_THROWS_AS(eval(matmul(tall, nothing)), error);
}

TEST_CASE("programs: extents of results and arguments") {
  auto const f = compile([](auto const& x, auto const& w) { return matmul(x, w); }, cuda{});
  auto const w = numbers<float, dyn, 5>(2, 6);
  auto const w_there = to_cuda(w);
  for (int n : {3, 0, 64}) {
    auto const x = numbers<float, batch, 6>(1, n);
    auto const y = f(to_cuda(x), w_there);
    static_assert(std::is_same_v<std::remove_const_t<decltype(y)>, cuda_tensor<float, batch, 5>>);
    CHECK(y.extent(0) == static_cast<std::size_t>(n));
    test::check_close(to_host(y), eval(matmul(x, w)), 1e-4);
  }
  auto x = to_cuda(numbers<float, batch, 6>(1, 4));
  CHECK_THROWS_AS(f(std::move(x), to_cuda(numbers<float, dyn, 5>(2, 7))), shape_error);
  CHECK(x.extent(0) == 4);  // nothing was taken
  // A donated argument's memory becomes the result's.
  auto const g = compile([](auto const& a) { return a * 2.0f; }, cuda{});
  float const* const memory = x.data();
  auto const doubled = g(std::move(x));
  CHECK(doubled.data() == memory);
  CHECK(allclose(to_host(doubled), numbers<float, batch, 6>(1, 4) * 2.0f));
}
