// Fourier transforms beside FFTW (DIMITY_BENCHMARK_FFTW) and pocketfft (where its header is found), in one run. The peers have their native form, complex numbers with their parts in turn.
// Run it with --benchmark_enable_random_interleaving=true --benchmark_repetitions=9.
#include <dimity/exec/cpu/fft.hpp>

#include <benchmark/benchmark.h>

#ifdef DIMITY_BENCHMARK_FFTW
#include <fftw3.h>
#endif
#if __has_include(<pocketfft_hdronly.h>)
#define DIMITY_BENCHMARK_POCKETFFT
#define POCKETFFT_NO_MULTITHREADING
#include <pocketfft_hdronly.h>
#endif

#include <complex>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <string>
#include <type_traits>

using namespace dimity;

namespace {

/// Memory as tensors have it: on cache lines.
template <class E>
struct block {
  E* data;
  explicit block(extent_t n) : data(static_cast<E*>(std::aligned_alloc(64, (static_cast<std::size_t>(n) * sizeof(E) + 63) / 64 * 64))) {
    if (data == nullptr) throw std::bad_alloc();
    auto* const elements = reinterpret_cast<unsigned char*>(data);
    std::fill(elements, elements + static_cast<std::size_t>(n) * sizeof(E), static_cast<unsigned char>(0));
  }
  block(block const&) = delete;
  ~block() { std::free(data); }
};
template <class T>
void fill(T* to, extent_t n) {
  std::uint32_t state = 12345;
  for (extent_t i = 0; i < n; ++i) {
    state = state * 1664525u + 1013904223u;
    to[i] = static_cast<T>((state >> 8) * 0x1p-23 - 1);
  }
}

template <class F>
void measure(benchmark::State& state, extent_t n, F const& f) {
  f();
  for (auto _ : state) {
    f();
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations() * n);
}

template <class T, extent_t N>
void complex_dimity(benchmark::State& state) {
  block<T> re(N), im(N), to_re(N), to_im(N), scratch(detail::fft_scratch_elements(N) + 1);
  fill(re.data, N);
  fill(im.data, N);
  measure(state, N, [&] { detail::fft<T, N, false>(re.data, im.data, 1, to_re.data, to_im.data, scratch.data); });
}
template <class T, extent_t N>
void real_dimity(benchmark::State& state) {
  block<T> x(N), to_re(N / 2 + 1), to_im(N / 2 + 1), scratch(detail::rfft_scratch_elements(N) + 1);
  fill(x.data, N);
  measure(state, N, [&] { detail::rfft<T, N>(x.data, 1, to_re.data, to_im.data, scratch.data); });
}
template <class T, extent_t N>
void inverse_real_dimity(benchmark::State& state) {
  block<T> re(N / 2 + 1), im(N / 2 + 1), to(N), scratch(detail::rfft_scratch_elements(N) + 1);
  fill(re.data, N / 2 + 1);
  fill(im.data, N / 2 + 1);
  measure(state, N, [&] { detail::irfft<T, N>(re.data, im.data, 1, to.data, scratch.data); });
}
/// As many short transforms as the second-level cache holds.
template <extent_t N>
constexpr extent_t many = 16384 / N;
template <class T, extent_t N>
void many_dimity(benchmark::State& state) {
  constexpr extent_t n = N * many<N>;
  block<T> re(n), im(n), to_re(n), to_im(n), scratch(detail::fft_many_scratch_elements(N, many<N>) + 1);
  fill(re.data, n);
  fill(im.data, n);
  measure(state, n, [&] { detail::fft_many<T, N, false>(re.data, im.data, 1, N, to_re.data, to_im.data, N, many<N>, scratch.data); });
}
template <class T, extent_t N>
void columns_dimity(benchmark::State& state) {
  constexpr extent_t n = N * many<N>;
  block<T> re(n), im(n), to_re(n), to_im(n), scratch(detail::fft_many_scratch_elements(N, many<N>) + 1);
  fill(re.data, n);
  fill(im.data, n);
  measure(state, n, [&] { detail::fft_many<T, N, false>(re.data, im.data, many<N>, 1, to_re.data, to_im.data, N, many<N>, scratch.data); });
}

#ifdef DIMITY_BENCHMARK_FFTW
template <class T>
struct fftw;
template <>
struct fftw<double> {
  using plan = fftw_plan;
  using element = fftw_complex;
  static constexpr auto make_many = fftw_plan_many_dft;
  static constexpr auto make_forward = fftw_plan_dft_r2c_1d;
  static constexpr auto make_backward = fftw_plan_dft_c2r_1d;
  static constexpr auto execute = fftw_execute;
  static constexpr auto destroy = fftw_destroy_plan;
};
template <>
struct fftw<float> {
  using plan = fftwf_plan;
  using element = fftwf_complex;
  static constexpr auto make_many = fftwf_plan_many_dft;
  static constexpr auto make_forward = fftwf_plan_dft_r2c_1d;
  static constexpr auto make_backward = fftwf_plan_dft_c2r_1d;
  static constexpr auto execute = fftwf_execute;
  static constexpr auto destroy = fftwf_destroy_plan;
};
template <class T>
void run_plan(benchmark::State& state, typename fftw<T>::plan plan, T* from, extent_t elements, extent_t n) {
  // Planning overwrites the input.
  fill(from, elements);
  measure(state, n, [&] { fftw<T>::execute(plan); });
  fftw<T>::destroy(plan);
}
template <class T>
void many_fftw(benchmark::State& state, extent_t n, extent_t count, bool columns) {
  using element = typename fftw<T>::element;
  block<element> from(n * count), to(n * count);
  int const length = static_cast<int>(n), transforms = static_cast<int>(count);
  auto const plan = fftw<T>::make_many(1, &length, transforms, from.data, nullptr, columns ? transforms : 1, columns ? 1 : length, to.data, nullptr, 1, length, FFTW_FORWARD, FFTW_MEASURE);
  run_plan<T>(state, plan, &from.data[0][0], 2 * n * count, n * count);
}
template <class T, extent_t N>
void complex_fftw(benchmark::State& state) {
  many_fftw<T>(state, N, 1, false);
}
template <class T, extent_t N>
void real_fftw(benchmark::State& state) {
  block<T> from(N);
  block<typename fftw<T>::element> to(N / 2 + 1);
  run_plan<T>(state, fftw<T>::make_forward(N, from.data, to.data, FFTW_MEASURE), from.data, N, N);
}
template <class T, extent_t N>
void inverse_real_fftw(benchmark::State& state) {
  block<typename fftw<T>::element> from(N / 2 + 1);
  block<T> to(N);
  run_plan<T>(state, fftw<T>::make_backward(N, from.data, to.data, FFTW_MEASURE), &from.data[0][0], 2 * (N / 2 + 1), N);
}
#endif

#ifdef DIMITY_BENCHMARK_POCKETFFT
template <class T, extent_t N>
void complex_pocketfft(benchmark::State& state) {
  block<std::complex<T>> from(N), to(N);
  fill(reinterpret_cast<T*>(from.data), 2 * N);
  pocketfft::stride_t const stride{static_cast<std::ptrdiff_t>(sizeof(std::complex<T>))};
  measure(state, N, [&] { pocketfft::c2c<T>({static_cast<std::size_t>(N)}, stride, stride, {0}, true, from.data, to.data, T(1)); });
}
template <class T, extent_t N>
void real_pocketfft(benchmark::State& state) {
  block<T> from(N);
  block<std::complex<T>> to(N / 2 + 1);
  fill(from.data, N);
  pocketfft::stride_t const stride{static_cast<std::ptrdiff_t>(sizeof(T))}, to_stride{static_cast<std::ptrdiff_t>(sizeof(std::complex<T>))};
  measure(state, N, [&] { pocketfft::r2c<T>({static_cast<std::size_t>(N)}, stride, to_stride, std::size_t(0), true, from.data, to.data, T(1)); });
}
#endif

template <class T>
std::string name_of(char const* what, extent_t n, char const* whose) {
  return std::string(what) + (std::is_same_v<T, float> ? "/float/" : "/double/") + std::to_string(n) + "/" + whose;
}
template <class T, extent_t N>
void add_length() {
  benchmark::RegisterBenchmark(name_of<T>("complex", N, "dimity").c_str(), complex_dimity<T, N>);
  benchmark::RegisterBenchmark(name_of<T>("real", N, "dimity").c_str(), real_dimity<T, N>);
  benchmark::RegisterBenchmark(name_of<T>("inverse_real", N, "dimity").c_str(), inverse_real_dimity<T, N>);
#ifdef DIMITY_BENCHMARK_FFTW
  benchmark::RegisterBenchmark(name_of<T>("complex", N, "fftw").c_str(), complex_fftw<T, N>);
  benchmark::RegisterBenchmark(name_of<T>("real", N, "fftw").c_str(), real_fftw<T, N>);
  benchmark::RegisterBenchmark(name_of<T>("inverse_real", N, "fftw").c_str(), inverse_real_fftw<T, N>);
#endif
#ifdef DIMITY_BENCHMARK_POCKETFFT
  benchmark::RegisterBenchmark(name_of<T>("complex", N, "pocketfft").c_str(), complex_pocketfft<T, N>);
  benchmark::RegisterBenchmark(name_of<T>("real", N, "pocketfft").c_str(), real_pocketfft<T, N>);
#endif
}
/// Rows of a matrix, and its columns.
template <class T, extent_t N>
void add_many() {
  benchmark::RegisterBenchmark(name_of<T>("rows", N, "dimity").c_str(), many_dimity<T, N>);
  benchmark::RegisterBenchmark(name_of<T>("columns", N, "dimity").c_str(), columns_dimity<T, N>);
#ifdef DIMITY_BENCHMARK_FFTW
  benchmark::RegisterBenchmark(name_of<T>("rows", N, "fftw").c_str(), [](benchmark::State& state) { many_fftw<T>(state, N, many<N>, false); });
  benchmark::RegisterBenchmark(name_of<T>("columns", N, "fftw").c_str(), [](benchmark::State& state) { many_fftw<T>(state, N, many<N>, true); });
#endif
}
template <class T>
void add_all() {
  [&]<extent_t... N>(std::integer_sequence<extent_t, N...>) { (add_length<T, N>(), ...); }(std::integer_sequence<extent_t, 16, 64, 256, 1000, 1009, 1024, 4096, 65536>{});
  [&]<extent_t... N>(std::integer_sequence<extent_t, N...>) { (add_many<T, N>(), ...); }(std::integer_sequence<extent_t, 8, 12, 16, 32, 60, 64, 256>{});
}

}  // namespace

int main(int argc, char** argv) {
  add_all<double>();
  add_all<float>();
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
}
