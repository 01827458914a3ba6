// Matrix products, bare and as a layer, on the ordinary cores and on the tensor cores.
#include "gpu_bench.hpp"

namespace gpu {
template <class Device, class T, extent_t M, extent_t K, extent_t N>
static void add_product(std::string const& kind) {
  static auto const a = numbers<T, M, K>(1);
  static auto const b = numbers<T, K, N>(2);
  static auto const bias = numbers<T, N>(3);
  static cuda_tensor<T, M, N> y(uninitialized);
  std::string const size = "/" + std::to_string(M) + "x" + std::to_string(K) + "x" + std::to_string(N);
  double const operations = 2.0 * static_cast<double>(M) * static_cast<double>(K) * static_cast<double>(N);
  add("product " + kind + size, 0, operations, [] { assign(y, matmul(a, b), Device{}); });
  add("layer " + kind + size, 0, operations, [] { assign(y, relu(matmul(a, b) + bias), Device{}); });
}

template <extent_t N>
static void add_square() {
  add_product<cuda, float, N, N, N>("float32");
  add_product<fast_cuda, float, N, N, N>("tf32");
  add_product<cuda, bfloat16, N, N, N>("bfloat16");
}

void add_products() {
  add_square<256>();
  add_square<1024>();
  add_square<4096>();
  add_product<cuda, bfloat16, 8192, 8192, 8192>("bfloat16");
  add_product<cuda, bfloat16, 8192, 64, 8192>("bfloat16");
  add_product<fast_cuda, float, 256, 784, 256>("tf32");
  // Few results of many terms, as gradients of weights on large batches.
  add_product<fast_cuda, float, 784, 65536, 256>("tf32");
  add_product<cuda, bfloat16, 256, 65536, 16>("bfloat16");
}

}  // namespace gpu
