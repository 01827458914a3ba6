// The innermost loops of the weight gradients of convolutions: sums over positions of products of x and the gradient.
#pragma once

#include <dimity/exec/cpu/convolution_sums.hpp>

namespace DIMITY_NAMESPACE::detail::conv {

/// Some positions of a window and of the gradient; x at tap k is at source + offset[k] + image * image_step + row * row_step + column.
struct position_block {
  extent_t images, rows, columns;
  extent_t image_step, row_step;
  extent_t gradient_image, gradient_channel, gradient_row, gradient_column;
};

/// Vectors of outputs: the gradient of a position is side by side for all outputs, x is broadcast.
template <class T>
struct outer_task {
  T const* source;
  extent_t const* offset;
  T const* gradient;
  T* sums;  ///< of a tap; those of the next are sums_pitch further
  extent_t sums_pitch;
};

template <class T, int... I>
DIMITY_INLINE void add_to_sums(batch<T> const* sum, T* to, std::integer_sequence<int, I...>) {
  ((batch<T>::load_aligned(to + I * lanes<T>) + sum[I]).store_aligned(to + I * lanes<T>), ...);
}
template <class T, int... R, int... V>
DIMITY_INLINE void add_position(batch<T>* sum, T const* const* x, extent_t at, T const* gradient, std::integer_sequence<int, R...>, std::integer_sequence<int, V...> vectors) {
  batch<T> const here[] = {batch<T>::load_aligned(gradient + V * lanes<T>)...};
  (add_weighted_row<T, 0>(sum + R * static_cast<int>(sizeof...(V)), x[R] + at, here, vectors), ...);
}
template <class T, int Vectors, int... R>
DIMITY_INLINE void add_rows_to_sums(batch<T> const* sum, T* to, extent_t pitch, std::integer_sequence<int, R...>) {
  (add_to_sums<T>(sum + R * Vectors, to + R * pitch, std::make_integer_sequence<int, Vectors>{}), ...);
}

/// Rows taps of Vectors vectors of outputs.
template <class T, int Rows, int Vectors>
[[gnu::noinline]] void add_outer_tile(outer_task<T> const& task, position_block const& block) {
  constexpr auto rows = std::make_integer_sequence<int, Rows>{};
  constexpr auto vectors = std::make_integer_sequence<int, Vectors>{};
  batch<T> sum[Rows * Vectors];
  clear_sums<T>(sum, std::make_integer_sequence<int, Rows * Vectors>{});
  T const* x[Rows];
  for (int r = 0; r < Rows; ++r) x[r] = task.source + task.offset[r];
  extent_t const columns = block.columns, step = block.gradient_column;
  for (extent_t n = 0; n < block.images; ++n)
    for (extent_t r = 0; r < block.rows; ++r) {
      T const* gradient = task.gradient + n * block.gradient_image + r * block.gradient_row;
      extent_t const at = n * block.image_step + r * block.row_step;
      for (extent_t c = at; c < at + columns; ++c, gradient += step) add_position<T>(sum, x, c, gradient, rows, vectors);
    }
  add_rows_to_sums<T, Vectors>(sum, task.sums, task.sums_pitch, rows);
}
template <class T, int Rows>
void add_outer_tile_of(int vectors, outer_task<T> const& task, position_block const& block) {
  if (vectors == 3) add_outer_tile<T, Rows, 3>(task, block);
  else if (vectors == 2) add_outer_tile<T, Rows, 2>(task, block);
  else add_outer_tile<T, Rows, 1>(task, block);
}
constexpr int next_outer_rows(extent_t left) { return left >= tile_rows ? tile_rows : left >= 4 ? 4 : 1; }
template <class T>
void add_any_outer_tile(int rows, int vectors, outer_task<T> const& task, position_block const& block) {
  if (rows == tile_rows) add_outer_tile_of<T, tile_rows>(vectors, task, block);
  else if (rows == 4) add_outer_tile_of<T, 4>(vectors, task, block);
  else add_outer_tile_of<T, 1>(vectors, task, block);
}

/// Vectors of positions, for few outputs: sums are kept as vectors, whose lanes are added up at the very end. Outputs are gradient_channel apart in the gradient and sums_pitch in the sums.
template <class T>
struct dot_task {
  T const* source;
  extent_t const* offset;
  T const* gradient;
  extent_t gradient_channel;
  T* sums;
  extent_t sums_pitch;
  T const* mask;   ///< all bits set in the lanes of the last vector of a row that count, none in the others
  extent_t begin;  ///< of the last vector, from behind the last column: it ends with the row if the row is long enough
};

template <class T, bool Partial>
DIMITY_INLINE batch<T> load_counted(T const* from, [[maybe_unused]] batch<T> mask) {
  batch<T> const x = batch<T>::load_unaligned(from);
  // Both factors are cleared, because 0 * inf is not 0.
  if constexpr (Partial) return x & mask;
  else return x;
}
template <class T, int Taps, int... O>
DIMITY_INLINE void add_products(batch<T>* sum, batch<T> x, batch<T> const* gradient, std::integer_sequence<int, O...>) {
  ((sum[O * Taps] = fma(x, gradient[O], sum[O * Taps])), ...);
}
template <class T, bool Partial, int... O, int... K>
DIMITY_INLINE void add_positions(batch<T>* sum, T const* const* x, extent_t at, T const* gradient, extent_t gradient_channel, batch<T> mask, std::integer_sequence<int, O...> outputs,
                                 std::integer_sequence<int, K...>) {
  batch<T> const here[] = {load_counted<T, Partial>(gradient + O * gradient_channel, mask)...};
  (add_products<T, static_cast<int>(sizeof...(K))>(sum + K, load_counted<T, Partial>(x[K] + at, mask), here, outputs), ...);
}

template <class T, int Outputs, int Taps>
[[gnu::noinline]] void add_dot_tile(dot_task<T> const& task, position_block const& block) {
  constexpr auto outputs = std::make_integer_sequence<int, Outputs>{};
  constexpr auto taps = std::make_integer_sequence<int, Taps>{};
  batch<T> sum[Outputs * Taps];
  clear_sums<T>(sum, std::make_integer_sequence<int, Outputs * Taps>{});
  batch<T> const mask = batch<T>::load_unaligned(task.mask);
  T const* x[Taps];
  for (int k = 0; k < Taps; ++k) x[k] = task.source + task.offset[k];
  extent_t const whole = block.columns / lanes<T> * lanes<T>, last = block.columns - task.begin, channel = task.gradient_channel;
  for (extent_t n = 0; n < block.images; ++n)
    for (extent_t r = 0; r < block.rows; ++r) {
      T const* const gradient = task.gradient + n * block.gradient_image + r * block.gradient_row;
      extent_t const at = n * block.image_step + r * block.row_step;
      for (extent_t c = 0; c < whole; c += lanes<T>) add_positions<T, false>(sum, x, at + c, gradient + c, channel, mask, outputs, taps);
      if (whole < block.columns) add_positions<T, true>(sum, x, at + last, gradient + last, channel, mask, outputs, taps);
    }
  add_rows_to_sums<T, Taps>(sum, task.sums, task.sums_pitch, outputs);
}

/// Outputs and taps of a tile. Nine are those of a small window.
inline constexpr int dot_outputs = 2, dot_taps = mm::registers == 32 ? 9 : 5;
constexpr int next_dot_taps(extent_t left) { return left >= dot_taps ? dot_taps : left >= 3 ? 3 : 1; }

template <class T, int Outputs>
void add_any_dot_tile(int taps, dot_task<T> const& task, position_block const& block) {
  if (taps == dot_taps) add_dot_tile<T, Outputs, dot_taps>(task, block);
  else if (taps == 3) add_dot_tile<T, Outputs, 3>(task, block);
  else add_dot_tile<T, Outputs, 1>(task, block);
}

}  // namespace DIMITY_NAMESPACE::detail::conv
