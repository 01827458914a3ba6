#include "on_cuda.hpp"

using namespace dimity;
using test::numbers, test::same_within;

namespace {
constexpr auto transform = [](auto const& re, auto const& im) { return fft::fft(re, im); };
constexpr auto back = [](auto const& re, auto const& im) { return fft::ifft(re, im); };
constexpr auto real = [](auto const& x) { return fft::rfft(x); };
constexpr auto there_and_back = [](auto const& x) {
  auto const [re, im] = fft::rfft(x);
  return fft::irfft<3000>(re, im);
};
}  // namespace

TEST_CASE_TEMPLATE("cuda: Fourier transforms of every kind of length", T, float, double) {
  double const tolerance = std::is_same_v<T, float> ? 2e-5 : 1e-12;
  same_within(tolerance, transform, numbers<T, 3, 1>(1), numbers<T, 3, 1>(2));
  same_within(tolerance, transform, numbers<T, 3, 2>(1), numbers<T, 3, 2>(2));
  same_within(tolerance, transform, numbers<T, 40, 16>(1), numbers<T, 40, 16>(2));  // several lines to a block, the last block not full
  same_within(tolerance, back, numbers<T, 60>(2), numbers<T, 60>(3));
  same_within(tolerance, transform, numbers<T, 2, 105>(3), numbers<T, 2, 105>(4));
  same_within(tolerance, transform, numbers<T, 101>(4), numbers<T, 101>(5));
  same_within(tolerance, back, numbers<T, 2, 512>(5), numbers<T, 2, 512>(6));
  same_within(tolerance, real, numbers<T, 3, 64>(6));
  same_within(tolerance, real, numbers<T, 3, 45>(7));
  same_within(tolerance, real, numbers<T, 1>(8));
  same_within(tolerance, [](auto const& re, auto const& im) { return std::tuple{fft::irfft<64>(re, im), fft::irfft<65>(re, im)}; }, numbers<T, 3, 33>(9), numbers<T, 3, 33>(10));
  // Through global memory.
  same_within(10 * tolerance, transform, numbers<T, 2, 2560>(10), numbers<T, 2, 2560>(11));
  same_within(10 * tolerance, there_and_back, numbers<T, 2, 3000>(11));
}

TEST_CASE("cuda: Fourier transforms of what lies anywhere, and their gradients") {
  same_within(2e-5, [](auto const& x) { return fft::rfft(transpose(x)); }, numbers<float, 48, 3>(1));
  same_within(2e-5, [](auto const& x) { return fft::rfft(x, axis<0>); }, numbers<float, 48, 3>(1));
  same_within(2e-5, [](auto const& x) { return fft::rfft(slice<1, 1, 31, 2>(x)); }, numbers<float, 3, 32>(2));
  same_within(1e-4, grad([](auto const& x) {
                auto const [re, im] = fft::rfft(x);
                return sum(square(re)) + sum(im * square(im));
              }),
              numbers<float, 3, 40>(3));
  same_within(1e-4, grad([](auto const& x, auto const& y) { return sum(square(fft::irfft<40>(x, y))); }), numbers<float, 3, 21>(4), numbers<float, 3, 21>(5));
  same_within(2e-5, transform, tensor<float, 0, 8>{}, tensor<float, 0, 8>{});
}

#ifdef DIMITY_CUDA_EMULATION
TEST_CASE("cuda: a Fourier transform is one kernel as long as it fits a block") {
  // Two more: both parts are put together before, and taken apart behind.
  auto const launches = [](auto const& x) {
    auto const there = to_cuda(x);
    long const before = emulation::launches;
    static_cast<void>(compile(transform, cuda{})(there, there));
    return emulation::launches - before;
  };
  CHECK(launches(numbers<float, 9, 2048>(1)) <= 1 + 4);
  CHECK(launches(numbers<double, 1024>(1)) <= 1 + 4);
  CHECK(launches(numbers<float, 4096>(1)) - launches(numbers<float, 2048>(1)) == 6);

  auto const x = numbers<float, 600>(2);
  auto const wanted = std::get<0>(compile(real)(x));
  bool noticed = false;
  emulation::barrier_to_skip = -2;
  for (emulation::schedule const order : test::schedules) {
    emulation::order = order;
    noticed = noticed || !allclose(std::get<0>(to_host(compile(real, cuda{})(to_cuda(x)))), wanted, 1e-3, 1e-3);
  }
  emulation::barrier_to_skip = -1;
  emulation::order = emulation::schedule::round_robin;
  CHECK(noticed);
}
#endif
