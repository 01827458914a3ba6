#!/usr/bin/env bash
# Builds the tests of the CUDA evaluator with nvcc and runs them on this machine's GPU, then under the four tools of compute-sanitizer. Closes with one line. Without a GPU the tests skip, and nothing is claimed.
set -u
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
. tests/support/gpu_build.sh

set -e
configure_for_gpu build/gpu -DDIMITY_TEST_FOLDERS=gpu -DDIMITY_BUILD_BENCHMARKS=OFF
cmake --build build/gpu --target test_gpu gpu_training ${with_cublas:+test_gpu_cublas gpu_cublas_layers}
set +e
ctest --test-dir build/gpu -L gpu --output-on-failure
failed=$?
build/gpu/tests/gpu/test_gpu --count >/dev/null 2>&1
if [ $? = 77 ]; then
  echo "compiled, not executed: no GPU"
  exit $failed
fi
for tool in memcheck racecheck initcheck synccheck; do
  if command -v compute-sanitizer >/dev/null; then
    for program in test_gpu ${with_cublas:+test_gpu_cublas}; do
      log=build/gpu/$program.$tool.log
      compute-sanitizer --tool $tool --error-exitcode 1 build/gpu/tests/gpu/$program >$log 2>&1 && echo "$tool, $program: passed" || { echo "$tool, $program: failed ($log)"; tail -n 20 $log; failed=1; }
    done
  else
    echo "$tool: skipped, no compute-sanitizer"
  fi
done
[ $failed = 0 ] && echo "GPU tests passed" || echo "GPU tests failed"
exit $failed
