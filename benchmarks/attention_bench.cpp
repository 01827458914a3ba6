// Attention in blocks beside the formula, in one run: where blocks begin to win, forwards and with gradients. report.py turns the result into tables.
#include <dimity/dimity.hpp>

#include <benchmark/benchmark.h>

#include <cstddef>
#include <string>

using namespace dimity;

namespace {

constexpr extent_t width = 64;
constexpr attention_options in_blocks{.block_queries = 64, .block_keys = 256}, causal_in_blocks{.causal = true, .block_queries = 64, .block_keys = 128};

/// The matrix of all scores exists.
template <bool Causal>
constexpr auto formula = [](auto const& q, auto const& k, auto const& v) {
  auto const scores = matmul(q, transpose(k)) * 0.125f;
  if constexpr (Causal) return matmul(softmax(where(tril(ones_like(scores)) > 0.0f, scores, -1e30f), axis<-1>), v);
  else return matmul(softmax(scores, axis<-1>), v);
};
template <attention_options Options>
constexpr auto blocks = [](auto const& q, auto const& k, auto const& v) { return scaled_dot_product_attention<Options>(q, k, v); };
template <auto F>
constexpr auto with_gradients = [](auto const& q, auto const& k, auto const& v) {
  return value_and_grad<0, 1, 2>([](auto const& a, auto const& b, auto const& c) { return sum(square(F(a, b, c))); })(q, k, v);
};

template <extent_t T>
struct sequences {
  tensor<float, T, width> q = random::normal<float, T, width>(key{1}), k = random::normal<float, T, width>(key{2}), v = random::normal<float, T, width>(key{3});
};
template <extent_t T, class F>
void add(std::string const& name, F const&) {
  static sequences<T> const x;
  static constexpr auto call = compile(F{});
  benchmark::RegisterBenchmark((name + "/" + std::to_string(T)).c_str(), [](benchmark::State& s) {
    for (auto _ : s) {
      auto r = call(x.q, x.k, x.v);
      benchmark::DoNotOptimize(r);
      benchmark::ClobberMemory();
    }
  });
}
template <extent_t T, bool Causal>
void add_kind() {
  std::string const kind = Causal ? "causal" : "plain";
  constexpr attention_options options = Causal ? causal_in_blocks : in_blocks;
  add<T>(kind + "/forward/formula", formula<Causal>);
  add<T>(kind + "/forward/blocks", blocks<options>);
  add<T>(kind + "/both/formula", with_gradients<formula<Causal>>);
  add<T>(kind + "/both/blocks", with_gradients<blocks<options>>);
}

}  // namespace

int main(int count, char** arguments) {
  [&]<extent_t... T>(std::integer_sequence<extent_t, T...>) { (add_kind<T, false>(), ...); }(std::integer_sequence<extent_t, 64, 128, 256, 512, 1024, 2048>{});
  [&]<extent_t... T>(std::integer_sequence<extent_t, T...>) { (add_kind<T, true>(), ...); }(std::integer_sequence<extent_t, 256, 512, 1024, 2048>{});
  benchmark::Initialize(&count, arguments);
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
}
