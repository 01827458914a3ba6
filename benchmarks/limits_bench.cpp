// dimity beside the same work written by hand with xsimd (hand_written.hpp), in one run. report.py turns the result into a table.
#include <dimity/dimity.hpp>

#include "hand_written.hpp"

#include <benchmark/benchmark.h>

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <new>

using namespace dimity;

namespace {

std::atomic<std::size_t> allocations{0};

template <class Tensor>
Tensor filled(double scale, double offset = 0) {
  Tensor t(uninitialized);
  std::uint32_t state = 12345;
  for (auto& e : t) {
    state = state * 1664525u + 1013904223u;
    e = static_cast<typename Tensor::value_type>((state >> 8) * 0x1p-24 * scale + offset);
  }
  return t;
}

/// Counts allocations per iteration beside the time.
template <class F>
void measure(benchmark::State& state, F const& f) {
  f();
  std::size_t const before = allocations;
  for (auto _ : state) {
    f();
    benchmark::ClobberMemory();
  }
  state.counters["allocations"] = static_cast<double>(allocations - before);
}

using line = tensor<float, 4096>;
line const a = filled<line>(2, -1), b = filled<line>(1), c = filled<line>(1);
line y_line;

void multiply_add_dimity(benchmark::State& s) {
  measure(s, [] { y_line = a * b + c; });
}
void multiply_add_hand(benchmark::State& s) {
  measure(s, [] { hand::multiply_add(a.data(), b.data(), c.data(), y_line.data(), 4096); });
}
void gelu_dimity(benchmark::State& s) {
  measure(s, [] { y_line = gelu_tanh(a); });
}
void gelu_hand(benchmark::State& s) {
  measure(s, [] { hand::gelu_tanh(a.data(), y_line.data(), 4096); });
}

using block = tensor<float, 64, 256>;
block const x_block = filled<block>(8, -4);
tensor<float, 256> const gamma_row = filled<tensor<float, 256>>(1), beta_row = filled<tensor<float, 256>>(1);
block y_block;

void softmax_dimity(benchmark::State& s) {
  measure(s, [] { y_block = softmax(x_block, axis<-1>); });
}
void softmax_hand(benchmark::State& s) {
  measure(s, [] { hand::softmax(x_block.data(), y_block.data(), 64, 256); });
}
void layer_norm_dimity(benchmark::State& s) {
  measure(s, [] {
    y_block = (x_block - mean(x_block, axis<-1>, keep_dims)) * rsqrt(var(x_block, axis<-1>, keep_dims) + 1e-5f) * gamma_row + beta_row;
  });
}
void layer_norm_hand(benchmark::State& s) {
  measure(s, [] { hand::layer_norm(x_block.data(), gamma_row.data(), beta_row.data(), y_block.data(), 64, 256); });
}

using vector = tensor<double, 1000>;
vector const x_vector = filled<vector>(5);
vector gradient = filled<vector>(0), hand_gradient = filled<vector>(0);

constexpr auto log_sum_exp = [](auto const& x) { return logsumexp(x); };
// The old gradient is passed in and moved: its memory becomes that of the new one.
constexpr auto log_sum_exp_step = compile([](auto const& x, auto) { return value_and_grad(log_sum_exp)(x); });

void log_sum_exp_dimity(benchmark::State& s) {
  measure(s, [] {
    auto r = log_sum_exp_step(x_vector, std::move(gradient));
    gradient = std::move(std::get<1>(r));
    benchmark::DoNotOptimize(r);
  });
}
void log_sum_exp_hand(benchmark::State& s) {
  measure(s, [] { benchmark::DoNotOptimize(hand::log_sum_exp(x_vector.data(), hand_gradient.data(), 1000)); });
}

constexpr auto gaussian = [](auto const& x, auto const& mu, auto const& sigma) {
  auto z = (x - mu) / sigma;
  return sum(-0.5 * square(z) - log(sigma));
};
constexpr auto gaussian_step = compile([](auto const& x, auto const& mu, auto const& sigma, auto) { return value_and_grad<0, 1, 2>(gaussian)(x, mu, sigma); });

void gaussian_dimity(benchmark::State& s) {
  tensor<double> mu(0.3), sigma(1.7);
  measure(s, [&] {
    auto r = gaussian_step(x_vector, mu, sigma, std::move(gradient));
    gradient = std::move(std::get<0>(std::get<1>(r)));
    benchmark::DoNotOptimize(r);
  });
}
void gaussian_hand(benchmark::State& s) {
  double mu = 0.3, sigma = 1.7, gmu = 0, gsigma = 0;
  benchmark::DoNotOptimize(mu);
  benchmark::DoNotOptimize(sigma);
  measure(s, [&] {
    benchmark::DoNotOptimize(hand::gaussian(x_vector.data(), mu, sigma, hand_gradient.data(), &gmu, &gsigma, 1000));
    benchmark::DoNotOptimize(gmu);
    benchmark::DoNotOptimize(gsigma);
  });
}

template <class T>
struct mlp {
  nn::linear<T, 32, 64> hidden;
  nn::linear<T, 64, 10> output;
  constexpr auto operator()(auto const& x) const { return output(tanh(hidden(x))); }
};
constexpr auto mlp_loss = [](auto const& model, auto const& x, auto const& label) { return mean(nn::cross_entropy(model(x), label)); };
constexpr auto mlp_step = compile([](auto const& model, auto const& x, auto const& label, auto) { return value_and_grad(mlp_loss)(model, x, label); });

mlp<double> const model = nn::init<mlp<double>>(key{42});
mlp<double> model_gradient = model;
tensor<double, 1, 32> const sample = filled<tensor<double, 1, 32>>(2, -1);
tensor<std::int32_t, 1> const label = {3};

void mlp_dimity(benchmark::State& s) {
  measure(s, [] {
    auto r = mlp_step(model, sample, label, std::move(model_gradient));
    model_gradient = std::move(std::get<1>(r));
    benchmark::DoNotOptimize(r);
  });
}
void mlp_hand(benchmark::State& s) {
  mlp<double> g = model;
  measure(s, [&] {
    benchmark::DoNotOptimize(hand::mlp(sample.data(), label(0), model.hidden.weight.data(), model.hidden.bias.data(), model.output.weight.data(), model.output.bias.data(),
                                       g.hidden.weight.data(), g.hidden.bias.data(), g.output.weight.data(), g.output.bias.data()));
  });
}

constexpr extent_t steps = 128, width = 64;
using states = tensor<float, steps, width>;
using square_matrix = tensor<float, width, width>;
using state_vector = tensor<float, width>;
constexpr auto recurrent_cell = [](auto const& h, auto const& x, auto const& w, auto const& u, auto const& bias) {
  return std::tuple{tanh(matmul(h, w) + matmul(x, u) + bias), std::tuple<>{}};
};
constexpr auto recurrent_loss = [](auto const& weights, auto const& xs) {
  auto const& [w, u, bias] = weights;
  return sum(square(std::get<0>(scan(recurrent_cell, zeros<float, width>(), xs, w, u, bias))));
};
constexpr auto run_recurrence = compile(recurrent_loss);
constexpr auto run_recurrence_gradient = compile([](auto const& weights, auto const& xs, auto) { return value_and_grad(recurrent_loss)(weights, xs); });
using recurrent_weights = std::tuple<square_matrix, square_matrix, state_vector>;
recurrent_weights const weights{filled<square_matrix>(0.44, -0.22), filled<square_matrix>(0.2, -0.1), filled<state_vector>(0.2, -0.1)};
recurrent_weights weight_gradients = weights;
states const sequence = filled<states>(2, -1);

// The number of steps chosen at run time: one binary for all.
tensor<float, dim<"time">, width> const long_as_needed = sequence;

template <class Sequence>
void recurrence(benchmark::State& s, Sequence const& xs) {
  measure(s, [&] {
    auto r = run_recurrence(weights, xs);
    benchmark::DoNotOptimize(r);
  });
}
void recurrence_dimity(benchmark::State& s) { recurrence(s, sequence); }
void recurrence_run_time_dimity(benchmark::State& s) { recurrence(s, long_as_needed); }
void recurrence_hand(benchmark::State& s) {
  static tensor<float, steps + 1, width> hs{};
  auto const& [w, u, bias] = weights;
  measure(s, [&] { benchmark::DoNotOptimize(hand::recurrence(sequence.data(), w.data(), u.data(), bias.data(), hs.data(), steps, width)); });
}
template <class Sequence>
void recurrence_gradient(benchmark::State& s, Sequence const& xs) {
  measure(s, [&] {
    auto r = run_recurrence_gradient(weights, xs, std::move(weight_gradients));
    weight_gradients = std::move(std::get<1>(r));
    benchmark::DoNotOptimize(r);
  });
}
void recurrence_gradient_dimity(benchmark::State& s) { recurrence_gradient(s, sequence); }
void recurrence_gradient_run_time_dimity(benchmark::State& s) { recurrence_gradient(s, long_as_needed); }
void recurrence_gradient_hand(benchmark::State& s) {
  static tensor<float, steps + 1, width> hs{};
  static states gs;
  static square_matrix transposed;
  static recurrent_weights gradients = weights;
  auto const& [w, u, bias] = weights;
  auto& [gw, gu, gb] = gradients;
  measure(s, [&] {
    benchmark::DoNotOptimize(hand::recurrence_gradient(sequence.data(), w.data(), u.data(), bias.data(), hs.data(), gs.data(), transposed.data(), gw.data(), gu.data(), gb.data(), steps, width));
  });
}

BENCHMARK(multiply_add_dimity)->Name("multiply-add, 4096 floats/dimity");
BENCHMARK(multiply_add_hand)->Name("multiply-add, 4096 floats/hand");
BENCHMARK(gelu_dimity)->Name("GELU (tanh), 4096 floats/dimity");
BENCHMARK(gelu_hand)->Name("GELU (tanh), 4096 floats/hand");
BENCHMARK(softmax_dimity)->Name("softmax, 64 x 256 floats/dimity");
BENCHMARK(softmax_hand)->Name("softmax, 64 x 256 floats/hand");
BENCHMARK(layer_norm_dimity)->Name("layer norm, 64 x 256 floats/dimity");
BENCHMARK(layer_norm_hand)->Name("layer norm, 64 x 256 floats/hand");
BENCHMARK(log_sum_exp_dimity)->Name("log-sum-exp and gradient, 1000 doubles/dimity");
BENCHMARK(log_sum_exp_hand)->Name("log-sum-exp and gradient, 1000 doubles/hand");
BENCHMARK(gaussian_dimity)->Name("Gaussian log-likelihood and gradients, 1000 doubles/dimity");
BENCHMARK(gaussian_hand)->Name("Gaussian log-likelihood and gradients, 1000 doubles/hand");
BENCHMARK(mlp_dimity)->Name("MLP 32-64-10 loss and gradient, batch 1, double/dimity");
BENCHMARK(mlp_hand)->Name("MLP 32-64-10 loss and gradient, batch 1, double/hand");
BENCHMARK(recurrence_dimity)->Name("recurrence, width 64, 128 steps, float/dimity");
BENCHMARK(recurrence_hand)->Name("recurrence, width 64, 128 steps, float/hand");
BENCHMARK(recurrence_run_time_dimity)->Name("recurrence, width 64, 128 steps chosen at run time, float/dimity");
BENCHMARK(recurrence_hand)->Name("recurrence, width 64, 128 steps chosen at run time, float/hand");
BENCHMARK(recurrence_gradient_dimity)->Name("recurrence and gradients, width 64, 128 steps, float/dimity");
BENCHMARK(recurrence_gradient_hand)->Name("recurrence and gradients, width 64, 128 steps, float/hand");
BENCHMARK(recurrence_gradient_run_time_dimity)->Name("recurrence and gradients, width 64, 128 steps chosen at run time, float/dimity");
BENCHMARK(recurrence_gradient_hand)->Name("recurrence and gradients, width 64, 128 steps chosen at run time, float/hand");

}  // namespace

void* operator new(std::size_t n) {
  ++allocations;
  if (void* p = std::malloc(n)) return p;
  throw std::bad_alloc{};
}
void* operator new(std::size_t n, std::align_val_t align) {
  ++allocations;
  auto const a = static_cast<std::size_t>(align);
  if (void* p = std::aligned_alloc(a, (n + a - 1) / a * a)) return p;
  throw std::bad_alloc{};
}
void operator delete(void* p) noexcept { std::free(p); }
void operator delete(void* p, std::size_t) noexcept { std::free(p); }
void operator delete(void* p, std::align_val_t) noexcept { std::free(p); }
void operator delete(void* p, std::size_t, std::align_val_t) noexcept { std::free(p); }

BENCHMARK_MAIN();
