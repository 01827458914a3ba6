// Fourier transforms: the primitives fft, rfft and irfft. Stages of any radix that leave their results in order (Stockham's scheme; Van Loan, Computational Frameworks for the Fast Fourier Transform, section 1.7): a block does some lines in shared
// memory; lines that are too long for it go through global memory, a kernel for each stage. n times the sum of n's factors (4 is one) operations for each line, so lengths with a large prime factor take long.
#pragma once

#include <dimity/exec/cuda/launch.hpp>
#include <dimity/exec/cuda/primitives.hpp>

namespace DIMITY_NAMESPACE::detail {

struct fourier_radices {
  int count = 0;
  long long of[40] = {};
};
constexpr fourier_radices radices_of(long long n) {
  fourier_radices r;
  for (long long f = 4; n > 1; f = f == 4 ? 2 : f == 2 ? 3 : f + 2) {
    if (f > 4 && f * f > n) f = n;
    for (; n % f == 0; n /= f) r.of[r.count++] = f;
  }
  return r;
}
/// The longest transform in the shared memory of a block: two places for its values, and one for the roots of unity.
constexpr std::int64_t longest_in_block(std::int64_t element_bytes) { return 8192 / element_bytes; }
/// Beyond that: the roots, and two places for the values of all lines.
constexpr std::int64_t fourier_scratch_bytes(std::int64_t n, std::int64_t lines, std::int64_t element_bytes) { return n <= longest_in_block(element_bytes) ? 0 : 2 * n * (1 + 2 * lines) * element_bytes; }

template <class T>
struct alignas(2 * sizeof(T)) complex_number {
  T re, im;
};
/// exp(-2 pi i j / n), for 0 <= j < n.
template <class T>
DIMITY_DEVICE complex_number<T> root_of_unity(long long j, long long n) {
  // At most half a turn: that keeps the rounding of the angle small.
  T const turns = static_cast<T>(2 * j > n ? j - n : j) / static_cast<T>(n);
  complex_number<T> w;
  if constexpr (std::is_same_v<T, float>) sincospif(-2.0f * turns, &w.im, &w.re);
  else sincospi(-2.0 * turns, &w.im, &w.re);
  return w;
}

/// Lines of a transform: where their values come from, and where they go.
template <class Code>
struct fourier_lines : primitive_base<Code> {
  using base = primitive_base<Code>;
  using typename base::T;
  using value = complex_number<T>;
  static constexpr int rank = Code::template rank<0>, last = rank - 1, planes = rank > 1 ? rank - 2 : 0, result_rank = Code::template rank<base::result_of>;
  static constexpr primitive op = Code::op;
  static constexpr bool inverse = op == primitive::irfft || (op == primitive::fft && Code::attribute != 0);
  static constexpr long long n = op == primitive::irfft ? Code::template extent<base::result_of, result_rank - 1> : Code::template extent<0, last>;
  static constexpr long long half = n / 2 + 1;
  static constexpr long long given = op == primitive::rfft ? n : op == primitive::fft ? 2 * n : 2 * half, left = op == primitive::irfft ? n : op == primitive::fft ? 2 * n : 2 * half;
  static constexpr long long lines = n == 0 ? 0 : Code::template size<base::result_of> / left;
  static constexpr fourier_radices radices = radices_of(n);

  static constexpr long long step = Code::template stride<0, last>, plane = op == primitive::rfft ? 0 : Code::template stride<0, planes>;

  DIMITY_DEVICE static value load(void const* from, long long line, long long j) {
    element_index i;
    index_of<Code, 0>(i, line * given);
    T const* const x = static_cast<T const*>(from) + offset_of_element<Code, 0>(i);
    if constexpr (op == primitive::rfft) {
      return {x[j * step], T(0)};
    } else if constexpr (op == primitive::fft) {
      return {x[j * step], x[plane + j * step]};
    } else {
      bool const conjugate = j >= half;
      long long const k = conjugate ? n - j : j;
      T const im = k == 0 || 2 * k == n ? T(0) : x[plane + k * step];
      return {x[k * step], conjugate ? -im : im};
    }
  }
  DIMITY_DEVICE static void store(void* to, long long line, long long k, value const& x) {
    T* const y = static_cast<T*>(to) + line * left;
    if constexpr (op == primitive::irfft) {
      y[k] = x.re;
    } else {
      constexpr long long entries = op == primitive::fft ? n : half;
      if (k >= entries) return;
      y[k] = x.re;
      y[entries + k] = x.im;
    }
  }
  /// Entry `at` of `before * radix` groups of `after` entries: made of one entry of each of `radix` groups. `read(i)` is entry i before the stage, `root(j)` the j-th root of unity.
  template <class Read, class Root, class Index>
  DIMITY_DEVICE static value stage(Index at, Index before, Index radix, Index after, Read const& read, Root const& root) {
    Index const group = at / after, within = at % after, groups = before * radix;
    Index const first = group % before * (radix * after) + within;
    value sum = read(first);
    Index turn = 0;
    DIMITY_UNROLL
    for (Index q = 1; q < radix; ++q) {
      turn += group;
      if (turn >= groups) turn -= groups;
      value const x = read(first + q * after), w = root(turn * after);
      T const im = inverse ? -w.im : w.im;
      sum.re = sum.re + (x.re * w.re - x.im * im);
      sum.im = sum.im + (x.re * im + x.im * w.re);
    }
    return sum;
  }
};

template <class Code>
struct fourier_block_kernel : fourier_lines<Code> {
  using base = fourier_lines<Code>;
  using typename base::arguments, typename base::T, typename base::value;
  static constexpr int n = static_cast<int>(base::n > 0 ? base::n : 1), threads = 256;
  /// Short lines share a block.
  static constexpr int together = n < 512 ? 512 / n : 1, values = n * together;
  static constexpr std::int64_t blocks = (base::lines + together - 1) / together;
  struct memory {
    T re[2][values], im[2][values];
    T root_re[n], root_im[n];
  };

  template <int Stage, int Before>
  DIMITY_DEVICE static void run_stages(arguments const& args, memory& m) {
    if constexpr (Stage < base::radices.count) {
      constexpr int radix = static_cast<int>(base::radices.of[Stage]), after = n / (Before * radix), from = Stage % 2;
      __syncthreads();
      for (int i = static_cast<int>(threadIdx.x); i < values; i += threads) {
        int const line = i / n * n;
        value const x = base::stage(
          i % n, Before, radix, after, [&](int k) { return value{m.re[from][line + k], m.im[from][line + k]}; }, [&](int j) { return value{m.root_re[j], m.root_im[j]}; });
        m.re[1 - from][i] = x.re;
        m.im[1 - from][i] = x.im;
      }
      run_stages<Stage + 1, Before * radix>(args, m);
    }
  }
  DIMITY_DEVICE static void run(arguments const& args) {
    __shared__ memory m;
    long long const first = static_cast<long long>(blockIdx.x) * together;
    for (int i = static_cast<int>(threadIdx.x); i < n; i += threads) {
      value const w = root_of_unity<T>(i, n);
      m.root_re[i] = w.re;
      m.root_im[i] = w.im;
    }
    for (int i = static_cast<int>(threadIdx.x); i < values; i += threads) {
      value x{T(0), T(0)};
      if (first + i / n < base::lines) x = base::load(args.p[0], first + i / n, i % n);
      m.re[0][i] = x.re;
      m.im[0][i] = x.im;
    }
    run_stages<0, 1>(args, m);
    __syncthreads();
    constexpr int from = base::radices.count % 2;
    for (int i = static_cast<int>(threadIdx.x); i < values; i += threads)
      if (first + i / n < base::lines) base::store(args.p[1], first + i / n, i % n, {m.re[from][i], m.im[from][i]});
  }
};

/// Memory of a stage: of values, interleaved, or of the operand and the result where `first` and `last` say so.
struct fourier_arguments {
  void const* from;
  void* to;
  void* roots;
  long long before, radix;
  bool first, last;
};
template <class Code>
struct fourier_roots_kernel : fourier_lines<Code> {
  using base = fourier_lines<Code>;
  using arguments = fourier_arguments;
  static constexpr int threads = 256;
  static constexpr std::int64_t blocks = base::lines == 0 ? 0 : (base::n + threads - 1) / threads;
  DIMITY_DEVICE static void run(arguments const& args) {
    long long const j = static_cast<long long>(blockIdx.x) * threads + threadIdx.x;
    if (j < base::n) static_cast<typename base::value*>(args.roots)[j] = root_of_unity<typename base::T>(j, base::n);
  }
};
template <class Code>
struct fourier_stage_kernel : fourier_lines<Code> {
  using base = fourier_lines<Code>;
  using typename base::value;
  using arguments = fourier_arguments;
  static constexpr int threads = 256;
  static constexpr long long n = base::n > 0 ? base::n : 1;
  using index = std::conditional_t<(n < (1 << 30)), int, long long>;
  static constexpr std::int64_t blocks = (base::lines * base::n + threads - 1) / threads;
  DIMITY_DEVICE static void run(arguments const& args) {
    long long const i = static_cast<long long>(blockIdx.x) * threads + threadIdx.x;
    if (i >= base::lines * base::n) return;
    long long const line = i / n;
    value const* const values = static_cast<value const*>(args.from) + line * n;
    value const* const roots = static_cast<value const*>(args.roots);
    index const before = static_cast<index>(args.before), radix = static_cast<index>(args.radix);
    value const x = base::stage(
      static_cast<index>(i % n), before, radix, static_cast<index>(n) / (before * radix), [&](long long k) { return args.first ? base::load(args.from, line, k) : values[k]; }, [&](long long j) { return roots[j]; });
    if (args.last) base::store(args.to, line, i % n, x);
    else static_cast<value*>(args.to)[i] = x;
  }
};

template <class Code>
struct fourier_transform {
  using lines = fourier_lines<Code>;
  static void run(void* x, void* result, [[maybe_unused]] void* scratch, cudaStream_t stream) {
    if constexpr (lines::n <= longest_in_block(sizeof(typename lines::T))) {
      launch_kernel<fourier_block_kernel<Code>>({{x, result}}, stream);
    } else {
      using value = typename lines::value;
      value *const roots = static_cast<value*>(scratch), *const places[2] = {roots + lines::n, roots + lines::n * (1 + lines::lines)};
      launch_kernel<fourier_roots_kernel<Code>>({nullptr, nullptr, roots, 0, 0, false, false}, stream);
      long long before = 1;
      for (int s = 0; s < lines::radices.count; ++s) {
        bool const first = s == 0, last = s + 1 == lines::radices.count;
        void* const from = first ? x : places[(s + 1) % 2];
        void* const to = last ? result : places[s % 2];
        launch_kernel<fourier_stage_kernel<Code>>({from, to, roots, before, lines::radices.of[s], first, last}, stream);
        before *= lines::radices.of[s];
      }
    }
  }
};

}  // namespace DIMITY_NAMESPACE::detail
