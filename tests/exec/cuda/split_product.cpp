#include "on_cuda.hpp"

using namespace dimity;
using test::numbers, test::same_on_cuda, test::same_within;

namespace {
constexpr auto product = [](auto const& a, auto const& b) { return matmul(a, b); };
constexpr auto weight_gradient = [](auto const& x, auto const& g) { return matmul(transpose(x), g); };
constexpr auto descent = [](auto const& w, auto const& x, auto const& g) { return w - 0.125f * matmul(transpose(x), g); };
}  // namespace

TEST_CASE("cuda: products divided along their terms") {
  using detail::parts_of_product;
  static_assert(parts_of_product(10, 16, 4096, 1) == 16);
  static_assert(parts_of_product(10, 16, 1000, 1) == 1);        // 3 parts at most, and none of a multiple of 8
  static_assert(parts_of_product(784, 256, 256, 1) == 1);       // too few terms
  static_assert(parts_of_product(784, 256, 8192, 1) == 8);      // 14 tiles of 128 x 128
  static_assert(parts_of_product(4096, 4096, 4096, 1) == 1);    // tiles enough
  static_assert(parts_of_product(0, 16, 4096, 1) == 1);
  static_assert(parts_of_product(10, 16, 100000, 1) == 25);

  same_within(1e-4, product, numbers<float, 5, 1024>(1), numbers<float, 1024, 7>(2));
  same_within(1e-4, product, numbers<float, 1, 1024>(1), numbers<float, 1024, 1>(2));
  same_within(1e-4, weight_gradient, numbers<float, 1536, 20>(1), numbers<float, 1536, 8>(2));
  same_within(1e-4, [](auto const& a, auto const& b) { return matmul(a, transpose(b)); }, numbers<float, 20, 2048>(1), numbers<float, 12, 2048>(2));
  same_on_cuda(weight_gradient, numbers<double, 800, 6>(1), numbers<double, 800, 4>(2));
  same_on_cuda(product, numbers<std::int32_t, 9, 1024>(1), numbers<std::int32_t, 1024, 6>(2));
  // Batches, and rows that begin anywhere.
  same_within(1e-4, product, numbers<float, 2, 3, 6, 520>(1), numbers<float, 3, 520, 5>(2));
  same_within(1e-4, [](auto const& a, auto const& b) { return matmul(slice<1, 3, 1027>(a), b); }, numbers<float, 6, 1030>(1), numbers<float, 1024, 5>(2));
}

TEST_CASE("cuda: parts on the tensor cores") {
  auto const f = [] {
    same_within(1e-3, [](auto const& a, auto const& b) { return cast<float>(matmul(transpose(a), b)); }, numbers<bfloat16, 1024, 24>(1), numbers<bfloat16, 1024, 16>(2));
    same_within<fast_cuda>(2e-2, weight_gradient, numbers<float, 1024, 24>(1), numbers<float, 1024, 16>(2));
  };
  long const before = emulation::tile_products;
  f();
  if (test::emulated) CHECK(emulation::tile_products > before);
}

TEST_CASE("cuda: what becomes of the sums of parts") {
  same_within(1e-4, descent, numbers<float, 12, 8>(1), numbers<float, 1024, 12>(2), numbers<float, 1024, 8>(3));
  same_within(1e-4, descent, numbers<float, 5, 7>(1), numbers<float, 1024, 5>(2), numbers<float, 1024, 7>(3));
  same_within(1e-4, [](auto const& a, auto const& b) { return std::tuple{matmul(a, b), relu(matmul(a, b)) + 1.0f}; }, numbers<float, 2, 3, 768>(1), numbers<float, 768, 6>(2));
  same_within(1e-4, [](auto const& xs, auto const& w) { return scan([](auto const& s, auto const& x, auto const& m) { return std::tuple{tanh(s + matmul(x, m)), sum(s)}; }, zeros<float, 2, 4>(), xs, w); }, numbers<float, 3, 2, 512>(1), numbers<float, 512, 4>(2));
}

#ifdef DIMITY_CUDA_EMULATION
TEST_CASE("cuda: a divided product is two kernels, and no memory but the workspace's") {
  auto const w = to_cuda(numbers<float, 12, 8>(1));
  auto const x = to_cuda(numbers<float, 1024, 12>(2));
  auto const g = to_cuda(numbers<float, 1024, 8>(3));
  auto const step = compile(descent, cuda{});
  auto moved = step(w, x, g);
  long const launches = emulation::launches, allocations = emulation::memory_of_device::get().allocations;
  for (int i = 0; i < 3; ++i) moved = step(std::move(moved), x, g);
  CHECK(emulation::launches - launches == 6);
  CHECK(emulation::memory_of_device::get().allocations == allocations);
}
#endif
