// Elementwise work, reductions and rows beside a copy, which is the limit.
#include "gpu_bench.hpp"

namespace gpu {
template <extent_t N>
static void add_elementwise() {
  static auto const a = numbers<float, N>(1), b = numbers<float, N>(2), c = numbers<float, N>(3);
  static cuda_tensor<float, N> y(uninitialized);
  std::string const size = "/" + std::to_string(N);
  double const array = 4.0 * static_cast<double>(N);
  add("copy" + size, 2 * array, 0, [] { detail::check_cuda(cudaMemcpyAsync(y.data(), a.data(), N * sizeof(float), cudaMemcpyDeviceToDevice, detail::stream_of(cuda{}))); });
  add("scale" + size, 2 * array, 0, [] { y = a * 2.0f; });
  add("chain" + size, 4 * array, 0, [] { y = tanh(a * b + c); });
  add("sum" + size, array, 0, [] { static_cast<void>(eval(sum(a), cuda{})); });
  auto const loss = [](auto const& x, auto const& z, auto const& w) { return sum(tanh(x * z + w)); };
  add("chain gradient" + size, 6 * array, 0, [f = compile(grad<0, 1, 2>(loss), cuda{})] { static_cast<void>(f(a, b, c)); });
}

constexpr auto normalize = [](auto const& v, auto const& scale, auto const& shift) {
  return (v - mean(v, axis<-1>, keep_dims)) * rsqrt(var(v, axis<-1>, keep_dims) + 1e-5f) * scale + shift;
};
constexpr auto normalized_product = [](auto const& v, auto const& scale, auto const& shift, auto const& slope) { return sum(normalize(v, scale, shift) * slope); };

template <extent_t Rows, extent_t Columns>
static void add_rows() {
  static auto const x = numbers<float, Rows, Columns>(1), g = numbers<float, Rows, Columns>(4);
  static auto const gamma = numbers<float, Columns>(2), beta = numbers<float, Columns>(3);
  static auto const labels = to_cuda(random::integers<std::int64_t, Rows>(key{5}, 0, Columns));
  static cuda_tensor<float, Rows, Columns> y(uninitialized);
  std::string const size = "/" + std::to_string(Rows) + "x" + std::to_string(Columns);
  double const matrix = 4.0 * static_cast<double>(Rows * Columns);
  add("softmax" + size, 2 * matrix, 0, [] { y = softmax(x, axis<-1>); });
  add("layer norm" + size, 2 * matrix, 0, [] { y = normalize(x, gamma, beta); });
  add("layer norm gradient" + size, 3 * matrix, 0, [f = compile(grad<0, 1, 2>(normalized_product), cuda{})] { static_cast<void>(f(x, gamma, beta, g)); });
  auto const loss = [](auto const& logits, auto const& wanted) { return mean(nn::cross_entropy(logits, wanted)); };
  add("cross entropy and gradient" + size, 2 * matrix, 0, [f = compile(value_and_grad(loss), cuda{})] { static_cast<void>(f(x, labels)); });
  add("sum of columns" + size, matrix, 0, [] { static_cast<void>(eval(sum(x, axis<0>), cuda{})); });
  add("sum of rows" + size, matrix, 0, [] { static_cast<void>(eval(sum(x, axis<1>), cuda{})); });
}

template <class T>
struct parameters {
  tensor<T, 4096, 4096> w;
};
static void add_optimizer() {
  static auto model = parameters<on_cuda<float>>{numbers<float, 4096, 4096>(1)};
  static auto const slopes = parameters<on_cuda<float>>{numbers<float, 4096, 4096>(2)};
  static auto state = to_cuda(optim::adamw(parameters<float>{zeros<float, 4096, 4096>()}, {.learning_rate = 1e-3}));
  auto const update = [](auto const& s, auto const& m, auto const& g) { return optim::update(s, m, g); };
  add("adamw/16777216", 28.0 * 4096 * 4096, 0, [f = compile(update, cuda{})] { std::tie(model, state) = f(std::move(state), std::move(model), slopes); });
}

void add_memory_bound() {
  add_elementwise<1 << 20>();
  add_elementwise<1 << 26>();
  add_rows<8192, 1024>();
  add_rows<8192, 4096>();
  add_rows<512, 32768>();
  add_optimizer();
}

}  // namespace gpu
