// Rows that do not stay in registers: too long, or of a length that is chosen at run time.
// heavy: rows of thousands of elements, of which each thread of a block has some
#include "on_cuda.hpp"

using namespace dimity;
using test::numbers, test::same_on_cuda, test::same_within;

namespace {

constexpr auto softmaxes = [](auto const& x) { return std::tuple{softmax(x, axis<-1>), logsumexp(x, axis<-1>)}; };
constexpr auto layer_norm_of = [](auto const& x, auto const& gamma) {
  auto const centered = x - mean(x, axis<-1>, keep_dims);
  return centered * rsqrt(mean(square(centered), axis<-1>, keep_dims) + 1e-5) * gamma;
};
constexpr auto norm_loss = [](auto const& x, auto const& gamma, auto const& w) { return sum(layer_norm_of(x, gamma) * w); };
constexpr extent_t many = dim<"rows">, length = dim<"length">;

template <class F, class... X>
long launches(F const& f, X const&... x) {
  long const before = emulation::launches;
  static_cast<void>(compile(f, cuda{})(x...));
  return emulation::launches - before;
}

}  // namespace

TEST_CASE("cuda: rows that are too long for registers") {
  same_on_cuda(softmaxes, numbers<float, many, 20000>(1, 3));
  same_on_cuda(softmaxes, numbers<float, many, 17003>(1, 2));  // no packets, an odd end
  same_on_cuda(softmaxes, numbers<double, many, 9000>(1, 2));
  same_on_cuda([](auto const& x) { return softmax(x, axis<-1>); }, numbers<bfloat16, many, 40000>(1, 2));
  same_on_cuda(softmaxes, numbers<float, many, 20000>(1, 0));
}

TEST_CASE("cuda: rows of every length, chosen at run time") {
  for (int n : {1, 7, 127, 128, 129, 511, 512, 3000}) {
    CAPTURE(n);
    same_on_cuda(softmaxes, numbers<float, many, length>(1, 3, n));
  }
  for (int n : {1, 130}) {
    CAPTURE(n);
    same_on_cuda(softmaxes, numbers<float, many, length, 4>(1, 3, n));
    same_on_cuda([](auto const& x) { return softmax(x, axis<1, 2>); }, numbers<float, many, length, 4>(1, 3, n));
    same_on_cuda([](auto const& x) { return std::tuple{max(x, axis<-1>), any(x > 3.0f, axis<-1>), x - mean(x, axis<-1>, keep_dims)}; }, numbers<float, many, length>(1, 3, n));
    same_within(1e-4, layer_norm_of, numbers<float, many, length>(1, 5, n), numbers<float, length>(2, n));
    same_within(1e-4, grad<0>(norm_loss), numbers<float, many, length>(1, 5, n), numbers<float, length>(2, n), numbers<float, many, length>(3, 5, n));
  }
  same_on_cuda([](auto const& x) { return std::tuple{sum(x, axis<-1>), x * sum(x, axis<-1>, keep_dims)}; }, numbers<float, many, length>(1, 3, 0));
}

TEST_CASE("cuda: long rows in place") {
  auto const x = numbers<float, many, length>(1, 4, 700);
  cuda_tensor<float, many, length> y(x);
  float const* const memory = y.data();
  y = softmax(y * 2.0f, axis<-1>);
  CHECK(y.data() == memory);
  test::check_close(to_host(y), eval(softmax(x * 2.0f, axis<-1>)), 1e-5);
}

#ifdef DIMITY_CUDA_EMULATION
TEST_CASE("cuda: long rows are one kernel where there are many of them") {
  auto const soft = [](auto const& x) { return softmax(x, axis<-1>); };
  CHECK(launches(soft, cuda_tensor<float, many, length>(3, 5)) == 1);
  CHECK(launches(soft, cuda_tensor<float, many, 20000>(3)) == 1);
  CHECK(launches(soft, cuda_tensor<float, 132, 20000>()) == 1);
  // Few rows are divided among the multiprocessors.
  CHECK(launches(soft, cuda_tensor<float, 8, 20000>()) > 1);
  CHECK(launches(soft, cuda_tensor<float, 8, length>(100)) > 1);
}

TEST_CASE("cuda: a missing barrier of a long row is noticed") {
  auto const x = numbers<float, many, 20000>(1, 2);
  auto const there = to_cuda(x);
  tensor<float, many, 20000> const wanted = softmax(x, axis<-1>);
  auto const soft = compile([](auto const& v) { return softmax(v, axis<-1>); }, cuda{});
  bool noticed = false;
  emulation::barrier_to_skip = -2;
  for (emulation::schedule const order : test::schedules) {
    emulation::order = order;
    auto const got = to_host(soft(there));
    for (std::size_t i = 0; i < got.size(); ++i) noticed = noticed || !(std::abs(got.data()[i] - wanted.data()[i]) <= 1e-4f * std::abs(wanted.data()[i]));
  }
  emulation::barrier_to_skip = -1;
  emulation::order = emulation::schedule::round_robin;
  CHECK(noticed);
}
#endif
