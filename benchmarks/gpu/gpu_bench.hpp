// What the benchmarks on a GPU share: work that is timed by the GPU's own events.
#pragma once

#include <dimity/cuda.hpp>

#include <benchmark/benchmark.h>

#include <string>

namespace gpu {

using namespace dimity;

template <class T, extent_t... E>
cuda_tensor<T, E...> numbers(std::uint64_t seed) {
  return to_cuda(cast<T>(random::normal<float, E...>(key{seed})));
}

/// Registers `f`, which puts work into the library's stream. `bytes` that it must read and write at least, and `operations`, are reported as rates. Short work is started several times between two events, so that what is measured
/// is the GPU and not the way there; with `calls` 1 that way is part of it.
template <class F>
void add(std::string const& name, double bytes, double operations, F f, int calls = 20) {
  benchmark::RegisterBenchmark(name.c_str(), [=](benchmark::State& state) mutable {
    cudaStream_t const stream = detail::stream_of(cuda{});
    cudaEvent_t begin, end;
    detail::check_cuda(cudaEventCreate(&begin));
    detail::check_cuda(cudaEventCreate(&end));
    for (int i = 0; i < 3; ++i) f();
    for (auto _ : state) {
      detail::check_cuda(cudaEventRecord(begin, stream));
      for (int i = 0; i < calls; ++i) f();
      detail::check_cuda(cudaEventRecord(end, stream));
      detail::check_cuda(cudaEventSynchronize(end));
      float milliseconds = 0;
      detail::check_cuda(cudaEventElapsedTime(&milliseconds, begin, end));
      state.SetIterationTime(static_cast<double>(milliseconds) * 1e-3 / calls);
    }
    if (bytes > 0) state.counters["bytes_per_second"] = benchmark::Counter(bytes * static_cast<double>(state.iterations()), benchmark::Counter::kIsRate);
    if (operations > 0) state.counters["operations_per_second"] = benchmark::Counter(operations * static_cast<double>(state.iterations()), benchmark::Counter::kIsRate);
    detail::check_cuda(cudaEventDestroy(begin));
    detail::check_cuda(cudaEventDestroy(end));
  })->UseManualTime()->Unit(benchmark::kMicrosecond)->MinTime(0.2);
}

void add_memory_bound();
void add_products();
void add_attention();
void add_steps();

}  // namespace gpu
