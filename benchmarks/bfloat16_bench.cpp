// bfloat16 beside float, in one run: products, a matrix times a vector, and a fused chain, from the caches to memory. With oneDNN's bfloat16 products where it is installed.
#include <dimity/dimity.hpp>

#include <benchmark/benchmark.h>

#if defined(DIMITY_BENCHMARK_ONEDNN)
#include <dnnl.hpp>
#endif

#include <string>

using namespace dimity;

namespace {

template <class F>
void add(std::string const& name, F f) {
  benchmark::RegisterBenchmark(name.c_str(), [f](benchmark::State& s) {
    for (auto _ : s) {
      f();
      benchmark::ClobberMemory();
    }
  });
}

template <class T, extent_t M, extent_t K, extent_t N>
struct product_data {
  tensor<T, M, K> a = cast<T>(random::normal<float, M, K>(key{1}));
  tensor<T, K, N> b = cast<T>(random::normal<float, K, N>(key{2}));
  tensor<T, N, K> weight = cast<T>(random::normal<float, N, K>(key{3}));
  tensor<T, M, N> y;
};
template <class T, extent_t M, extent_t K, extent_t N>
product_data<T, M, K, N>& data_of() {
  static product_data<T, M, K, N> data;
  return data;
}

#if defined(DIMITY_BENCHMARK_ONEDNN)
/// y = a b, or a weight^T, of plain layouts, with the primitive made before.
template <extent_t M, extent_t K, extent_t N>
void add_onednn(std::string const& name, bool transposed) {
  using memory = dnnl::memory;
  static dnnl::engine const engine(dnnl::engine::kind::cpu, 0);
  static dnnl::stream stream(engine);
  auto& d = data_of<bfloat16, M, K, N>();
  memory::desc const a({M, K}, memory::data_type::bf16, memory::format_tag::ab), b({K, N}, memory::data_type::bf16, transposed ? memory::format_tag::ba : memory::format_tag::ab),
      y({M, N}, memory::data_type::bf16, memory::format_tag::ab);
  try {
    dnnl::matmul::desc const wanted(a, b, y);
    dnnl::matmul const product(dnnl::matmul::primitive_desc(wanted, engine));
    memory const ma(a, engine, d.a.data()), mb(b, engine, transposed ? d.weight.data() : d.b.data()), my(y, engine, d.y.data());
    add(name, [=] {
      product.execute(stream, {{DNNL_ARG_SRC, ma}, {DNNL_ARG_WEIGHTS, mb}, {DNNL_ARG_DST, my}});
      stream.wait();
    });
  } catch (dnnl::error const&) {
  }
}
#endif

template <extent_t M, extent_t K, extent_t N>
void add_products() {
  std::string const size = std::to_string(M) + "x" + std::to_string(K) + "x" + std::to_string(N);
  add("product/float/" + size, [] { auto& d = data_of<float, M, K, N>(); d.y = matmul(d.a, d.b); });
  add("product/bfloat16/" + size, [] { auto& d = data_of<bfloat16, M, K, N>(); d.y = matmul(d.a, d.b); });
  add("weight/float/" + size, [] { auto& d = data_of<float, M, K, N>(); d.y = matmul(d.a, transpose(d.weight)); });
  add("weight/bfloat16/" + size, [] { auto& d = data_of<bfloat16, M, K, N>(); d.y = matmul(d.a, transpose(d.weight)); });
#if defined(DIMITY_BENCHMARK_ONEDNN)
  add_onednn<M, K, N>("product/oneDNN bfloat16/" + size, false);
  add_onednn<M, K, N>("weight/oneDNN bfloat16/" + size, true);
#endif
}

template <class T, extent_t N>
void add_chain(std::string const& name) {
  static tensor<T, N> x = cast<T>(random::normal<float, N>(key{4})), y = x, z = x;
  add("chain/" + name + "/" + std::to_string(N), [] { z = relu(x * y + 1.0f) * 0.5f - x; });
  add("gelu/" + name + "/" + std::to_string(N), [] { z = gelu(x); });
}

}  // namespace

int main(int count, char** arguments) {
  add_products<64, 64, 64>();
  add_products<128, 128, 128>();
  add_products<256, 256, 256>();
  add_products<512, 512, 512>();
  add_products<1024, 1024, 1024>();
  add_products<1, 1024, 1024>();
  add_products<1, 4096, 4096>();
  add_products<16, 1024, 1024>();
  add_chain<float, 8192>("float");
  add_chain<bfloat16, 8192>("bfloat16");
  add_chain<float, 262144>("float");
  add_chain<bfloat16, 262144>("bfloat16");
  add_chain<float, 16777216>("float");
  add_chain<bfloat16, 16777216>("bfloat16");
  benchmark::Initialize(&count, arguments);
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
}
