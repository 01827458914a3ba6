#include "on_cuda.hpp"

#include <iterator>

using namespace dimity;
using test::numbers, test::same_on_cuda, test::same_within;

namespace {
constexpr auto layer_norm_of = [](auto const& x, auto const& gamma) {
  auto const centered = x - mean(x, axis<-1>, keep_dims);
  return centered * rsqrt(mean(square(centered), axis<-1>, keep_dims) + 1e-5) * gamma;
};
constexpr auto softmax_loss = [](auto const& x, auto const& w) { return sum(softmax(x, axis<-1>) * w); };
constexpr auto norm_loss = [](auto const& x, auto const& gamma, auto const& w) { return sum(layer_norm_of(x, gamma) * w); };
}  // namespace

TEST_CASE("cuda: rows of every length: a few threads, a warp, a block, several kernels") {
  auto const rows = [](auto const& x) { return std::tuple{softmax(x, axis<-1>), logsumexp(x, axis<-1>)}; };
  same_on_cuda(rows, numbers<float, 9, 1>(1));
  same_on_cuda(rows, numbers<float, 3, 10>(1));
  same_on_cuda(rows, numbers<float, 40, 64>(1));
  same_on_cuda(rows, numbers<float, 3, 1027>(1));
  same_on_cuda(rows, numbers<float, 2, 6000>(1));
  same_on_cuda(rows, numbers<float, 2, 40000>(1));
  same_on_cuda(rows, numbers<double, 5, 1000>(1));
}

TEST_CASE("cuda: normalisation, forwards and backwards") {
  auto const gradients = grad<0, 1>(norm_loss);
  same_on_cuda(layer_norm_of, numbers<float, 6, 48>(1), numbers<float, 48>(2));
  same_within(1e-4, gradients, numbers<float, 70, 500>(1), numbers<float, 500>(2), numbers<float, 70, 500>(3));
  same_within(1e-4, grad(softmax_loss), numbers<float, 2, 20000>(1), numbers<float, 2, 20000>(3));
}

TEST_CASE("cuda: a number of a row, for each of its elements") {
  auto const loss = [](auto const& x) { return sum(square(sum(x, axis<-1>))); };
  same_within(1e-4, grad(loss), numbers<float, 5, 7>(1));
  same_within(1e-4, grad(loss), numbers<float, 8, 100>(1));
  same_within(1e-4, grad(loss), numbers<float, 3, 3000>(1));
  same_within(1e-4, [](auto const& x) { return std::tuple{softmax(x, axis<-1>), broadcast_to<6, 40>(mean(x, axis<-1>, keep_dims)), ones<float, 6, 40>()}; }, numbers<float, 6, 40>(1));
}

TEST_CASE("cuda: reductions over any axes") {
  auto const some = [](auto const& x) {
    return std::tuple{sum(x), sum(x, axis<0>), sum(x, axis<1>), sum(x, axis<2>), sum(x, axis<0, 1>), sum(x, axis<0, 2>), sum(x, axis<1, 2>), mean(x, axis<1>), var(x, axis<0, 2>), prod(x * 0.1f + 1.0f, axis<0>), min(x, axis<1>), max(x)};
  };
  same_within(1e-4, some, numbers<float, 3, 70, 33>(1));
  same_within(1e-4, [](auto const& x) { return std::tuple{sum(x), sum(x, axis<0>), sum(x, axis<1>)}; }, numbers<float, 900, 130>(1));
  same_within(1e-4, [](auto const& x) { return sum(x); }, numbers<float, 300001>(1));
  same_on_cuda([](auto const& x) { return std::tuple{sum(x), max(x, axis<0>), prod(x, axis<1>)}; }, numbers<std::int32_t, 40, 9>(1));
  same_on_cuda([](auto const& x) { return std::tuple{sum(x, axis<0>), sum(x, axis<1>), sum(x)}; }, numbers<float, 0, 5>(1));
}

TEST_CASE("cuda: a nan is seen by maximum and minimum wherever it is") {
  tensor<float, 3, 70> x = numbers<float, 3, 70>(1);
  x(1, 69) = std::numeric_limits<float>::quiet_NaN();
  x(2, 0) = std::numeric_limits<float>::infinity();
  same_on_cuda([](auto const& v) { return std::tuple{max(v, axis<1>), min(v, axis<1>), max(v, axis<0>), max(v)}; }, x);
}

TEST_CASE("cuda: sums are the same every time") {
  auto const x = to_cuda(numbers<float, 1000, 97>(1));
  auto const sums = [](auto const& v) { return std::tuple{sum(v), sum(v, axis<0>), sum(v, axis<1>)}; };
  auto const first = to_host(compile(sums, cuda{})(x));
  emulation::order = test::schedules[std::size(test::schedules) - 1];
  auto const second = to_host(compile(sums, cuda{})(x));
  emulation::order = emulation::schedule::round_robin;
  CHECK(float(std::get<0>(first)) == float(std::get<0>(second)));
  test::check_close(std::get<1>(first), std::get<1>(second), 0);
  test::check_close(std::get<2>(first), std::get<2>(second), 0);
}

#ifdef DIMITY_CUDA_EMULATION
TEST_CASE("cuda: a missing barrier is noticed") {
  auto const x = numbers<float, 2, 6000>(1);
  auto const wanted = compile(softmax_loss)(x, x);
  auto const run = [&] { return float(to_host(compile(softmax_loss, cuda{})(to_cuda(x), to_cuda(x)))); };
  CHECK(run() == doctest::Approx(float(wanted)).epsilon(1e-4));
  // In turn: the threads stay so close together that nothing shows. One that runs ahead reads what others have not written.
  bool noticed = false;
  emulation::barrier_to_skip = -2;
  for (emulation::schedule const order : test::schedules) {
    emulation::order = order;
    float const got = run();
    noticed = noticed || !(got == doctest::Approx(float(wanted)).epsilon(1e-4));
  }
  emulation::barrier_to_skip = -1;
  emulation::order = emulation::schedule::round_robin;
  CHECK(noticed);
}

TEST_CASE("cuda: kernels of a plan") {
  // One kernel reads a row once, whatever is made of it.
  auto const x = to_cuda(numbers<float, 40, 256>(1));
  auto const launches = [](auto const& f, auto const&... args) {
    long const before = emulation::launches;
    static_cast<void>(compile(f, cuda{})(args...));
    return emulation::launches - before;
  };
  CHECK(launches([](auto const& v) { return softmax(v, axis<-1>); }, x) == 1);
  CHECK(launches(layer_norm_of, x, to_cuda(numbers<float, 256>(2))) == 1);
  CHECK(launches([](auto const& v) { return std::tuple{log_softmax(v, axis<-1>), logsumexp(v, axis<-1>)}; }, x) == 1);
}
#endif
