// Layers whose products cuBLASLt computes, here and on the GPU: compiled and linked with the library everywhere, run where there is a GPU.
#include <dimity/cuda.hpp>

#include <cstdio>

using namespace dimity;

constexpr auto layers = [](auto const& x, auto const& w1, auto const& b1, auto const& w2, auto const& r) { return matmul(gelu_tanh(matmul(x, w1) + b1), w2) + r; };

int main() {
  if (!has_cuda_device()) {
    std::puts("skipped: no CUDA device");
    return 77;
  }
  auto const round = [](auto const& x) { return eval(cast<bfloat16>(0.0625f * x)); };
  tensor<bfloat16, dyn, 256> const x = round(random::normal<float, 300, 256>(key{1}));
  auto const w1 = round(random::normal<float, 256, 512>(key{2}));
  auto const b1 = round(random::normal<float, 512>(key{3}));
  auto const w2 = round(random::normal<float, 512, 256>(key{4}));
  tensor<bfloat16, dyn, 256> const r = round(random::normal<float, 300, 256>(key{5}));
  auto const here = compile(layers)(x, w1, b1, w2, r);
  auto const there = to_host(compile(layers, cuda{})(to_cuda(x), to_cuda(w1), to_cuda(b1), to_cuda(w2), to_cuda(r)));
  bool const same = allclose(cast<float>(there), cast<float>(here), 2e-2, 2e-2);
  long const calls = detail::cublas_library::get().started();
  std::printf("%ld products by cuBLASLt, results are %s\n", calls, same ? "the same" : "different");
  return same && calls == 2 ? 0 : 1;
}
