// Extents chosen at run time beside the same work with known ones, in one run: what one binary for every batch costs. report.py turns the result into a table.
#include <dimity/dimity.hpp>

#include <benchmark/benchmark.h>

#include <cstddef>
#include <string>

using namespace dimity;

namespace {

constexpr auto batch = dim<"batch">;

template <class X>
X filled(X x) {
  for (std::size_t i = 0; i < x.size(); ++i) x.data()[i] = static_cast<float>((i * 37 + 11) % 101) / 101 - 0.5f;
  return x;
}
template <extent_t N, extent_t... E>
auto known() {
  return filled(tensor<float, N, E...>(uninitialized));
}
template <extent_t N, extent_t... E>
auto chosen() {
  return filled(tensor<float, batch, E...>(N));
}

template <class F, class... Args>
void measure(benchmark::State& s, F const& f, Args const&... args) {
  for (auto _ : s) {
    auto r = f(args...);
    benchmark::DoNotOptimize(r);
    benchmark::ClobberMemory();
  }
}
template <class F, class X, class Y, class... Args>
void compare(std::string const& name, F f, X const& known_rows, Y const& chosen_rows, Args const&... args) {
  benchmark::RegisterBenchmark((name + "/run time").c_str(), [=](benchmark::State& s) { measure(s, f, chosen_rows, args...); });
  benchmark::RegisterBenchmark((name + "/known").c_str(), [=](benchmark::State& s) { measure(s, f, known_rows, args...); });
}

constexpr auto gelu_rows = compile([](auto const& x) { return gelu(x); });
constexpr auto softmax_rows = compile([](auto const& x) { return softmax(x, axis<-1>); });
constexpr auto column_means = compile([](auto const& x) { return mean(x, axis<0>); });
constexpr auto dense = compile([](auto const& x, auto const& w, auto const& b) { return relu(matmul(x, w) + b); });
constexpr auto policy = compile([](auto const& x, auto const& a, auto const& b, auto const& c) { return matmul(tanh(matmul(tanh(matmul(x, a)), b)), c); });
constexpr auto energy = [](auto const& w, auto const& x) { return sum(square(matmul(x, w))); };
constexpr auto weight_gradient = compile([](auto const& x, auto const& w) { return grad(energy)(w, x); });

template <extent_t N>
void add_rows() {
  std::string const n = std::to_string(N) + " rows";
  compare("GELU, " + n + " of 256", gelu_rows, known<N, 256>(), chosen<N, 256>());
  compare("softmax, " + n + " of 256", softmax_rows, known<N, 256>(), chosen<N, 256>());
  compare("column means, " + n + " of 256", column_means, known<N, 256>(), chosen<N, 256>());
  compare("dense layer 256 to 128, " + n, dense, known<N, 256>(), chosen<N, 256>(), known<256, 128>(), known<128>());
  compare("policy MLP 48-256-128-12, " + n, policy, known<N, 48>(), chosen<N, 48>(), known<48, 256>(), known<256, 128>(), known<128, 12>());
  compare("gradient of 256 x 128 weights, " + n, weight_gradient, known<N, 256>(), chosen<N, 256>(), known<256, 128>());
}

}  // namespace

int main(int argc, char** argv) {
  add_rows<1>();
  add_rows<64>();
  add_rows<512>();
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
}
