// Benchmarks on a GPU: `make gpu-bench`. Times are the GPU's, by its events. Without a GPU it says so and exits with 77.
#include "gpu_bench.hpp"

#include <cstdio>

int main(int argc, char** argv) {
  if (!dimity::has_cuda_device()) {
    std::puts("no GPU");
    return 77;
  }
  cudaDeviceProp properties;
  dimity::detail::check_cuda(cudaGetDeviceProperties(&properties, 0));
  benchmark::AddCustomContext("gpu", properties.name);
  benchmark::AddCustomContext("multiprocessors", std::to_string(properties.multiProcessorCount));
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  gpu::add_memory_bound();
  gpu::add_products();
  gpu::add_attention();
  gpu::add_steps();
  benchmark::RunSpecifiedBenchmarks();
}
