// Weights of 8 and 16 bits beside float, as (out, in), where they are read for few rows: what a layer of a language model or a policy costs at small batches. In one run.
#include <dimity/dimity.hpp>

#include <benchmark/benchmark.h>

#include <string>

using namespace dimity;

namespace {

template <class T, extent_t M, extent_t K, extent_t N>
void add(std::string const& name) {
  static tensor<T, M, K> const x = cast<T>(random::normal<float, M, K>(key{1}));
  static tensor<T, N, K> const weight = cast<T>(random::normal<float, N, K>(key{2}));
  static tensor<float, M, 1> const scale = random::uniform<float, M, 1>(key{3});
  static tensor<float, M, N> y;
  std::string const size = std::to_string(M) + "x" + std::to_string(K) + "x" + std::to_string(N);
  benchmark::RegisterBenchmark(("layer/" + name + "/" + size).c_str(), [](benchmark::State& s) {
    for (auto _ : s) {
      y = relu(matmul(x, transpose(weight)) * scale);
      benchmark::ClobberMemory();
    }
  });
}
template <extent_t M, extent_t K, extent_t N>
void add_all() {
  add<float, M, K, N>("float");
  add<bfloat16, M, K, N>("bfloat16");
  add<float16, M, K, N>("float16");
  add<float8_e4m3fn, M, K, N>("float8_e4m3fn");
  add<float8_e5m2, M, K, N>("float8_e5m2");
}

}  // namespace

int main(int count, char** arguments) {
  add_all<1, 256, 256>();
  add_all<1, 1024, 1024>();
  add_all<1, 4096, 4096>();
  add_all<4, 4096, 4096>();
  add_all<16, 1024, 1024>();
  add_all<256, 1024, 1024>();
  benchmark::Initialize(&count, arguments);
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
}
