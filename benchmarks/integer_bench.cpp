// Products of 8- and 16-bit integers beside float, in one run, and conversions. With oneDNN's products of bytes where it is installed.
#include <dimity/dimity.hpp>

#include <benchmark/benchmark.h>

#if defined(DIMITY_BENCHMARK_ONEDNN)
#include <dnnl.hpp>
#endif

#include <cstdint>
#include <cstdio>
#include <cstdlib>
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

template <class A, class B, class T, extent_t M, extent_t K, extent_t N>
struct product_data {
  tensor<A, M, K> a = cast<A>(random::integers<std::int32_t, M, K>(key{1}, 0, 127));
  tensor<B, N, K> weight = cast<B>(random::integers<std::int32_t, N, K>(key{2}, -128, 128));
  tensor<T, M, N> y;
};
template <class A, class B, class T, extent_t M, extent_t K, extent_t N>
product_data<A, B, T, M, K, N>& data_of() {
  static product_data<A, B, T, M, K, N> data;
  return data;
}
using wide = std::int32_t;

#if defined(DIMITY_BENCHMARK_ONEDNN)
/// y = a weight^T of plain layouts, with the primitive made before.
template <class A, extent_t M, extent_t K, extent_t N>
void add_onednn(std::string const& name) {
  using memory = dnnl::memory;
  static dnnl::engine const engine(dnnl::engine::kind::cpu, 0);
  static dnnl::stream stream(engine);
  auto& d = data_of<A, std::int8_t, wide, M, K, N>();
  memory::desc const a({M, K}, std::is_signed_v<A> ? memory::data_type::s8 : memory::data_type::u8, memory::format_tag::ab), b({K, N}, memory::data_type::s8, memory::format_tag::ba), y({M, N}, memory::data_type::s32, memory::format_tag::ab);
  try {
    dnnl::matmul::desc const wanted(a, b, y);
    dnnl::matmul const product(dnnl::matmul::primitive_desc(wanted, engine));
    memory const ma(a, engine, d.a.data()), mb(b, engine, d.weight.data()), my(y, engine, d.y.data());
    auto const run = [=] {
      product.execute(stream, {{DNNL_ARG_SRC, ma}, {DNNL_ARG_WEIGHTS, mb}, {DNNL_ARG_DST, my}});
      stream.wait();
    };
    run();
    tensor<wide, M, N> const ours = matmul(cast<wide>(d.a), transpose(cast<wide>(d.weight)));
    if (!array_equal(ours, d.y)) {
      std::fprintf(stderr, "%s: oneDNN's result is another\n", name.c_str());
      std::exit(1);
    }
    add(name, run);
  } catch (dnnl::error const&) {
  }
}
#endif

template <class A, class B, extent_t M, extent_t K, extent_t N>
void add_product(std::string const& types, std::string const& size) {
  add("product/" + types + "/" + size, [] { auto& d = data_of<A, B, wide, M, K, N>(); d.y = matmul(cast<wide>(d.a), transpose(cast<wide>(d.weight))); });
}
template <extent_t M, extent_t K, extent_t N>
void add_products() {
  std::string const size = std::to_string(M) + "x" + std::to_string(K) + "x" + std::to_string(N);
  add("product/float/" + size, [] { auto& d = data_of<float, float, float, M, K, N>(); d.y = matmul(d.a, transpose(d.weight)); });
  add_product<std::int8_t, std::int8_t, M, K, N>("int8 x int8", size);
  add_product<std::uint8_t, std::int8_t, M, K, N>("uint8 x int8", size);
  add_product<std::int16_t, std::int16_t, M, K, N>("int16 x int16", size);
#if defined(DIMITY_BENCHMARK_ONEDNN)
  add_onednn<std::int8_t, M, K, N>("product/oneDNN int8 x int8/" + size);
  add_onednn<std::uint8_t, M, K, N>("product/oneDNN uint8 x int8/" + size);
#endif
}

constexpr extent_t elements = 65536;
template <class From, class To>
void add_conversion(std::string const& name) {
  static tensor<From, elements> const x = cast<From>(random::integers<std::int32_t, elements>(key{3}, 0, 127));
  static tensor<To, elements> y;
  add("conversion/" + name + "/" + std::to_string(elements), [] { y = cast<To>(x); });
}

}  // namespace

int main(int count, char** arguments) {
  add_products<64, 64, 64>();
  add_products<256, 256, 256>();
  add_products<512, 512, 512>();
  add_products<1024, 1024, 1024>();
  add_products<1, 256, 256>();
  add_products<1, 1024, 1024>();
  add_products<1, 4096, 4096>();
  add_products<16, 1024, 1024>();
  add_conversion<float, float>("float to float");
  add_conversion<std::uint8_t, float>("uint8 to float");
  add_conversion<float, std::int8_t>("float to int8");
  add_conversion<std::int16_t, float>("int16 to float");
  add_conversion<std::int32_t, std::int8_t>("int32 to int8");
  benchmark::Initialize(&count, arguments);
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
}
