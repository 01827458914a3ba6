// heavy: kernels without optimisation, with sanitizers, take minutes and 3 GB to compile
#include "on_cuda.hpp"

using namespace dimity;
using test::numbers, test::same_on_cuda, test::same_within;

namespace {
constexpr auto product = [](auto const& a, auto const& b) { return matmul(a, b); };
constexpr auto layer = [](auto const& x, auto const& w, auto const& b) { return relu(matmul(x, w) + b); };
}  // namespace

TEST_CASE("cuda: products of every form") {
  same_on_cuda(product, numbers<float, 1, 1>(1), numbers<float, 1, 1>(2));
  same_on_cuda(product, numbers<float, 5, 3>(1), numbers<float, 3, 7>(2));
  same_on_cuda(product, numbers<float, 64, 40>(1), numbers<float, 40, 64>(2));
  same_on_cuda(product, numbers<float, 130, 17>(1), numbers<float, 17, 68>(2));
  same_on_cuda(product, numbers<float, 1, 33>(1), numbers<float, 33, 40>(2));
  same_on_cuda(product, numbers<float, 40, 33>(1), numbers<float, 33>(2));
  same_on_cuda(product, numbers<float, 4, 0>(1), numbers<float, 0, 5>(2));
  same_on_cuda(product, numbers<double, 20, 30>(1), numbers<double, 30, 18>(2));
  same_on_cuda(product, numbers<std::int32_t, 20, 30>(1), numbers<std::int32_t, 30, 18>(2));
  same_on_cuda(product, numbers<std::int8_t, 16, 32>(1), numbers<std::int8_t, 32, 16>(2));
  same_on_cuda(product, numbers<std::int16_t, 16, 32>(1), numbers<std::int16_t, 32, 48>(2));
}

TEST_CASE("cuda: large tiles") {
  // 1156 results a side are more tiles of 128 than an H100 has multiprocessors only with a batch.
  same_within(1e-4, product, numbers<float, 40, 136, 20>(1), numbers<float, 40, 20, 260>(2));
}

TEST_CASE("cuda: transposed operands, batches, strides") {
  same_on_cuda([](auto const& a, auto const& b) { return std::tuple{matmul(transpose(a), b), matmul(transpose(a), transpose(reshape<18, 30>(b)))}; }, numbers<float, 30, 20>(1), numbers<float, 30, 18>(2));
  same_on_cuda(product, numbers<float, 2, 3, 9, 5>(1), numbers<float, 3, 5, 12>(2));
  same_on_cuda([](auto const& a, auto const& b) { return matmul(slice<1, 1, 9, 2>(a), slice<0, 2, 6>(b)); }, numbers<float, 8, 9>(1), numbers<float, 7, 20>(2));
  same_on_cuda([](auto const& q, auto const& k) { return softmax(matmul(q, permute<0, 2, 1>(k)) * 0.125f, axis<-1>); }, numbers<float, 3, 10, 8>(1), numbers<float, 3, 12, 8>(2));
}

TEST_CASE("cuda: work on the results of a product while they are in registers") {
  same_on_cuda(layer, numbers<float, 40, 20>(1), numbers<float, 20, 48>(2), numbers<float, 48>(3));
  same_on_cuda(layer, numbers<float, 40, 20>(1), numbers<float, 20, 47>(2), numbers<float, 47>(3));
  same_on_cuda(layer, numbers<float, 40, 20>(1), numbers<float, 20, 1>(2), numbers<float, 1>(3));
  same_on_cuda(layer, numbers<float, 1, 20>(1), numbers<float, 20, 40>(2), numbers<float, 40>(3));
  same_on_cuda(layer, numbers<double, 9, 20>(1), numbers<double, 20, 6>(2), numbers<double, 6>(3));
  same_on_cuda([](auto const& x, auto const& w, auto const& r) { return std::tuple{matmul(x, w), tanh(matmul(x, w)) + r}; }, numbers<float, 3, 9, 20>(1), numbers<float, 3, 20, 8>(2), numbers<float, 3, 9, 8>(3));
  auto const x = to_cuda(numbers<float, 40, 20>(1));
  auto const w = to_cuda(numbers<float, 20, 48>(2));
  auto const b = to_cuda(numbers<float, 48>(3));
  long const before = emulation::launches;
  static_cast<void>(compile(layer, cuda{})(x, w, b));
  if (test::emulated) CHECK(emulation::launches - before == 1);
}

TEST_CASE_TEMPLATE("cuda: products of 16-bit floats add up in float", T, float16, bfloat16) {
  same_within(0.02, product, numbers<T, 33, 40>(1), numbers<T, 40, 20>(2));
  same_within(1e-4, [](auto const& a, auto const& b) { return cast<float>(matmul(a, b)); }, numbers<T, 33, 40>(1), numbers<T, 40, 20>(2));
}

TEST_CASE("cuda: integers of 8 and 16 bits are multiplied as they lie, and add up in 32 bits") {
  constexpr auto wide = [](auto const& a, auto const& b) { return matmul(cast<std::int32_t>(a), transpose(cast<std::int32_t>(b))); };
  same_on_cuda(wide, numbers<std::int8_t, 33, 40>(1), numbers<std::int8_t, 20, 40>(2));
  same_on_cuda(wide, numbers<std::uint8_t, 70, 31>(1), numbers<std::int8_t, 64, 31>(2));
  same_on_cuda(wide, numbers<std::int16_t, 5, 64>(1), numbers<std::uint8_t, 16, 64>(2));
  auto const x = to_cuda(numbers<std::uint8_t, 33, 40>(1));
  auto const w = to_cuda(numbers<std::int8_t, 20, 40>(2));
  long const before = emulation::launches;
  static_cast<void>(compile([](auto const& a, auto const& b) { return relu(cast<float>(matmul(cast<std::int32_t>(a), transpose(cast<std::int32_t>(b)))) * 0.5f); }, cuda{})(x, w));
  if (test::emulated) CHECK(emulation::launches - before == 1);
}
