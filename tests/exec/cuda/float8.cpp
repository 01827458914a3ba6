// heavy: kernels without optimisation, with sanitizers, take minutes and 3 GB to compile
#include "on_cuda.hpp"

using namespace dimity;
using test::numbers, test::same_within;

namespace {
constexpr auto product = [](auto const& a, auto const& b) { return cast<float>(matmul(a, b)); };
template <class T>
tensor<T, 16, 16> all_of_them() {
  tensor<T, 16, 16> x;
  for (std::size_t i = 0; i < 256; ++i) x.data()[i] = T::from_bits(static_cast<std::uint8_t>(i));
  return x;
}
}  // namespace

TEST_CASE_TEMPLATE("cuda: 8-bit floats are stored, computed in float", T, float8_e4m3fn, float8_e5m2) {
  same_within(0, [](auto const& x) { return std::tuple{cast<float>(x), cast<bfloat16>(x), transpose(x), cast<double>(x)}; }, all_of_them<T>());
  auto const from = [](auto const& x) { return cast<T>(x); };
  tensor<float, 16> const odd = {0, -0.0f, 448, 464, 465, -480, 57344, 61439, 61440, std::numeric_limits<float>::infinity(), -1e38f, 0x1p-10f, 0x1.8p-10f, 0x1.8p-17f, std::numeric_limits<float>::quiet_NaN(), 0.3f};
  same_within(0, from, odd);
  same_within(0, from, numbers<double, 100>(5));
  same_within(0, from, eval(numbers<float, 37, 19>(6) * 300.0f));
  same_within(0.07, [](auto const& x, auto const& y) { return std::tuple{x * y + x, cast<float>(sum(x * y, axis<1>)), concat<0>(x, x)}; }, numbers<T, 6, 24>(1), numbers<T, 6, 24>(2));
}

TEST_CASE_TEMPLATE("cuda: tensor cores multiply 8-bit floats of every layout", T, float8_e4m3fn, float8_e5m2) {
  // Copies of 16, 8, 4, 2 and 1 bytes; tiles that end inside of the operands in every direction.
  same_within(1e-4, product, numbers<T, 64, 64>(1), numbers<T, 64, 64>(2));
  same_within(1e-4, product, numbers<T, 70, 42>(1), numbers<T, 42, 52>(2));
  same_within(1e-4, product, numbers<T, 9, 101>(1), numbers<T, 101, 11>(2));
  same_within(1e-4, [](auto const& a, auto const& b) { return cast<float>(matmul(transpose(a), b)); }, numbers<T, 72, 40>(1), numbers<T, 72, 24>(2));
  same_within(1e-4, [](auto const& a, auto const& b) { return cast<float>(matmul(a, transpose(b))); }, numbers<T, 40, 72>(1), numbers<T, 24, 72>(2));
  if (test::emulated) {
    long const before = emulation::tile_products;
    same_within(1e-4, product, numbers<T, 2, 17, 24>(1), numbers<T, 24, 16>(2));
    CHECK(emulation::tile_products > before);
  }
  auto a = numbers<T, 16, 32>(1);
  auto b = numbers<T, 32, 16>(2);
  a(3, 5) = std::numeric_limits<T>::quiet_NaN();
  b(7, 2) = std::numeric_limits<T>::infinity();
  a(4, 1) = T::from_bits(1);
  same_within(1e-4, product, a, b);
}

TEST_CASE("cuda: products of 8-bit floats with scales are one kernel") {
  auto const layer = [](auto const& x, auto const& w, auto const& of_x, auto const& of_w) { return relu(matmul(x, w) * of_x * of_w); };
  auto const x = numbers<float8_e4m3fn, 40, 48>(1);
  auto const w = numbers<float8_e4m3fn, 48, 24>(2);
  auto const of_x = numbers<float, 40, 1>(3);
  tensor<float> const of_w(0.25f);
  same_within(1e-4, layer, x, w, of_x, of_w);
  long const before = emulation::launches;
  auto const there = to_cuda(x);
  auto const weight = to_cuda(w);
  auto const scale_x = to_cuda(of_x);
  auto const scale_w = to_cuda(of_w);
  static_cast<void>(compile(layer, cuda{})(there, weight, scale_x, scale_w));
  if (test::emulated) CHECK(emulation::launches - before == 1);
}

TEST_CASE("cuda: gradients of layers that multiply 8-bit floats") {
  auto const scaled = [](auto const& v, auto const& u) {
    auto const of_u = max(abs(u), axis<1>, keep_dims) / 448.0f;
    auto const of_v = max(abs(v)) / 448.0f;
    return mean(square(relu(matmul(cast<float8_e4m3fn>(u / of_u), transpose(cast<float8_e4m3fn>(v / of_v))) * of_u * of_v)));
  };
  same_within(1e-4, grad(scaled), numbers<float, 12, 16>(1), numbers<float, 9, 16>(2));
  auto const moved = [](auto const& v, auto const& u) { return sum(cast<float>(matmul(cast<float8_e4m3fn>(u), transpose(dynamic_slice<0, 4>(cast<float8_e4m3fn>(v), cast<std::int32_t>(max(u) * 0.0f)))))); };
  same_within(1e-4, grad(moved), numbers<float, 12, 16>(1), numbers<float, 9, 16>(2));
}
