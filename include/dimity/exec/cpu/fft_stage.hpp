// Fourier transforms of lengths with small prime factors, in passes over memory.
#pragma once

#include <dimity/exec/cpu/fft_twiddles.hpp>

#include <algorithm>

namespace DIMITY_NAMESPACE::detail {

/// Where a pass reads its elements: real and imaginary parts apart,
template <class T>
struct planar_source {
  T const *re, *im;
  template <int W>
  DIMITY_FFT_INLINE complex_lanes<lanes<T, W>> read(extent_t i) const {
    return {read_lanes<W>(re + i), read_lanes<W>(im + i)};
  }
};
/// in turn,
template <class T>
struct paired_source {
  T const* x;
  template <int W>
  DIMITY_FFT_INLINE complex_lanes<lanes<T, W>> read(extent_t i) const {
    if constexpr (W == 1) {
      return {x[2 * i], x[2 * i + 1]};
    } else {
      auto const low = read_lanes<W>(x + 2 * i), high = read_lanes<W>(x + 2 * i + W);
      return {exchange_lanes<lane_pattern::alternate<0>, W>(low, high), exchange_lanes<lane_pattern::alternate<1>, W>(low, high)};
    }
  }
};
/// or real parts alone.
template <class T>
struct real_source {
  T const* x;
  template <int W>
  DIMITY_FFT_INLINE complex_lanes<lanes<T, W>> read(extent_t i) const {
    return {read_lanes<W>(x + i), all_lanes<W>(T(0))};
  }
};

/// Where it leaves its results.
template <class T>
struct planar_sink {
  T *re, *im;
  template <int W>
  DIMITY_FFT_INLINE void write(extent_t i, complex_lanes<lanes<T, W>> const& x) const {
    write_lanes<W>(re + i, x.re);
    write_lanes<W>(im + i, x.im);
  }
};
/// Imaginary and real part in turn: what an inverse transform, which exchanges the parts, leaves as real and imaginary ones.
template <class T>
struct paired_sink {
  T* to;
  template <int W>
  DIMITY_FFT_INLINE void write(extent_t i, complex_lanes<lanes<T, W>> const& x) const {
    if constexpr (W == 1) {
      to[2 * i] = x.im;
      to[2 * i + 1] = x.re;
    } else {
      write_lanes<W>(to + 2 * i, exchange_lanes<lane_pattern::interleaved<0>, W>(x.im, x.re));
      write_lanes<W>(to + 2 * i + W, exchange_lanes<lane_pattern::interleaved<1>, W>(x.im, x.re));
    }
  }
};

/// One pass: to[q + S (Radix p + k)] = exp(-2 pi i p k / (Radix M)) sum_j from[q + S (p + M j)] exp(-2 pi i j k / Radix), for q < S and p < M.
/// Passes of this form need no reordering between them (Stockham's; Van Loan, Computational Frameworks for the Fast Fourier Transform, section 1.7).
template <class T, int Radix, extent_t S, extent_t M, class Source, class Sink>
void fft_pass(Source const& from, Sink const& to, T const* __restrict twiddles) {
  constexpr int w = lanes_for<T>(S);
  for (extent_t p = 0; p < M; ++p) {
    for (extent_t block = 0; block < S; block += w) {
      // What is left over is done again with what is before it: nothing is overwritten that is still to be read.
      extent_t const q = S % w == 0 ? block : std::min(block, S - w);
      complex_lanes<lanes<T, w>> x[Radix];
      unrolled<Radix>([&](auto j) DIMITY_FFT_LAMBDA { x[j] = from.template read<w>(q + S * p + S * M * j); });
      butterfly<T, Radix, 1>(x);
      to.template write<w>(q + S * Radix * p, x[0]);
      unrolled<Radix - 1>([&](auto i) DIMITY_FFT_LAMBDA {
        constexpr int k = i + 1;
        if constexpr (M > 1) x[k] = multiplied(x[k], twiddles[2 * i], twiddles[2 * i + 1]);
        to.template write<w>(q + S * Radix * p + S * k, x[k]);
      });
    }
    if constexpr (M > 1) twiddles += 2 * (Radix - 1);
  }
}

/// Transforms down the columns of [Length, S] elements: pass number Pass and all after it. They write to `a` and `b` in turn, and the last one to `to`.
template <class T, extent_t Length, extent_t S, int Pass = 0, class Source, class Sink>
DIMITY_FFT_INLINE void fft_passes(Source const& from, Sink const& to, planar_sink<T> const& a, planar_sink<T> const& b, T const* twiddles) {
  constexpr fft_radices const& radices = fft_radices_for<Length>;
  constexpr extent_t before = fft_product_before(radices, Pass);
  constexpr int radix = radices.radix[Pass];
  if constexpr (Pass + 1 == radices.passes) {
    fft_pass<T, radix, S * before, 1>(from, to, twiddles);
  } else {
    fft_pass<T, radix, S * before, Length / before / radix>(from, a, twiddles + fft_twiddles_before(Length, radices, Pass));
    fft_passes<T, Length, S, Pass + 1>(planar_source<T>{a.re, a.im}, to, b, a, twiddles);
  }
}

/// The last step, for rows of `Columns` elements: to[c + Rows d] = sum_b from[c Columns + b] exp(-2 pi i b c / N) exp(-2 pi i b d / Columns), lane by lane for neighbouring rows c.
template <class T, int Columns, extent_t Rows, bool Factored, class Sink>
void fft_rows(T const* __restrict re, T const* __restrict im, Sink const& to, T const* __restrict twiddles) {
  constexpr int w = lanes_for<T>(Rows);
  T const* const of_lanes = twiddles + (Rows + w - 1) / w * 2 * (Columns - 1);
  for (extent_t block = 0; block < Rows; block += w) {
    extent_t const c = Rows % w == 0 ? block : std::min(block, Rows - w);
    complex_lanes<lanes<T, w>> x[Columns];
    lanes<T, w> part[Columns];
    read_columns<w, Columns>(re + c * Columns, Columns, part);
    unrolled<Columns>([&](auto b) DIMITY_FFT_LAMBDA { x[b].re = part[b]; });
    read_columns<w, Columns>(im + c * Columns, Columns, part);
    unrolled<Columns>([&](auto b) DIMITY_FFT_LAMBDA { x[b].im = part[b]; });
    unrolled<Columns - 1>([&](auto i) DIMITY_FFT_LAMBDA {
      T const* const at = (Factored ? of_lanes : twiddles) + 2 * i * w;
      complex_lanes<lanes<T, w>> factor{read_lanes<w>(at), read_lanes<w>(at + w)};
      if constexpr (Factored) factor = multiplied(factor, twiddles[2 * i], twiddles[2 * i + 1]);
      x[i + 1] = multiplied(x[i + 1], factor.re, factor.im);
    });
    butterfly<T, Columns, 1>(x);
    unrolled<Columns>([&](auto d) DIMITY_FFT_LAMBDA { to.template write<w>(c + Rows * d, x[d]); });
    twiddles += 2 * (Columns - 1) * (Factored ? 1 : w);
  }
}

/// A transform of N elements, as its plan says: the rows of [rows, columns] elements are so far apart that all of a register's lanes are columns; only the last step exchanges lanes
/// (the four-step method with lanes as columns; Bailey, FFTs in external or hierarchical memory, 1990). `result` is memory that the last step overwrites.
template <class T, extent_t N, class Source, class Sink>
DIMITY_FFT_INLINE void fft_in_passes(Source const& from, Sink const& to, planar_sink<T> const& result, T* scratch) {
  constexpr fft_plan const& plan = fft_plan_for<T, N>;
  auto const& table = fft_table<fft_plan_twiddles<T, N>>();
  planar_sink<T> const other{scratch, scratch + fft_distance(N)};
  // The passes end in `other`, so they begin there or in the result.
  bool constexpr odd = fft_radices_for<plan.rows>.passes % 2 == 1;
  fft_passes<T, plan.rows, plan.columns>(from, other, odd ? other : result, odd ? result : other, table.values);
  fft_rows<T, plan.columns, plan.rows, fft_plan_twiddles<T, N>::factored>(other.re, other.im, to, table.values + table.of_passes);
}

/// Elements that are not neighbours are brought together where the first pass does not write.
template <class T, extent_t N>
void fft_in_passes_strided(T const* re, T const* im, extent_t stride, planar_sink<T> const& to, T* scratch) {
  bool constexpr into_result = fft_radices_for<fft_plan_for<T, N>.rows>.passes % 2 == 1;
  T* const x = into_result ? to.re : scratch;
  T* const y = into_result ? to.im : scratch + fft_distance(N);
  for (extent_t i = 0; i < N; ++i) {
    x[i] = re[i * stride];
    y[i] = im[i * stride];
  }
  fft_in_passes<T, N>(planar_source<T>{x, y}, to, to, scratch);
}

}  // namespace DIMITY_NAMESPACE::detail
