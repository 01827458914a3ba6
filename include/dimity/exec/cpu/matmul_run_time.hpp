// Matrix products with extents or strides that are chosen at run time, with a fused epilogue. One register tile for all; panels of B are copied only where their elements are not side by side.
#pragma once

#include <dimity/exec/cpu/matmul_pack.hpp>

namespace DIMITY_NAMESPACE::detail {
namespace mm {

/// The tile: rows of C, and vectors of its columns. Twelve or sixteen independent sums hide the latency of two fma units.
inline constexpr int tile_rows = registers == 32 ? 8 : 6, tile_vectors = 2;
/// Steps of k whose panel of B stays in the first-level cache, and rows whose sums are kept between two blocks of k.
inline constexpr std::int64_t depth_block = 256, row_block = 128;

template <term_group Group, class T, int Row, int... V>
[[gnu::always_inline]] inline void add_row(batch<T>* sum, T const* a, batch<T> const* b, std::integer_sequence<int, V...>) {
  batch<T> const x(*a);
  ((sum[Row * static_cast<int>(sizeof...(V)) + V] = accumulated<Group, T>(x, b[V], sum[Row * static_cast<int>(sizeof...(V)) + V])), ...);
}
template <term_group Group, class T, int... R, int... V>
[[gnu::always_inline]] inline void add_step(batch<T>* sum, T const* a, std::int64_t a_row, T const* b, std::integer_sequence<int, R...>, std::integer_sequence<int, V...> columns) {
  batch<T> const row[] = {batch<T>::load_unaligned(b + V * lanes<T>)...};
  (add_row<Group, T, R>(sum, a + R * a_row, row, columns), ...);
}
template <class T, int Vectors, int... I>
[[gnu::always_inline]] inline void load_sums(batch<T>* sum, T const* from, bool is_first, std::integer_sequence<int, I...>) {
  ((sum[I] = is_first ? batch<T>(T(0)) : batch<T>::load_aligned(from + (I / Vectors * tile_vectors + I % Vectors) * lanes<T>)), ...);
}
template <class T, int Vectors, int... I>
[[gnu::always_inline]] inline void keep_sums(batch<T> const* sum, T* to, std::integer_sequence<int, I...>) {
  (sum[I].store_aligned(to + (I / Vectors * tile_vectors + I % Vectors) * lanes<T>), ...);
}

/// Adds `depth` steps to Rows x Vectors vectors of sums at `sums`, which are zeros at first. Once for each element type and size, whatever the products and epilogues of a program.
template <term_group Group, class T, int Rows, int Vectors>
[[gnu::noinline]] void add_tile(T const* a, std::int64_t a_row, std::int64_t a_col, T const* b, std::int64_t b_row, std::int64_t depth, T* sums, bool is_first) {
  constexpr auto all = std::make_integer_sequence<int, Rows * Vectors>{};
  constexpr auto rows = std::make_integer_sequence<int, Rows>{};
  constexpr auto columns = std::make_integer_sequence<int, Vectors>{};
  batch<T> sum[Rows * Vectors];
  load_sums<T, Vectors>(sum, sums, is_first, all);
  std::int64_t k = 0;
  for (; k + 2 <= depth; k += 2, a += 2 * a_col, b += 2 * b_row) {
    add_step<Group, T>(sum, a, a_row, b, rows, columns);
    add_step<Group, T>(sum, a + a_col, a_row, b + b_row, rows, columns);
  }
  if (k < depth) add_step<Group, T>(sum, a, a_row, b, rows, columns);
  keep_sums<T, Vectors>(sum, sums, all);
}
template <term_group Group, class T, int Rows>
inline void add_rows(int vectors, T const* a, std::int64_t a_row, std::int64_t a_col, T const* b, std::int64_t b_row, std::int64_t depth, T* sums, bool is_first) {
  if (vectors == tile_vectors) add_tile<Group, T, Rows, tile_vectors>(a, a_row, a_col, b, b_row, depth, sums, is_first);
  else add_tile<Group, T, Rows, 1>(a, a_row, a_col, b, b_row, depth, sums, is_first);
}
/// The same for any number of rows up to tile_rows: what is left over is at most two tiles.
template <term_group Group = term_group{}, class T>
inline void add_any_rows(std::int64_t rows, int vectors, T const* a, std::int64_t a_row, std::int64_t a_col, T const* b, std::int64_t b_row, std::int64_t depth, T* sums, bool is_first) {
  if (rows == tile_rows) return add_rows<Group, T, tile_rows>(vectors, a, a_row, a_col, b, b_row, depth, sums, is_first);
  std::int64_t done = 0;
  auto const next = [&](auto count) {
    if (rows - done < count) return;
    add_rows<Group, T, count>(vectors, a + done * a_row, a_row, a_col, b, b_row, depth, sums + done * tile_vectors * lanes<T>, is_first);
    done += count;
  };
  next(std::integral_constant<int, 4>{});
  next(std::integral_constant<int, 3>{});
  next(std::integral_constant<int, 2>{});
  next(std::integral_constant<int, 1>{});
}

/// Rows of `columns` elements of B, side by side, the last vector filled with zeros.
template <class T>
inline void pack_columns(T const* b, std::int64_t b_row, std::int64_t b_col, std::int64_t depth, std::int64_t columns, T* to) {
  constexpr std::int64_t width = tile_vectors * lanes<T>;
  if (b_row == 1 && depth >= lanes<T>) {
    // Columns run along memory: blocks are transposed in registers, the last one once more up to the end.
    std::int64_t j = 0;
    for (; j + lanes<T> <= columns; j += lanes<T>)
      for (std::int64_t k = 0; k < depth; k += lanes<T>) {
        std::int64_t const at = std::min<std::int64_t>(k, depth - lanes<T>);
        transpose_block<T>(b + j * b_col + at, b_col, to + at * width + j, width);
      }
    if (j == width) return;
    b += j * b_col;
    for (std::int64_t k = 0; k < depth; ++k) {
      for (std::int64_t i = j; i < columns; ++i) to[k * width + i] = b[(i - j) * b_col + k];
      for (std::int64_t i = columns; i < width; ++i) to[k * width + i] = T(0);
    }
    return;
  }
  for (std::int64_t k = 0; k < depth; ++k, b += b_row, to += width) {
    for (std::int64_t j = 0; j < columns; ++j) to[j] = b[j * b_col];
    for (std::int64_t j = columns; j < width; ++j) to[j] = T(0);
  }
}

template <class T, class Sink>
inline void emit_sums(Sink const& sink, T const* sums, std::int64_t i, std::int64_t rows, std::int64_t j, std::int64_t columns) {
  for (std::int64_t r = 0; r < rows; ++r)
    for (std::int64_t v = 0; v * lanes<T> < columns; ++v) {
      batch<T> const x = batch<T>::load_aligned(sums + (r * tile_vectors + v) * lanes<T>);
      if (columns - v * lanes<T> >= lanes<T>) sink(i + r, j + v * lanes<T>, x);
      else sink(i + r, j + v * lanes<T>, x, static_cast<int>(columns - v * lanes<T>));
    }
}

/// One row of C whose operands both run along k: lanes are summed at the end.
template <class T, class Sink>
inline void row_of_dots(matmul_problem const& p, T const* a, T const* b, Sink const& sink) {
  constexpr int width = lanes<T>;
  for (std::int64_t j = 0; j < p.n; j += width) {
    alignas(64) T out[width] = {};
    int const count = static_cast<int>(std::min<std::int64_t>(width, p.n - j));
    for (int c = 0; c < count; ++c) {
      T const* const column = b + (j + c) * p.b_col;
      batch<T> sum[2] = {batch<T>(T(0)), batch<T>(T(0))};
      std::int64_t k = 0;
      for (; k + 2 * width <= p.k; k += 2 * width) {
        sum[0] = accumulated<term_group{}, T>(batch<T>::load_unaligned(a + k), batch<T>::load_unaligned(column + k), sum[0]);
        sum[1] = accumulated<term_group{}, T>(batch<T>::load_unaligned(a + k + width), batch<T>::load_unaligned(column + k + width), sum[1]);
      }
      for (; k + width <= p.k; k += width) sum[0] = accumulated<term_group{}, T>(batch<T>::load_unaligned(a + k), batch<T>::load_unaligned(column + k), sum[0]);
      batch<T> const one[] = {sum[0] + sum[1]};
      alignas(64) T total[width];
      horizontal_sums<T>(one).store_aligned(total);
      out[c] = total[0];
      // Fewer than a vector: with a bound of 64 bits g++ 12 warns of iterations that there cannot be.
      int const left = static_cast<int>(p.k - k);
      for (int t = 0; t < left; ++t) out[c] += a[k + t] * column[k + t];
    }
    batch<T> const x = batch<T>::load_aligned(out);
    if (count == width) sink(std::int64_t{0}, j, x);
    else sink(std::int64_t{0}, j, x, count);
  }
}

/// One row of C, with the rows of B side by side in memory: many columns at a time, so that there are sums enough.
template <class T, int... V, class Sink>
[[gnu::always_inline]] inline void row_of_vectors(matmul_problem const& p, T const* a, T const* b, std::int64_t j, int last_count, Sink const& sink, std::integer_sequence<int, V...>) {
  constexpr int last = static_cast<int>(sizeof...(V)) - 1;
  batch<T> sum[] = {((void)V, batch<T>(T(0)))...};
  if (last_count == lanes<T>) {
    for (std::int64_t k = 0; k < p.k; ++k) {
      batch<T> const x(a[k * p.a_col]);
      T const* const row = b + k * p.b_row + j;
      ((sum[V] = accumulated<term_group{}, T>(x, batch<T>::load_unaligned(row + V * lanes<T>), sum[V])), ...);
    }
    (sink(std::int64_t{0}, j + V * lanes<T>, sum[V]), ...);
  } else {
    for (std::int64_t k = 0; k < p.k; ++k) {
      batch<T> const x(a[k * p.a_col]);
      T const* const row = b + k * p.b_row + j;
      ((sum[V] = accumulated<term_group{}, T>(x, V < last ? batch<T>::load_unaligned(row + V * lanes<T>) : load_first<T, lanes<T>>(row + V * lanes<T>, last_count).p[0], sum[V])), ...);
    }
    ((V < last ? sink(std::int64_t{0}, j + V * lanes<T>, sum[V]) : sink(std::int64_t{0}, j + V * lanes<T>, sum[V], last_count)), ...);
  }
}
template <class T, class Sink>
inline void row_times_matrix(matmul_problem const& p, T const* a, T const* b, Sink const& sink) {
  std::int64_t j = 0;
  for (; j + 8 * lanes<T> <= p.n; j += 8 * lanes<T>) row_of_vectors<T>(p, a, b, j, lanes<T>, sink, std::make_integer_sequence<int, 8>{});
  for (; j < p.n; j += 2 * lanes<T>) {
    std::int64_t const left = p.n - j;
    if (left > lanes<T>) row_of_vectors<T>(p, a, b, j, static_cast<int>(std::min<std::int64_t>(left - lanes<T>, lanes<T>)), sink, std::make_integer_sequence<int, 2>{});
    else row_of_vectors<T>(p, a, b, j, static_cast<int>(left), sink, std::make_integer_sequence<int, 1>{});
  }
}

}  // namespace mm

/// Bytes of 64-byte aligned scratch: a panel of B, and the sums of a block of rows.
constexpr std::size_t matmul_run_time_scratch(std::size_t element_size) {
  auto const width = static_cast<std::size_t>(mm::tile_vectors * mm::vector_width(element_size));
  return (static_cast<std::size_t>(mm::depth_block) + static_cast<std::size_t>(mm::row_block + mm::tile_rows)) * width * element_size;
}

/// The sink and shares are as in matmul(). One row is one share.
template <class T, class Sink, class Share = mm::whole_product>
void matmul_run_time(matmul_problem p, T const* a, T const* b, T* scratch, Sink const& sink, Share const share = {}) {
  using namespace mm;
  if (p.k == 0) p.a_row = p.a_col = 0;  // of nothing, A may be null
  if (p.m == 1 && p.b_col != 1 && p.a_col == 1 && p.b_row == 1) return share.is_first() ? row_of_dots<T>(p, a, b, sink) : void();
  if (p.m == 1 && p.b_col == 1) return share.is_first() ? row_times_matrix<T>(p, a, b, sink) : void();
  constexpr std::int64_t width = tile_vectors * lanes<T>;
  std::int64_t const panels = ceil_div(p.n, width), row_tiles = ceil_div(p.m, static_cast<std::int64_t>(tile_rows));
  bool const shares_columns = panels >= row_tiles || panels >= 8;
  std::int64_t const from_row = shares_columns ? 0 : share.begin(row_tiles) * tile_rows, to_row = shares_columns ? p.m : std::min<std::int64_t>(p.m, share.end(row_tiles) * tile_rows);
  std::int64_t const from_column = shares_columns ? share.begin(panels) * width : 0, to_column = shares_columns ? std::min<std::int64_t>(p.n, share.end(panels) * width) : p.n;
  if (from_row >= to_row) return;
  T* const packed = scratch;
  T* const kept = scratch + depth_block * width;
  bool const whole_depth = p.k <= depth_block;
  for (std::int64_t j = from_column; j < to_column; j += width) {
    std::int64_t const columns = std::min(width, p.n - j);
    int const vectors = columns > lanes<T> ? tile_vectors : 1;
    bool const packs = p.b_col != 1 || columns < vectors * lanes<T>;
    T const* const panel = p.k == 0 ? b : b + j * p.b_col;  // of nothing, B may be null
    if (whole_depth && packs) pack_columns(panel, p.b_row, p.b_col, p.k, columns, packed);
    for (std::int64_t first = from_row; first < to_row; first += row_block) {
      std::int64_t const end = std::min(to_row, first + row_block);
      // At least one block, which leaves the zeros of an empty sum.
      for (std::int64_t k = 0; k == 0 || k < p.k; k += depth_block) {
        std::int64_t const depth = std::min(depth_block, p.k - k);
        if (!whole_depth && packs) pack_columns(panel + k * p.b_row, p.b_row, p.b_col, depth, columns, packed);
        bool const is_last = k + depth_block >= p.k;
        for (std::int64_t i = first; i < end; i += tile_rows) {
          std::int64_t const rows = std::min<std::int64_t>(tile_rows, end - i);
          T* const sums = kept + (whole_depth ? 0 : (i - first) * width);
          add_any_rows(rows, vectors, a + i * p.a_row + k * p.a_col, p.a_row, p.a_col, packs ? packed : panel + k * p.b_row, packs ? width : p.b_row, depth, sums, k == 0);
          if (is_last) emit_sums<T>(sink, sums, i, rows, j, columns);
        }
      }
    }
  }
}

}  // namespace DIMITY_NAMESPACE::detail
