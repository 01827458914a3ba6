// One thread beside two in one run, and what handing work over costs: the pool, OpenMP, and threads made for the purpose. report.py turns the result into tables.
#include "models.hpp"

#include <dimity/dimity.hpp>
#include <dimity/threads.hpp>

#include <benchmark/benchmark.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <thread>

using namespace dimity;

namespace {

template <class X>
X filled() {
  X x(uninitialized);
  for (std::size_t i = 0; i < x.size(); ++i) x.data()[i] = static_cast<typename X::value_type>(static_cast<float>((i * 37 + 11) % 101) / 101 - 0.5f);
  return x;
}

/// `f` is called with the number of threads; the result takes the memory of the one before.
template <class F>
void both(std::string const& name, F f) {
  for (int const threads : {1, 2})
    benchmark::RegisterBenchmark((name + "/" + std::to_string(threads)).c_str(), [=](benchmark::State& s) {
      for (auto _ : s) {
        f(cpu{.threads = threads});
        benchmark::ClobberMemory();
      }
    })->UseRealTime();
}

template <extent_t N>
void add_lines() {
  using line = tensor<float, N>;
  static line x = filled<line>(), y = filled<line>(), z(uninitialized);
  std::string const n = " " + std::to_string(N) + " floats";
  both("x + y," + n, [](cpu c) { assign(z, x + y, c); });
  both("GELU(x y)," + n, [](cpu c) { assign(z, gelu_tanh(x * y), c); });
  both("sum of squares," + n, [](cpu c) {
    tensor<float> total;
    assign(total, sum(square(x - y)), c);
    benchmark::DoNotOptimize(total);
  });
}
template <extent_t R, extent_t C>
void add_rows() {
  using block = tensor<float, R, C>;
  static block x = filled<block>(), y(uninitialized);
  static tensor<float, C> column(uninitialized);
  std::string const n = " " + std::to_string(R) + " x " + std::to_string(C);
  both("softmax," + n, [](cpu c) { assign(y, softmax(x, axis<-1>), c); });
  both("layer norm," + n, [](cpu c) { assign(y, (x - mean(x, axis<-1>, keep_dims)) * rsqrt(var(x, axis<-1>, keep_dims) + 1e-5f), c); });
  both("sum over rows," + n, [](cpu c) { assign(column, sum(x * x, axis<0>), c); });
}
template <extent_t N>
void add_product() {
  using square_matrix = tensor<float, N, N>;
  static square_matrix a = filled<square_matrix>(), b = filled<square_matrix>(), y(uninitialized);
  both("product, " + std::to_string(N), [](cpu c) { assign(y, matmul(a, b), c); });
}

template <extent_t Batch>
void add_training() {
  static auto model = nn::init<models::classifier<float>>(key{1});
  static auto x = filled<tensor<float, Batch, 784>>();
  static tensor<std::int32_t, Batch> labels;
  for (int i = 0; i < Batch; ++i) labels(i) = i % 10;
  both("MLP 784-256-128-10, loss and gradients, batch " + std::to_string(Batch), [](cpu c) {
    auto r = compile(models::gradients<models::label_loss>, c)(model, x, labels);
    benchmark::DoNotOptimize(r);
  });
}
void add_convolution() {
  static auto images = filled<tensor<float, 32, 16, 28, 28>>();
  static auto kernels = filled<tensor<float, 32, 16, 3, 3>>();
  static tensor<float, 32, 32, 28, 28> y(uninitialized);
  both("convolution 3 x 3, 32 images 16 x 28 x 28, 32 channels", [](cpu c) { assign(y, relu(conv2d<convolution_options{.padding = 1}>(images, kernels)), c); });
}

constexpr auto policy = [](auto const& x, auto const& a, auto const& b, auto const& c) { return matmul(tanh(matmul(tanh(matmul(x, a)), b)), c); };
void add_inference() {
  static auto x = filled<tensor<float, 64, 48>>();
  static auto a = filled<tensor<float, 48, 256>>();
  static auto b = filled<tensor<float, 256, 128>>();
  static auto c = filled<tensor<float, 128, 12>>();
  both("policy MLP 48-256-128-12, batch 64", [](cpu d) {
    auto y = compile(policy, d)(x, a, b, c);
    benchmark::DoNotOptimize(y);
  });
  static auto xs = filled<tensor<float, 128, 64>>();
  static auto w = filled<tensor<float, 64, 256>>();
  static auto u = filled<tensor<float, 64, 256>>();
  static auto bias = filled<tensor<float, 256>>();
  both("LSTM of width 64, 128 steps", [](cpu d) {
    auto hs = compile(models::lstm<64>, d)(xs, w, u, bias);
    benchmark::DoNotOptimize(hs);
  });
}

/// Until both have begun: nobody takes over what has.
void meet() {
  std::atomic<int> begun{0};
  detail::run_shares(2, [&](int) {
    ++begun;
    while (begun < 2) detail::relax();
  });
}
template <class F>
void hand_over(benchmark::State& s, F const& f) {
  detail::device_scope<cpu> const scope(cpu{.threads = 2});
  for (auto _ : s) f();
}
template <class F>
void hand_over_rarely(benchmark::State& s, F const& f) {
  detail::device_scope<cpu> const scope(cpu{.threads = 2});
  for (auto _ : s) {
    s.PauseTiming();
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    s.ResumeTiming();
    f();
  }
}
void take_over() {
  detail::run_shares(2, [](int share) { benchmark::DoNotOptimize(share); });
}
void open_mp(benchmark::State& s) {
  for (auto _ : s) {
#pragma omp parallel num_threads(2)
    {
      int share = 0;
      benchmark::DoNotOptimize(share);
    }
  }
}
void fresh_thread(benchmark::State& s) {
  for (auto _ : s) std::thread([] {}).join();
}

}  // namespace

int main(int count, char** arguments) {
  benchmark::RegisterBenchmark("hand over/pool, awake", [](benchmark::State& s) { hand_over(s, meet); })->UseRealTime();
  benchmark::RegisterBenchmark("hand over/pool, asleep", [](benchmark::State& s) { hand_over_rarely(s, meet); })->UseRealTime()->Iterations(200);
  benchmark::RegisterBenchmark("hand over/pool, asleep, taken over", [](benchmark::State& s) { hand_over_rarely(s, take_over); })->UseRealTime()->Iterations(200);
  benchmark::RegisterBenchmark("hand over/OpenMP", open_mp)->UseRealTime();
  benchmark::RegisterBenchmark("hand over/a new thread", fresh_thread)->UseRealTime();
  add_lines<4096>();
  add_lines<65536>();
  add_lines<1048576>();
  add_lines<16777216>();
  add_rows<64, 64>();
  add_rows<1024, 1024>();
  add_product<64>();
  add_product<128>();
  add_product<256>();
  add_product<512>();
  add_product<1024>();
  add_inference();
  add_training<32>();
  add_training<256>();
  add_convolution();
  benchmark::Initialize(&count, arguments);
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
}
