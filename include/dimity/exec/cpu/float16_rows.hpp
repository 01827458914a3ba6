// Few rows of 16- and 8-bit floats times a matrix, which is read as it lies: nothing is copied, elements become float as they are read.
#pragma once

#include <dimity/exec/cpu/float16_lanes.hpp>
#include <dimity/exec/cpu/matmul.hpp>

#include <algorithm>
#include <cstdint>

namespace DIMITY_NAMESPACE::detail::mm {

/// One row of C, with the rows of B side by side in memory.
template <class X, bool Partial, class Sink, int... V>
inline void row_of_widened(matmul_problem const& p, X const* a, X const* b, std::int64_t j, int last_count, Sink const& sink, std::integer_sequence<int, V...>) {
  constexpr int width = lanes<float>, last = static_cast<int>(sizeof...(V)) - 1;
  auto const load = [&](X const* from, bool is_last) __attribute__((always_inline)) {
    return convert_lanes<float>(Partial && is_last ? load_first<X, width>(from, last_count) : load_lanes<X, width>(from)).p[0];
  };
  batch<float> sum[] = {((void)V, batch<float>(0.0f))...};
  for (std::int64_t k = 0; k < p.k; ++k) {
    batch<float> const x(static_cast<float>(a[k * p.a_col]));
    X const* const row = b + k * p.b_row + j;
    ((sum[V] = fma(x, load(row + V * width, V == last), sum[V])), ...);
  }
  (emit<Sink, float>(sink, 0, j + V * width, sum[V], Partial && V == last ? last_count : width), ...);
}
/// Shares are of columns.
template <class X, class Sink, class Share>
void row_times_widened(matmul_problem const& p, X const* a, X const* b, Sink const& sink, Share const share) {
  constexpr int width = lanes<float>, many = 8;
  std::int64_t const blocks = ceil_div(p.n, std::int64_t{many * width}), end = std::min<std::int64_t>(p.n, share.end(blocks) * many * width);
  std::int64_t j = share.begin(blocks) * many * width;
  for (; j + many * width <= end; j += many * width) row_of_widened<X, false>(p, a, b, j, width, sink, std::make_integer_sequence<int, many>{});
  for (; j + 2 * width <= end; j += 2 * width) row_of_widened<X, false>(p, a, b, j, width, sink, std::make_integer_sequence<int, 2>{});
  for (; j < end; j += width) row_of_widened<X, true>(p, a, b, j, static_cast<int>(std::min<std::int64_t>(width, end - j)), sink, std::make_integer_sequence<int, 1>{});
}
constexpr bool is_row_times_rows(matmul_problem const& p) { return p.m == 1 && p.b_col == 1 && p.b_row != 1 && p.n > 1; }

/// Up to so many rows no copy of B as floats pays.
inline constexpr std::int64_t most_rows_of_dots = 4;
constexpr bool is_rows_times_columns(matmul_problem const& p) { return p.m >= 1 && p.m <= most_rows_of_dots && p.a_col == 1 && p.b_row == 1 && p.k > 1; }

/// `Columns` columns of B that each lie in a run, times as many rows of A: to[r W + c] = sum_k a[r][k] * b[c][k]. Each element becomes a float once for all rows.
template <int Rows, int Columns, class X>
inline void dots_of_widened(matmul_problem const& p, X const* a, X const* b, float* to) {
  constexpr int width = lanes<float>;
  batch<float> sum[Rows][Columns];
  for (auto& row : sum)
    for (batch<float>& s : row) s = batch<float>(0.0f);
  auto const step = [&](auto const& load) __attribute__((always_inline)) {
    batch<float> x[Rows];
    for (int r = 0; r < Rows; ++r) x[r] = load(a + r * p.a_row);
    for (int c = 0; c < Columns; ++c) {
      batch<float> const w = load(b + c * p.b_col);
      for (int r = 0; r < Rows; ++r) sum[r][c] = fma(x[r], w, sum[r][c]);
    }
  };
  std::int64_t k = 0;
  for (; k + width <= p.k; k += width) step([&](X const* from) __attribute__((always_inline)) { return convert_lanes<float>(load_lanes<X, width>(from + k)).p[0]; });
  if (int const left = static_cast<int>(p.k - k); left > 0) step([&](X const* from) __attribute__((always_inline)) { return convert_lanes<float>(load_first<X, width>(from + k, left)).p[0]; });
  for (int r = 0; r < Rows; ++r) {
    alignas(64) float sums[width];
    horizontal_sums<float>(sum[r]).store_aligned(sums);
    for (int c = 0; c < Columns; ++c) to[r * width + c] = sums[c];
  }
}
/// The terms of both operands lie in runs, as where weights are (out, in). Shares are of columns.
template <int Rows, class X, class Sink, class Share>
void rows_times_widened(matmul_problem const& p, X const* a, X const* b, Sink const& sink, Share const share) {
  constexpr int width = lanes<float>, sums = registers == 32 ? 16 : 8, columns_at_once = std::min(width, Rows <= 2 ? std::min(8, sums / Rows) : sums / 4);
  std::int64_t const blocks = ceil_div(p.n, std::int64_t{width}), end = std::min<std::int64_t>(p.n, share.end(blocks) * width);
  for (std::int64_t j = share.begin(blocks) * width; j < end; j += width) {
    int const count = static_cast<int>(std::min<std::int64_t>(width, end - j));
    alignas(64) float out[Rows * width] = {};
    int c = 0;
    for (; c + columns_at_once <= count; c += columns_at_once) dots_of_widened<Rows, columns_at_once>(p, a, b + (j + c) * p.b_col, out + c);
    for (; c < count; ++c) dots_of_widened<Rows, 1>(p, a, b + (j + c) * p.b_col, out + c);
    for (int r = 0; r < Rows; ++r) emit<Sink, float>(sink, r, j, batch<float>::load_aligned(out + r * width), count);
  }
}

}  // namespace DIMITY_NAMESPACE::detail::mm
