// Times dimity's matmul against OpenBLAS on one thread, batch by batch interleaved so that both meet the same clock and the same neighbours, in
// processor time, which leaves out the neighbours' turns. ratio > 1 means that dimity is faster.
// usage: matmul_bench [--benchmark_filter=part of a name] [--benchmark_repetitions=N] [--benchmark_out=file]; prints and writes JSON.
#include <cblas.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <time.h>

#include <dimity/exec/cpu/matmul.hpp>

extern "C" void openblas_set_num_threads(int);
extern "C" char* openblas_get_config();

namespace {

using dimity::detail::matmul_problem;
using dimity::detail::native_batch;

enum class layout { nn, nt, tn };

constexpr matmul_problem problem(std::int64_t m, std::int64_t n, std::int64_t k, layout l) {
  return {m, n, k, l == layout::tn ? 1 : k, l == layout::tn ? m : 1, l == layout::nt ? 1 : n, l == layout::nt ? k : 1};
}

template <class T, std::int64_t N>
struct plain_store {
  T* c;
  [[gnu::always_inline]] void operator()(std::int64_t i, std::int64_t j, native_batch<T> v) const { v.store_unaligned(c + i * N + j); }
  [[gnu::always_inline]] void operator()(std::int64_t i, std::int64_t j, native_batch<T> v, int count) const {
    constexpr int width = static_cast<int>(native_batch<T>::size);
    dimity::detail::store_first<T, width>(c + i * N + j, {{v}}, count);
  }
};

template <class T, matmul_problem P>
[[gnu::noinline]] void ours(T const* a, T const* b, T* c, std::byte* scratch) {
  dimity::detail::matmul<T, P>(a, b, scratch, plain_store<T, P.n>{c});
}

template <class T>
[[gnu::noinline]] void blas(matmul_problem const& p, T const* a, T const* b, T* c) {
  auto const m = static_cast<int>(p.m), n = static_cast<int>(p.n), k = static_cast<int>(p.k);
  bool const ta = p.a_col != 1, tb = p.b_col != 1;
  auto const gemm = [&](auto function) {
    function(CblasRowMajor, ta ? CblasTrans : CblasNoTrans, tb ? CblasTrans : CblasNoTrans, m, n, k, T(1), a, ta ? m : k, b, tb ? k : n, T(0), c, n);
  };
  if constexpr (std::is_same_v<T, float>)
    gemm(cblas_sgemm);
  else
    gemm(cblas_dgemm);
}

struct aligned_free {
  void operator()(void* p) const { std::free(p); }
};
template <class T>
std::unique_ptr<T[], aligned_free> aligned(std::size_t count) {
  std::size_t const bytes = (count * sizeof(T) + 4096) / 4096 * 4096;
  return std::unique_ptr<T[], aligned_free>(static_cast<T*>(std::aligned_alloc(4096, bytes)));
}

double processor_seconds() {
  timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

template <class F>
double seconds_per_call(F const& f, long calls) {
  double const start = processor_seconds();
  for (long i = 0; i < calls; ++i) {
    f();
    asm volatile("" ::: "memory");
  }
  return (processor_seconds() - start) / static_cast<double>(calls);
}

double median(std::vector<double> v) {
  std::nth_element(v.begin(), v.begin() + static_cast<std::ptrdiff_t>(v.size() / 2), v.end());
  return v[v.size() / 2];
}

std::string filter;
int rounds = 21;
std::FILE* out = nullptr;
char const* separator = "";

template <class... X>
void print(char const* format, X... x) {
  std::printf(format, x...);
  std::fflush(stdout);
  if (out != nullptr) std::fprintf(out, format, x...);
}

template <class T, matmul_problem P>
void row(char const* layout_name) {
  std::string const name =
      std::string(sizeof(T) == 4 ? "f32" : "f64") + "/" + layout_name + "/" + std::to_string(P.m) + "x" + std::to_string(P.n) + "x" + std::to_string(P.k);
  if (name.find(filter) == std::string::npos) return;
  auto const a = aligned<T>(P.m * P.k), b = aligned<T>(P.k * P.n), c = aligned<T>(P.m * P.n), d = aligned<T>(P.m * P.n);
  auto const scratch = aligned<std::byte>(dimity::detail::matmul_scratch_bytes<T, P>);
  std::srand(1);
  for (std::int64_t i = 0; i < P.m * P.k; ++i) a[i] = static_cast<T>(std::rand() % 1024) / 512 - 1;
  for (std::int64_t i = 0; i < P.k * P.n; ++i) b[i] = static_cast<T>(std::rand() % 1024) / 512 - 1;
  auto const mine = [&] { ours<T, P>(a.get(), b.get(), c.get(), scratch.get()); };
  auto const theirs = [&] { blas<T>(P, a.get(), b.get(), d.get()); };
  mine(), theirs();
  for (std::int64_t i = 0; i < P.m * P.n; ++i)
    if (!(std::abs(c[i] - d[i]) <= 1e-3)) {
      print("%s\n  {\"name\": \"%s\", \"error\": \"wrong result\"}", std::exchange(separator, ","), name.c_str());
      return;
    }
  long const calls = std::max(1L, static_cast<long>(1e-4 / std::max(seconds_per_call(theirs, 3), 1e-9)));
  std::vector<double> x, y, ratios;
  for (int r = 0; r < rounds; ++r) {
    x.push_back(seconds_per_call(mine, calls));
    y.push_back(seconds_per_call(theirs, calls));
    ratios.push_back(y.back() / x.back());
  }
  double const best_x = *std::min_element(x.begin(), x.end()), best_y = *std::min_element(y.begin(), y.end());
  print("%s\n  {\"name\": \"%s\", \"dimity_ns\": %.1f, \"openblas_ns\": %.1f, \"dimity_gflops\": %.1f, \"ratio_of_best\": %.3f, \"median_ratio\": %.3f}",
        std::exchange(separator, ","), name.c_str(), best_x * 1e9, best_y * 1e9, 2e-9 * static_cast<double>(P.m * P.n * P.k) / best_x, best_y / best_x,
        median(ratios));
}

template <std::int64_t M, std::int64_t N, std::int64_t K>
void shape() {
  row<float, problem(M, N, K, layout::nn)>("nn");
  row<float, problem(M, N, K, layout::nt)>("nt");
  row<float, problem(M, N, K, layout::tn)>("tn");
  row<double, problem(M, N, K, layout::nn)>("nn");
  row<double, problem(M, N, K, layout::nt)>("nt");
  row<double, problem(M, N, K, layout::tn)>("tn");
}

template <std::int64_t... S>
void squares(std::integer_sequence<std::int64_t, S...>) {
  (shape<S, S, S>(), ...);
}

template <std::int64_t... S>
void skinny(std::integer_sequence<std::int64_t, S...>) {
  (shape<S, 256, 256>(), ...);
  (shape<256, S, 256>(), ...);
  (shape<256, 256, S>(), ...);
}

}  // namespace

int main(int count, char** arguments) {
  for (int i = 1; i < count; ++i) {
    std::string const argument = arguments[i];
    std::string const value = argument.substr(argument.find('=') + 1);
    if (argument.starts_with("--benchmark_filter=")) filter = value;
    if (argument.starts_with("--benchmark_repetitions=")) rounds = std::max(1, std::atoi(value.c_str()));
    if (argument.starts_with("--benchmark_out=")) out = std::fopen(value.c_str(), "w");
  }
  openblas_set_num_threads(1);
  char date[32];
  std::time_t const now = std::time(nullptr);
  std::strftime(date, sizeof date, "%Y-%m-%d", std::localtime(&now));
  print("{\"context\": {\"date\": \"%s\", \"num_cpus\": %u, \"openblas\": \"%s\"},\n\"benchmarks\": [", date, std::thread::hardware_concurrency(), openblas_get_config());
  squares(std::integer_sequence<std::int64_t, 2, 3, 4, 5, 7, 8, 10, 12, 15, 16, 17, 20, 24, 31, 32, 33, 40, 48, 63, 64, 65, 80, 96, 100, 127, 128, 129, 160,
                                192, 200, 255, 256, 384, 512, 1000, 1024>{});
  skinny(std::integer_sequence<std::int64_t, 1, 2, 4, 8, 10, 32, 64, 128>{});
  print("\n]}\n");
  if (out != nullptr) std::fclose(out);
}
