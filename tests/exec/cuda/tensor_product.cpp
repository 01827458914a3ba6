// heavy: kernels without optimisation, with sanitizers, take minutes and 3 GB to compile
#include "on_cuda.hpp"

using namespace dimity;
using test::numbers, test::same_within;

namespace {
constexpr auto product = [](auto const& a, auto const& b) { return cast<float>(matmul(a, b)); };
/// Floats that the tensor cores read without rounding, so that what they make of them is comparable.
template <extent_t... E>
tensor<float, E...> few_digits(std::uint64_t seed) {
  return cast<float>(numbers<bfloat16, E...>(seed));
}
long products_on_tensor_cores(auto const& f) {
  long const before = emulation::tile_products;
  f();
  return emulation::tile_products - before;
}
}  // namespace

TEST_CASE_TEMPLATE("cuda: tensor cores multiply 16-bit floats of every layout", T, float16, bfloat16) {
  // Copies of 16, 8, 4 and 2 bytes; tiles that end inside of the operands in every direction.
  same_within(1e-4, product, numbers<T, 64, 64>(1), numbers<T, 64, 64>(2));
  same_within(1e-4, product, numbers<T, 33, 40>(1), numbers<T, 40, 20>(2));
  same_within(1e-4, product, numbers<T, 70, 42>(1), numbers<T, 42, 50>(2));
  same_within(1e-4, product, numbers<T, 9, 101>(1), numbers<T, 101, 11>(2));
  same_within(1e-4, product, numbers<T, 8, 8>(1), numbers<T, 8, 8>(2));
  same_within(1e-4, [](auto const& a, auto const& b) { return cast<float>(matmul(transpose(a), b)); }, numbers<T, 72, 40>(1), numbers<T, 72, 24>(2));
  same_within(1e-4, [](auto const& a, auto const& b) { return cast<float>(matmul(a, transpose(b))); }, numbers<T, 40, 72>(1), numbers<T, 24, 72>(2));
  same_within(1e-4, [](auto const& a, auto const& b) { return cast<float>(matmul(transpose(a), transpose(b))); }, numbers<T, 37, 40>(1), numbers<T, 24, 37>(2));
  same_within(1e-4, [](auto const& a, auto const& b) { return cast<float>(matmul(slice<1, 2, 38, 2>(a), slice<0, 3, 21>(b))); }, numbers<T, 20, 40>(1), numbers<T, 24, 19>(2));
}

TEST_CASE("cuda: tensor cores, batches and tiles of every size") {
  if (test::emulated) CHECK(products_on_tensor_cores([] { same_within(1e-4, product, numbers<bfloat16, 2, 3, 17, 24>(1), numbers<bfloat16, 3, 24, 16>(2)); }) > 0);
  same_within(1e-4, product, numbers<bfloat16, 100, 128, 32>(1), numbers<bfloat16, 100, 32, 16>(2));
  same_within(1e-4, product, numbers<bfloat16, 100, 16, 72>(1), numbers<bfloat16, 100, 72, 128>(2));
  // 128 x 128, with more steps than there are places in shared memory.
  same_within(1e-3, product, numbers<bfloat16, 17, 136, 200>(1), numbers<bfloat16, 17, 200, 260>(2));
  same_within(1e-4, product, numbers<bfloat16, 100, 64, 40>(1), numbers<bfloat16, 100, 40, 64>(2));
}

TEST_CASE("cuda: work on the results of the tensor cores while they are in registers") {
  auto const layer = [](auto const& x, auto const& w, auto const& b) { return relu(matmul(x, w) + b); };
  same_within(0.02, layer, numbers<bfloat16, 40, 24>(1), numbers<bfloat16, 24, 48>(2), numbers<bfloat16, 48>(3));
  same_within(0.02, layer, numbers<bfloat16, 40, 24>(1), numbers<bfloat16, 24, 47>(2), numbers<bfloat16, 47>(3));
  auto const both = [](auto const& x, auto const& w, auto const& r) { return std::tuple{cast<float>(matmul(x, w)), tanh(cast<float>(matmul(x, w))) + cast<float>(r)}; };
  same_within(1e-4, both, numbers<float16, 3, 18, 24>(1), numbers<float16, 3, 24, 10>(2), numbers<float16, 3, 18, 10>(3));
  auto const x = to_cuda(numbers<bfloat16, 40, 24>(1));
  auto const w = to_cuda(numbers<bfloat16, 24, 48>(2));
  auto const b = to_cuda(numbers<bfloat16, 48>(3));
  long const before = emulation::launches;
  static_cast<void>(compile(layer, cuda{})(x, w, b));
  if (test::emulated) CHECK(emulation::launches - before == 1);
}

TEST_CASE("cuda: floats on the tensor cores, where the executor allows it") {
  auto const f = [](auto const& a, auto const& b) { return matmul(a, b); };
  auto const all = [&] {
    same_within<fast_cuda>(2e-5, f, few_digits<40, 36>(1), few_digits<36, 24>(2));
    same_within<fast_cuda>(2e-5, f, few_digits<33, 41>(1), few_digits<41, 19>(2));
    same_within<fast_cuda>(2e-5, [](auto const& a, auto const& b) { return matmul(transpose(a), b); }, few_digits<36, 40>(1), few_digits<36, 24>(2));
    same_within<fast_cuda>(2e-5, [](auto const& a, auto const& b) { return matmul(a, transpose(b)); }, few_digits<40, 36>(1), few_digits<64, 36>(2));
    same_within<fast_cuda>(2e-5, f, few_digits<100, 128, 24>(1), few_digits<100, 24, 128>(2));
    same_within<fast_cuda>(2e-5, [](auto const& a, auto const& b) { return matmul(transpose(a), b); }, few_digits<33, 16>(1), few_digits<33, 128>(2));
  };
  long const used = products_on_tensor_cores(all);
  if (test::emulated) CHECK(used > 0);
  // Operands are rounded to the nearest number of 11 significant bits.
  auto const a = numbers<float, 32, 64>(1);
  auto const b = numbers<float, 64, 32>(2);
  auto const exact = eval(matmul(cast<double>(a), cast<double>(b)));
  auto const quick = to_host(compile(f, fast_cuda{})(to_cuda(a), to_cuda(b)));
  double const error = double(eval(max(abs(cast<double>(quick) - exact)))), bound = 0x1p-10 * double(eval(max(matmul(abs(cast<double>(a)), abs(cast<double>(b))))));
  CHECK(error > 0x1p-16);
  CHECK(error < bound);
  // And not elsewhere.
  if (test::emulated) {
    auto const x = to_cuda(a);
    auto const y = to_cuda(b);
    auto z = eval(matmul(x, y));
    CHECK(products_on_tensor_cores([&] { z = eval(matmul(x, y), fast_cuda{}); }) > 0);
    CHECK(products_on_tensor_cores([&] { assign(z, matmul(x, y), fast_cuda{}); }) > 0);
    CHECK(products_on_tensor_cores([&] { z = matmul(x, y); }) == 0);
    CHECK(products_on_tensor_cores([&] { static_cast<void>(compile(f, cuda{})(to_cuda(a), to_cuda(b))); }) == 0);
    CHECK(products_on_tensor_cores([&] { static_cast<void>(compile(f, fast_cuda{})(to_cuda(cast<double>(a)), to_cuda(cast<double>(b)))); }) == 0);
  }
}

TEST_CASE("cuda: tensor cores, infinities and numbers that are none") {
  auto a = numbers<bfloat16, 16, 16>(1), b = numbers<bfloat16, 16, 16>(2);
  a(3, 5) = std::numeric_limits<float>::infinity();
  b(7, 2) = std::numeric_limits<float>::quiet_NaN();
  same_within(1e-4, product, a, b);
  auto const f = [](auto const& x, auto const& y) { return matmul(x, y); };
  same_within<fast_cuda>(2e-5, f, eval(cast<float>(a)), eval(cast<float>(b)));
}

#if !defined(__CUDACC__)
TEST_CASE("cuda: a missing wait or barrier of the tensor cores' kernels is noticed") {
  auto const a = numbers<bfloat16, 64, 256>(1);
  auto const b = numbers<bfloat16, 256, 64>(2);
  auto const wanted = compile(product)(a, b);
  auto const all_right = [&] {
    bool right = true;
    for (emulation::schedule const order : test::schedules) {
      emulation::order = order;
      right = right && allclose(to_host(compile(product, cuda{})(to_cuda(a), to_cuda(b))), wanted, 1e-3, 1e-3);
    }
    emulation::order = emulation::schedule::round_robin;
    return right;
  };
  CHECK(all_right());
  emulation::skips_waits = true;
  CHECK(!all_right());
  emulation::skips_waits = false;
  emulation::barrier_to_skip = -2;
  CHECK(!all_right());
  emulation::barrier_to_skip = -1;
}
#endif
