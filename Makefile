# The everyday commands. What they build lies under build/.
.PHONY: demo transformer test gpu-test gpu-bench test-aarch64 bench bench-peers compile-bench acceptance clean
support := tests/support

demo:  ## trains the example network on handwritten digits
	@$(support)/install_packages.sh g++ cmake ninja-build libxsimd-dev
	@cmake --preset native -DDIMITY_BUILD_BENCHMARKS=OFF >/dev/null
	@cmake --build --preset native --target digits
	@build/native/examples/digits --picture build/digits.svg

transformer:  ## trains a small transformer on the documentation, a character at a time, for about a minute, and lets it write
	@$(support)/install_packages.sh g++ cmake ninja-build libxsimd-dev
	@cmake --preset native -DDIMITY_BUILD_BENCHMARKS=OFF >/dev/null
	@cmake --build --preset native --target transformer
	@build/native/examples/transformer

test:  ## the tests with g++ and clang, under sanitizers, for SSE2 and aarch64, and all checks; ends with one line of totals
	@$(support)/run_tests.sh

gpu-test:  ## what needs an NVIDIA GPU and the CUDA toolkit: the CUDA evaluator's tests there, and under compute-sanitizer
	@$(support)/gpu_test.sh

gpu-bench:  ## benchmarks on an NVIDIA GPU beside PyTorch, JAX and CuPy where python3 has them, to benchmarks/results/ and as a table
	@$(support)/gpu_bench.sh

test-aarch64:
	@$(support)/run_tests.sh aarch64

bench:  ## run-time benchmarks, to benchmarks/results/
	@$(support)/install_packages.sh g++ cmake ninja-build libxsimd-dev libbenchmark-dev libopenblas-dev libeigen3-dev libfftw3-dev libdnnl-dev python3
	@cmake --preset native -DDIMITY_BUILD_BENCHMARKS=ON >/dev/null
	@cmake --build --preset native --target run_benchmarks

bench-peers:  ## the same workloads on dimity and its peers, in turn, to benchmarks/results/peers.json and docs/peers.md; installs the peers into build/peers
	@$(support)/install_packages.sh g++ cmake ninja-build libxsimd-dev libbenchmark-dev libopenblas-dev libeigen3-dev libxtensor-dev libdnnl-dev python3 python3-venv
	@cmake --preset native -DDIMITY_BUILD_BENCHMARKS=ON >/dev/null
	@cmake --build --preset native --parallel 1 --target peer_workers
	@python3 benchmarks/peers/run.py $(PEERS)
	@python3 benchmarks/peers/report.py

compile-bench:  ## compile times, memory and template instantiations against their budgets
	@$(support)/install_packages.sh g++ clang-19 libxsimd-dev libeigen3-dev python3
	@python3 benchmarks/include_time.py; header=$$?; python3 benchmarks/compile_time.py && exit $$header

acceptance:  ## the acceptance programs, where they lie beside this checkout
	@test -x ../shared/acceptance/check || { echo 'No acceptance programs beside this checkout'; exit 1; }
	@../shared/acceptance/check

clean:
	rm -rf build
