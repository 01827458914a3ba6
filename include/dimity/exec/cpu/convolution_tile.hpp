// The innermost loop of convolutions and their input gradients: some results at some positions, as sums over taps that stay in registers.
#pragma once

#include <dimity/exec/cpu/matmul_pack.hpp>
#include <dimity/program/convolution_geometry.hpp>

namespace DIMITY_NAMESPACE::detail::conv {

using mm::batch;
using mm::lanes;

/// A tile has up to tile_rows channels and tile_vectors vectors of positions. One with a single channel has more vectors, so that enough sums are under way to hide the latency of fma.
inline constexpr int tile_rows = mm::registers == 32 ? 8 : 4, tile_vectors = 3;
inline constexpr int wide_vectors = mm::registers == 32 ? 8 : 4;
inline constexpr int most_vectors = wide_vectors;

/// What a tile reads and writes. Row r of its results at vector v is
///   sum over k < depth of weight[k * Rows + r] * x[v][offset[k] ...],
/// added to what is at `from`, if anything, in rows of Vectors vectors; it goes to `to + r * to_row + column[v]`.
template <class T>
struct tile_task {
  T const* weight;
  extent_t const* offset;
  extent_t depth;
  T const* x[most_vectors];
  T const* from;
  T* to;
  extent_t to_row;
  extent_t column[most_vectors];
};

template <class T, int Row, int... V>
DIMITY_INLINE void add_weighted_row(batch<T>* sum, T const* weight, batch<T> const* x, std::integer_sequence<int, V...>) {
  batch<T> const w(weight[Row]);
  ((sum[Row * static_cast<int>(sizeof...(V)) + V] = fma(w, x[V], sum[Row * static_cast<int>(sizeof...(V)) + V])), ...);
}
template <class T, int... R, int... V>
DIMITY_INLINE void add_tap(batch<T>* sum, T const* weight, T const* const* x, extent_t offset, std::integer_sequence<int, R...>, std::integer_sequence<int, V...> vectors) {
  batch<T> const here[] = {batch<T>::load_unaligned(x[V] + offset)...};
  (add_weighted_row<T, R>(sum, weight, here, vectors), ...);
}
template <class T, int... I>
DIMITY_INLINE void clear_sums(batch<T>* sum, std::integer_sequence<int, I...>) {
  ((sum[I] = batch<T>(T(0))), ...);
}
template <class T, int... I>
DIMITY_INLINE void add_kept_sums(batch<T>* sum, T const* from, std::integer_sequence<int, I...>) {
  ((sum[I] = sum[I] + batch<T>::load_aligned(from + I * lanes<T>)), ...);
}
template <class T, int Row, int... V>
DIMITY_INLINE void store_row(batch<T> const* sum, T* to, extent_t const* column, std::integer_sequence<int, V...>) {
  (sum[Row * static_cast<int>(sizeof...(V)) + V].store_unaligned(to + column[V]), ...);
}
template <class T, int... R, int... V>
DIMITY_INLINE void store_sums(batch<T> const* sum, T* to, extent_t to_row, extent_t const* column, std::integer_sequence<int, R...>, std::integer_sequence<int, V...> vectors) {
  (store_row<T, R>(sum, to + R * to_row, column, vectors), ...);
}

/// Vectors that overlap at their destination are stored in the order of their number.
template <class T, int Rows, int Vectors>
[[gnu::noinline]] void run_tile(tile_task<T> const& task) {
  constexpr auto all = std::make_integer_sequence<int, Rows * Vectors>{};
  constexpr auto rows = std::make_integer_sequence<int, Rows>{};
  constexpr auto vectors = std::make_integer_sequence<int, Vectors>{};
  batch<T> sum[Rows * Vectors];
  clear_sums<T>(sum, all);
  T const* x[Vectors];
  for (int v = 0; v < Vectors; ++v) x[v] = task.x[v];
  T const* weight = task.weight;
  extent_t const* offset = task.offset;
  extent_t const* const end = offset + task.depth;
  for (; end - offset >= 2; offset += 2, weight += 2 * Rows) {
    add_tap<T>(sum, weight, x, offset[0], rows, vectors);
    add_tap<T>(sum, weight + Rows, x, offset[1], rows, vectors);
  }
  if (offset < end) add_tap<T>(sum, weight, x, *offset, rows, vectors);
  if (task.from != nullptr) add_kept_sums<T>(sum, task.from, all);
  store_sums<T>(sum, task.to, task.to_row, task.column, rows, vectors);
}

/// Tiles by number of vectors.
template <class T, int Rows>
void run_tile_of(int vectors, tile_task<T> const& task) {
  if (vectors == 3) run_tile<T, Rows, 3>(task);
  else if (vectors == 2) run_tile<T, Rows, 2>(task);
  else run_tile<T, Rows, 1>(task);
}

/// The rows of the next tile, when so many channels are left. Weights are packed in this order. Each size takes time to compile, so there are few.
constexpr int next_tile_rows(extent_t channels) {
  if (channels >= tile_rows) return tile_rows;
  return channels >= 4 ? 4 : channels == 3 ? 3 : 1;
}

template <class T>
void run_any_tile(int rows, int vectors, tile_task<T> const& task) {
  if (vectors == wide_vectors) run_tile<T, 1, wide_vectors>(task);
  else if (rows == tile_rows) run_tile_of<T, tile_rows>(vectors, task);
  else if (rows == 4) run_tile_of<T, 4>(vectors, task);
  else if (rows == 3) run_tile_of<T, 3>(vectors, task);
  else run_tile_of<T, 1>(vectors, task);
}

}  // namespace DIMITY_NAMESPACE::detail::conv
