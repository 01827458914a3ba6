// The kernels of convolutions and their gradients on one thread, beside oneDNN where it is installed: in the layouts that it chooses for itself, into which nothing is counted for
// reordering (blocked), and in the plain layout that dimity's tensors have (plain). peak is the share of the fused multiply-adds that this machine can do.
#include <dimity/exec/cpu/convolution.hpp>

#include <benchmark/benchmark.h>

#ifdef DIMITY_BENCHMARK_ONEDNN
#include <dnnl.hpp>
#endif

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include <unistd.h>

using namespace dimity;
using namespace dimity::detail;

namespace {

struct problem {
  char const* name;
  extent_t batch;
  convolution_geometry g;
};
convolution_geometry square(extent_t groups, extent_t in_channels, extent_t out_channels, extent_t in, extent_t kernel, extent_t stride, extent_t before) {
  extent_t const out = (in + 2 * before - kernel) / stride + 1;
  return {groups, in_channels, out_channels, {in, in}, {kernel, kernel}, {out, out}, {stride, stride}, {1, 1}, {before, before}};
}
std::vector<problem> problems() {
  return {
      {"1x28x28_to_8_3x3", 32, square(1, 1, 8, 28, 3, 1, 1)},
      {"1x28x28_to_32_3x3", 32, square(1, 1, 32, 28, 3, 1, 1)},
      {"16x28x28_to_32_3x3", 8, square(1, 16, 32, 28, 3, 1, 1)},
      {"32x14x14_to_64_3x3", 8, square(1, 32, 64, 14, 3, 1, 1)},
      {"32x14x14_to_64_3x3_stride_2", 8, square(1, 32, 64, 14, 3, 2, 1)},
      {"64x7x7_to_128_3x3", 8, square(1, 64, 128, 7, 3, 1, 1)},
      {"64x56x56_to_64_3x3", 1, square(1, 64, 64, 56, 3, 1, 1)},
      {"256x14x14_to_256_1x1", 4, square(1, 256, 256, 14, 1, 1, 0)},
      {"64x56x56_depthwise_3x3", 1, square(64, 1, 1, 56, 3, 1, 1)},
      {"3x224x224_to_64_7x7_stride_2", 1, square(1, 3, 64, 224, 7, 2, 3)},
      {"16x1024_to_16_9_dilation_4", 8, {1, 16, 16, {1, 1024}, {1, 9}, {1, 1024}, {1, 1}, {1, 4}, {0, 16}}},
  };
}

struct release {
  void operator()(float* p) const { std::free(p); }
};
using memory = std::unique_ptr<float[], release>;
memory filled(extent_t n) {
  memory m(static_cast<float*>(std::aligned_alloc(64, (static_cast<std::size_t>(n) * sizeof(float) + 127) / 64 * 64)));
  std::mt19937 random(1);
  std::uniform_real_distribution<float> uniform(-1, 1);
  for (extent_t i = 0; i < n; ++i) m[static_cast<std::size_t>(i)] = uniform(random);
  return m;
}

struct tensors {
  extent_t x_stride[4], w_stride[4], y_stride[4];
  memory x, w, y;
  explicit tensors(problem const& p) {
    convolution_geometry const& g = p.g;
    row_major(x_stride, g.groups * g.in_channels, g.in[0], g.in[1]);
    row_major(w_stride, g.in_channels, g.kernel[0], g.kernel[1]);
    row_major(y_stride, g.groups * g.out_channels, g.out[0], g.out[1]);
    x = filled(p.batch * x_stride[0]);
    w = filled(g.groups * g.out_channels * w_stride[0]);
    y = filled(p.batch * y_stride[0]);
  }
  static void row_major(extent_t* stride, extent_t a, extent_t b, extent_t c) {
    stride[3] = 1;
    stride[2] = c;
    stride[1] = b * c;
    stride[0] = a * b * c;
  }
};

struct store {
  float* to;
  extent_t columns;
  DIMITY_INLINE void operator()(extent_t row, extent_t column, native_batch<float> const& x) const { x.store_unaligned(to + row * columns + column); }
  DIMITY_INLINE void operator()(extent_t row, extent_t column, native_batch<float> const& x, int count) const {
    store_first<float, native_lanes<float>()>(to + row * columns + column, {{x}}, count);
  }
};
struct store_images {
  float* to;
  extent_t image, columns;
  store operator()(extent_t n) const { return {to + n * image, columns}; }
};

enum class operation { forward, input_gradient, weight_gradient };
char const* const operation_names[] = {"forward", "input_gradient", "weight_gradient"};

double products_of(problem const& p) {
  convolution_geometry const& g = p.g;
  return static_cast<double>(p.batch * g.groups * g.out_channels * g.in_channels * g.kernel_size() * g.out_size());
}

/// Multiply-adds per second, of one thread.
double peak_rate() {
  using batch = native_batch<float>;
  batch sum[10];
  for (batch& s : sum) s = batch(0.f);
  batch const x(0.5f);
  double best = 0;
  for (int attempt = 0; attempt < 20; ++attempt) {
    constexpr int steps = 1000000;
    auto const start = std::chrono::steady_clock::now();
    for (int i = 0; i < steps; ++i) {
      sum[0] = fma(x, sum[0], x), sum[1] = fma(x, sum[1], x), sum[2] = fma(x, sum[2], x), sum[3] = fma(x, sum[3], x), sum[4] = fma(x, sum[4], x);
      sum[5] = fma(x, sum[5], x), sum[6] = fma(x, sum[6], x), sum[7] = fma(x, sum[7], x), sum[8] = fma(x, sum[8], x), sum[9] = fma(x, sum[9], x);
    }
    double const seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    best = std::max(best, 10.0 * steps * native_lanes<float>() / seconds);
    benchmark::DoNotOptimize(sum);
  }
  return best;
}
double const peak = peak_rate();

void report(benchmark::State& state, problem const& p) {
  double const products = products_of(p) * static_cast<double>(state.iterations());
  state.counters["GFLOP/s"] = benchmark::Counter(2e-9 * products, benchmark::Counter::kIsRate);
  state.counters["peak"] = benchmark::Counter(products / peak, benchmark::Counter::kIsRate);
}

void run_dimity(benchmark::State& state, problem const& p, operation what) {
  convolution_geometry const& g = p.g;
  tensors t(p);
  memory const scratch = filled(std::max({convolution_forward_scratch(g, 4), convolution_input_gradient_scratch(g, 4), convolution_weight_gradient_scratch(g, 4)}));
  for (auto _ : state) {
    if (what == operation::forward)
      convolution_forward(g, p.batch, t.x.get(), t.x_stride, t.w.get(), t.w_stride, scratch.get(), store_images{t.y.get(), t.y_stride[0], t.y_stride[1]});
    else if (what == operation::input_gradient)
      convolution_input_gradient(g, p.batch, t.y.get(), t.y_stride, t.w.get(), t.w_stride, scratch.get(), store_images{t.x.get(), t.x_stride[0], t.x_stride[1]});
    else convolution_weight_gradient(g, p.batch, t.x.get(), t.x_stride, t.y.get(), t.y_stride, scratch.get(), store{t.w.get(), t.w_stride[0]});
    benchmark::ClobberMemory();
  }
  report(state, p);
}

#ifdef DIMITY_BENCHMARK_ONEDNN
void run_onednn(benchmark::State& state, problem const& p, operation what, bool is_plain) {
  using tag = dnnl::memory::format_tag;
  convolution_geometry const& g = p.g;
  dnnl::engine const engine(dnnl::engine::kind::cpu, 0);
  dnnl::stream stream(engine);
  bool const grouped = g.groups > 1;
  dnnl::memory::dims weights = {g.groups * g.out_channels, g.in_channels, g.kernel[0], g.kernel[1]};
  if (grouped) weights = {g.groups, g.out_channels, g.in_channels, g.kernel[0], g.kernel[1]};
  auto const describe = [](dnnl::memory::dims const& dims, tag t) { return dnnl::memory::desc(dims, dnnl::memory::data_type::f32, t); };
  dnnl::memory::desc const x = describe({p.batch, g.groups * g.in_channels, g.in[0], g.in[1]}, is_plain ? tag::nchw : tag::any);
  dnnl::memory::desc const y = describe({p.batch, g.groups * g.out_channels, g.out[0], g.out[1]}, is_plain ? tag::nchw : tag::any);
  dnnl::memory::desc const w = describe(weights, is_plain ? (grouped ? tag::goihw : tag::oihw) : tag::any);
  dnnl::memory::dims const stride = {g.stride[0], g.stride[1]}, dilation = {g.dilation[0] - 1, g.dilation[1] - 1}, before = {g.before[0], g.before[1]};
  dnnl::memory::dims after(2);
  for (std::size_t i = 0; i < 2; ++i) after[i] = (g.out[i] - 1) * g.stride[i] + (g.kernel[i] - 1) * g.dilation[i] + 1 - g.in[i] - g.before[i];
  auto const algorithm = dnnl::algorithm::convolution_direct;
  dnnl::convolution_forward::primitive_desc const forward({dnnl::prop_kind::forward_training, algorithm, x, w, y, stride, dilation, before, after}, engine);
  auto const measure = [&](auto const& primitive, dnnl::memory::desc const& dx, dnnl::memory::desc const& dw, dnnl::memory::desc const& dy, int x_as, int w_as, int y_as) {
    dnnl::memory mx(dx, engine), mw(dw, engine), my(dy, engine);
    for (dnnl::memory const* m : {&mx, &mw, &my}) {
      auto* const data = static_cast<float*>(m->get_data_handle());
      for (std::size_t i = 0; i < m->get_desc().get_size() / sizeof(float); ++i) data[i] = 0.25f;
    }
    for (auto _ : state) {
      primitive.execute(stream, {{x_as, mx}, {w_as, mw}, {y_as, my}});
      stream.wait();
    }
  };
  if (what == operation::forward) {
    measure(dnnl::convolution_forward(forward), forward.src_desc(), forward.weights_desc(), forward.dst_desc(), DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DST);
  } else if (what == operation::input_gradient) {
    dnnl::convolution_backward_data::primitive_desc const d({algorithm, x, w, y, stride, dilation, before, after}, engine, forward);
    measure(dnnl::convolution_backward_data(d), d.diff_src_desc(), d.weights_desc(), d.diff_dst_desc(), DNNL_ARG_DIFF_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DIFF_DST);
  } else {
    dnnl::convolution_backward_weights::primitive_desc const d({algorithm, x, w, y, stride, dilation, before, after}, engine, forward);
    measure(dnnl::convolution_backward_weights(d), d.src_desc(), d.diff_weights_desc(), d.diff_dst_desc(), DNNL_ARG_SRC, DNNL_ARG_DIFF_WEIGHTS, DNNL_ARG_DIFF_DST);
  }
  report(state, p);
}
#endif

}  // namespace

int main(int count, char** arguments) {
  // The thread pool of oneDNN is made before main begins.
  if (std::getenv("OMP_NUM_THREADS") == nullptr) {
    setenv("OMP_NUM_THREADS", "1", 1);
    execv("/proc/self/exe", arguments);
  }
  for (problem const& p : problems())
    for (operation const what : {operation::forward, operation::input_gradient, operation::weight_gradient}) {
      std::string const name = std::string(p.name) + "/" + operation_names[static_cast<int>(what)];
      benchmark::RegisterBenchmark((name + "/dimity").c_str(), run_dimity, p, what);
#ifdef DIMITY_BENCHMARK_ONEDNN
      benchmark::RegisterBenchmark((name + "/onednn_blocked").c_str(), run_onednn, p, what, false);
      benchmark::RegisterBenchmark((name + "/onednn_plain").c_str(), run_onednn, p, what, true);
#endif
    }
  benchmark::Initialize(&count, arguments);
  if (benchmark::ReportUnrecognizedArguments(count, arguments)) return 1;
  benchmark::RunSpecifiedBenchmarks();
}
