// The points of the unit circle by which a transform multiplies between its passes.
#pragma once

#include <dimity/exec/cpu/fft_butterfly.hpp>
#include <dimity/exec/cpu/fft_plan.hpp>

#include <algorithm>

namespace DIMITY_NAMESPACE::detail {

/// Elements of the table of a pass: for every p the factors of results 1 ... radix - 1, real and imaginary part of each. The last pass has none.
constexpr extent_t fft_pass_twiddles(extent_t length, fft_radices const& radices, int pass) {
  for (int i = 0; i <= pass; ++i) length /= radices.radix[i];
  return length == 1 ? 0 : (length * (radices.radix[pass] - 1) * 2 + 15) / 16 * 16;
}
/// Where the table of a pass begins, and, for the number of passes, where all of them end.
constexpr extent_t fft_twiddles_before(extent_t length, fft_radices const& radices, int pass) {
  extent_t total = 0;
  for (int i = 0; i < pass; ++i) total += fft_pass_twiddles(length, radices, i);
  return total;
}
template <class T>
void write_circle_point(circle_point const& w, T* re, T* im) {
  *re = static_cast<T>(w.re);
  *im = static_cast<T>(w.im);
}
template <class T>
void fill_pass_twiddles(extent_t length, fft_radices const& radices, T* to) {
  extent_t rest = length;
  for (int pass = 0; pass + 1 < radices.passes; ++pass) {
    int const radix = radices.radix[pass];
    T* at = to + fft_twiddles_before(length, radices, pass);
    for (extent_t p = 0; p < rest / radix; ++p)
      for (int k = 1; k < radix; ++k, at += 2) write_circle_point(circle_point_of(p * k, rest), at, at + 1);
    rest /= radix;
  }
}

/// From this length on a table of all factors between rows and columns takes longer to read than products of two factors to compute.
inline constexpr extent_t fft_shortest_factored = 16384;

/// The factors between the rows and columns of a plan, exp(-2 pi i b c / N), c being the rows. For every block of as many rows as a register has lanes those of columns b = 1 ... columns - 1:
/// a register of real parts and one of imaginary parts each; or, factored, real and imaginary part for the first row of the block, and registers for the lanes behind all blocks.
template <class T>
void fill_row_twiddles(extent_t rows, extent_t columns, int width, bool factored, T* to) {
  extent_t const n = rows * columns;
  auto const registers = [&](extent_t first) {
    for (extent_t b = 1; b < columns; ++b, to += 2 * width)
      for (int lane = 0; lane < width; ++lane) write_circle_point(circle_point_of((first + lane) * b, n), to + lane, to + width + lane);
  };
  for (extent_t block = 0; block < rows; block += width) {
    // The last block ends with the last row, and so overlaps the one before it where the rows do not fill it.
    extent_t const first = std::min(block, rows - width);
    if (!factored) registers(first);
    for (extent_t b = 1; factored && b < columns; ++b, to += 2) write_circle_point(circle_point_of(first * b, n), to, to + 1);
  }
  if (factored) registers(0);
}

/// The tables of a length: of the passes, and of the rows behind them.
template <class T, extent_t N>
struct fft_plan_twiddles {
  static constexpr fft_plan plan = fft_plan_for<T, N>;
  static constexpr int width = lanes_for<T>(plan.rows);
  static constexpr bool factored = N >= fft_shortest_factored;
  static constexpr extent_t blocks = (plan.rows + width - 1) / width, of_block = 2 * (plan.columns - 1);
  static constexpr extent_t of_passes = fft_twiddles_before(plan.rows, plan.passes, plan.passes.passes);
  alignas(64) T values[of_passes + (factored ? (blocks + width) * of_block : blocks * width * of_block)];
  fft_plan_twiddles() {
    fill_pass_twiddles(plan.rows, plan.passes, values);
    fill_row_twiddles(plan.rows, plan.columns, width, factored, values + of_passes);
  }
};
/// A table, made when it is first asked for. It has static storage: transforms do not allocate.
template <class Table>
Table const& fft_table() {
  static Table const table;
  return table;
}

}  // namespace DIMITY_NAMESPACE::detail
