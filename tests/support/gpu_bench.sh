#!/usr/bin/env bash
# Builds the benchmarks of the CUDA evaluator, runs them on this machine's GPU, once more with cuBLASLt where the toolkit has it, and beside them the peers that python3 has, and prints a table. Results: benchmarks/results/gpu_bench.json,
# gpu_bench_cublas.json and gpu_peers.json.
# usage: gpu_bench.sh [FILTER]
set -eu
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
. tests/support/gpu_build.sh
configure_for_gpu build/gpu_bench -DDIMITY_BUILD_BENCHMARKS=ON -DDIMITY_BUILD_TESTS=OFF
cmake --build build/gpu_bench --target gpu_bench ${with_cublas:+gpu_bench_cublas}
results=${RESULTS:-benchmarks/results}
mkdir -p "$results"

# usage: measure PROGRAM JSON FILTER
measure() {
  local status=0
  "build/gpu_bench/benchmarks/gpu/$1" ${3:+--benchmark_filter="$3"} --benchmark_repetitions=5 --benchmark_enable_random_interleaving=true --benchmark_report_aggregates_only=true \
    --benchmark_out="$results/$2" --benchmark_out_format=json || status=$?
  [ $status = 77 ] && exit 0
  return $status
}
measure gpu_bench gpu_bench.json "${1:-}"
# Only what has products.
rm -f "$results/gpu_bench_cublas.json"
[ -z "$with_cublas" ] || measure gpu_bench_cublas gpu_bench_cublas.json "${1:-^(product|layer|.*step)}"
python3 benchmarks/gpu/peers.py "$results/gpu_peers.json" ${1:+--only "$1"}
python3 benchmarks/gpu/report.py "$results/gpu_bench.json" "$results/gpu_peers.json" "$results/gpu_bench_cublas.json"
