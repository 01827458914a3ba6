// Compile-time planning of matmul, and the copies of its operands into panels.
#pragma once

#include <algorithm>

#include <dimity/exec/cpu/matmul_tile.hpp>

namespace DIMITY_NAMESPACE::detail {

/// C[m,n] = sum_k A[m,k] * B[k,n]; strides in elements, any (row-major, transposed, broadcast 0). An element may stand for several of successive k: `group`.
struct matmul_problem {
  std::int64_t m, n, k, a_row, a_col, b_row, b_col;
  mm::term_group group = {};
  bool operator==(matmul_problem const&) const = default;
};

namespace mm {

/// Which share of a product is computed. Shares are made of whole tiles, so that an element is the same sum in the same order whatever the number of shares.
struct whole_product {
  static constexpr bool is_first() { return true; }
  static constexpr std::int64_t begin(std::int64_t) { return 0; }
  static constexpr std::int64_t end(std::int64_t units) { return units; }
};
struct product_share {
  int index, count;
  bool is_first() const { return index == 0; }
  std::int64_t begin(std::int64_t units) const { return units * index / count; }
  std::int64_t end(std::int64_t units) const { return units * (index + 1) / count; }
};

enum class method {
  nothing,
  zeros,
  outer,    // vectors along n, one element of A broadcast
  swapped,  // vectors along m, one element of B broadcast, tiles transposed on their way out
  dot,      // vectors along k, lanes summed at the end
  split,    // the last columns, too few for a vector, by another method than the others
};

struct plan {
  method how = method::nothing;
  int rows = 1, vectors = 1, last_vectors = 0;  // of a tile; of the tiles in the last columns where these differ
  bool packs_a = false, packs_b = false;
  std::int64_t k_block = 0, n_block = 0, row_group = 0;
  std::int64_t a_elements = 0, b_elements = 0, c_elements = 0;  // scratch
};

#if defined(__aarch64__)
inline constexpr int registers = 32;
#else
inline constexpr int registers = sizeof(batch<float>) == 64 ? 32 : 16;
#endif
#if defined(__aarch64__) || defined(__FMA__) || defined(__AVX512F__)
inline constexpr int temporaries = 1;  // the broadcast element
#else
inline constexpr int temporaries = 2;  // and the product
#endif

constexpr std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

constexpr std::int64_t round_to_line(std::int64_t elements, std::size_t element_size) {
  auto const line = static_cast<std::int64_t>(64 / element_size);
  return ceil_div(elements, line) * line;
}

constexpr bool fits_registers(int rows, int vectors) { return rows * vectors + vectors + temporaries <= registers; }

/// Independent sums over k for a tile: two fma units of latency four want eight chains.
constexpr int splits_for(int sums, std::int64_t depth) {
  int splits = 1;
  while (sums * splits < 8 && splits * 2 <= depth && sums * splits * 2 + 4 <= registers) splits *= 2;
  return splits;
}

/// Which operands do not stay in the first-level cache, where that matters.
struct far_operands {
  bool b, c;
};

/// Half cycles a tile takes: the busiest of the fma units, the load ports and the latency chain, plus entry, exit and stores. Measured on Sapphire
/// Rapids: what comes from the second-level cache costs four times as much per vector, and after short sums few long runs of stores are better than many
/// short ones.
constexpr std::int64_t tile_cost(int rows, int vectors, std::int64_t depth, far_operands far) {
  int const sums = rows * vectors;
  int const splits = splits_for(sums, depth);
  std::int64_t const step = std::max<std::int64_t>({8 * sums, 8 * (rows + vectors), 64 / splits}) + rows + (far.b ? 4 : 1) * vectors;
  return (step * depth) / 8 + 20 + 3 * sums + (far.c ? 2 * rows : 0);
}

struct tile_size {
  int rows, vectors, last_vectors;
};

constexpr std::int64_t tiling_cost(std::int64_t m, std::int64_t columns, std::int64_t depth, tile_size t) {
  auto const rows_left = static_cast<int>(m % t.rows);
  std::int64_t const panels = (columns - t.last_vectors) / t.vectors;
  std::int64_t const row_bytes = columns * static_cast<std::int64_t>(sizeof(batch<float>));
  far_operands const far{depth * row_bytes > 32 * 1024, depth <= 32 && m * row_bytes > 48 * 1024};
  std::int64_t cost = (m / t.rows) * panels * tile_cost(t.rows, t.vectors, depth, far);
  if (rows_left != 0) cost += panels * tile_cost(rows_left, t.vectors, depth, far);
  if (t.last_vectors != 0) cost += (m / t.rows) * tile_cost(t.rows, t.last_vectors, depth, far);
  if (rows_left != 0 && t.last_vectors != 0) cost += tile_cost(rows_left, t.last_vectors, depth, far);
  return cost;
}

/// The most rows of a tile. Rows that are a multiple of 4 KiB apart share one set of a first-level cache, which has eight lines (Zen 4) to twelve: with more rows each element of A comes from the second-level cache, measured 0.8 of
/// the speed at 1024 x 1024 x 1024.
constexpr int most_rows_of(matmul_problem const& p, std::int64_t element_size) {
  std::int64_t const apart = p.a_row * element_size;
  return p.a_col == 1 && apart != 0 && apart % 4096 == 0 ? 8 : 14;
}

constexpr tile_size choose_tile(std::int64_t m, std::int64_t columns, std::int64_t depth, int least_rows = 1, int rows_limit = 14) {
  tile_size best{least_rows, 1, 0};
  std::int64_t best_cost = tiling_cost(m, columns, depth, best);
  int const most_rows = static_cast<int>(std::min<std::int64_t>(m, std::max(least_rows, rows_limit)));
  int const most_vectors = static_cast<int>(std::min<std::int64_t>(columns, m <= 2 ? 16 / m : 6));
  for (int rows = least_rows; rows <= most_rows; ++rows)
    for (int vectors = 1; vectors <= most_vectors && fits_registers(rows, vectors); ++vectors) {
      auto const left = static_cast<int>(columns % vectors);
      // What is left over makes a narrow last panel, or one wider than the others.
      for (int last = left; last <= columns && fits_registers(rows, last) && last <= left + vectors; last += vectors) {
        std::int64_t const cost = tiling_cost(m, columns, depth, {rows, vectors, last});
        if (cost < best_cost) best = {rows, vectors, last}, best_cost = cost;
        if (left == 0) break;
      }
    }
  return best;
}

constexpr matmul_problem transposed(matmul_problem const& p) { return {p.n, p.m, p.k, p.b_col, p.b_row, p.a_col, p.a_row, swapped(p.group)}; }
constexpr matmul_problem with_columns(matmul_problem p, std::int64_t n) { return p.n = n, p; }

constexpr std::int64_t vector_width(std::size_t element_size) { return static_cast<std::int64_t>(sizeof(batch<float>) / element_size); }

inline constexpr std::int64_t impossible = std::int64_t{1} << 60;

constexpr std::int64_t outer_cost(matmul_problem const& p, std::size_t element_size) {
  std::int64_t const columns = ceil_div(p.n, vector_width(element_size));
  std::int64_t const packing = p.b_col == 1 ? 0 : p.n * p.k * static_cast<std::int64_t>(element_size) / 8;
  return tiling_cost(p.m, columns, p.k, choose_tile(p.m, columns, p.k, 1, most_rows_of(p, static_cast<std::int64_t>(element_size)))) + packing;
}

/// A tile of the swapped method has all columns of C, so that its transpose is made of whole rows.
constexpr tile_size swapped_tile(matmul_problem const& p, std::int64_t width) {
  return choose_tile(p.n, ceil_div(p.m, width), p.k, static_cast<int>(p.n));
}

constexpr std::int64_t swapped_cost(matmul_problem const& p, std::size_t element_size) {
  std::int64_t const width = vector_width(element_size);
  if (p.a_row != 1 || p.n > width || p.m < width) return impossible;
  return tiling_cost(p.n, ceil_div(p.m, width), p.k, swapped_tile(p, width)) + p.m * (p.n == 1 ? 4 : 10);
}

constexpr std::int64_t dot_cost(matmul_problem const& p, std::size_t element_size) {
  std::int64_t const width = vector_width(element_size);
  if (p.k < 2 * width || (p.a_col != 1 && p.m != 1)) return impossible;
  if (p.b_row != 1 && p.n > width) return impossible;
  std::int64_t const packing = (p.b_row == 1 ? 0 : 2 * p.n * p.k) + (p.a_col == 1 ? 0 : 2 * p.k);
  return p.m * (p.n * ceil_div(p.k, width) * 9 / 8 + 5 * p.n + 8) + 40 + packing;
}

constexpr plan plan_outer(matmul_problem const& p, std::int64_t size, tile_size tile) {
  auto const element_size = static_cast<std::size_t>(size);
  std::int64_t const width = vector_width(element_size);
  std::int64_t const columns = ceil_div(p.n, width);
  std::int64_t const panel = tile.vectors * width;
  plan result{method::outer, tile.rows, tile.vectors, tile.last_vectors};
  if (tile.last_vectors == 0 && p.n % width != 0) result.last_vectors = tile.vectors;
  // Measured on Sapphire Rapids: up to here the second-level cache hides strided rows, and a copy costs more than it saves.
  result.packs_b = p.b_col != 1 || (p.m >= 8 * tile.rows && p.k * columns * width * size > 400 * 1024);
  result.packs_a = p.a_col != 1 && p.a_col * size >= 2048 && columns > 2 * tile.vectors && p.k * p.a_col * size > 640 * 1024;
  result.k_block = p.k;
  result.n_block = columns * width;
  result.row_group = p.m;
  if (result.packs_b) {
    std::int64_t const longest = 8192 / size;
    if (p.k > longest) result.k_block = ceil_div(p.k, ceil_div(p.k, longest / 2));
    // A panel that stays in the first-level cache is used by all rows before the next one is packed, unless rows of A come from far.
    bool const small_panel = p.k >= 64 && p.k * panel * size <= 32 * 1024 && p.m * p.k * size <= 1024 * 1024 && !result.packs_a;
    // A packed group of rows stays in the second-level cache while B passes; otherwise the block of B does.
    std::int64_t const block_bytes = std::int64_t{1} << (result.packs_a ? 23 : 20);
    std::int64_t const panels = small_panel ? 1 : std::max<std::int64_t>(1, block_bytes / (result.k_block * panel * size));
    result.n_block = std::min(result.n_block, panels * panel);
    std::int64_t const block_columns = std::min(columns * width, result.n_block + result.last_vectors * width);
    result.b_elements = round_to_line(result.k_block * block_columns, element_size);
    if (result.k_block < p.k) result.c_elements = round_to_line(p.m * block_columns, element_size);
  }
  if (result.packs_a) {
    std::int64_t const group = std::max<std::int64_t>(1, 512 * 1024 / (result.k_block * tile.rows * size));
    result.row_group = std::min(p.m, group * tile.rows);
    result.a_elements = round_to_line(result.k_block * result.row_group, element_size);
  }
  return result;
}

constexpr plan make_plan(matmul_problem const& p, std::size_t element_size) {
  if (p.m <= 0 || p.n <= 0) return {};
  if (p.k <= 0) return {method::zeros};
  auto const size = static_cast<std::int64_t>(element_size);
  std::int64_t const width = vector_width(element_size);

  std::int64_t const outer = outer_cost(p, element_size);
  std::int64_t const dot = dot_cost(p, element_size);
  std::int64_t const swapped = swapped_cost(p, element_size);
  std::int64_t split = impossible;
  std::int64_t const left = p.n % width;
  if (p.n > width && left > 0) {
    matmul_problem const rest = with_columns(p, left);
    // The second pass over A finds less of it in the first-level cache.
    std::int64_t const narrow = std::min(dot_cost(rest, element_size) * 3 / 2, swapped_cost(rest, element_size) * 2);
    split = outer_cost(with_columns(p, p.n - left), element_size) + narrow + 100;
  }
  if (split < std::min({outer, dot, swapped})) return {method::split};
  if (dot < std::min(outer, swapped)) {
    plan result{method::dot};
    result.packs_a = p.a_col != 1;
    result.packs_b = p.b_row != 1;
    if (result.packs_a) result.a_elements = round_to_line(p.k, element_size);
    if (result.packs_b) result.b_elements = round_to_line(p.k, element_size) * p.n;
    return result;
  }
  if (swapped < outer) {
    plan result = plan_outer(transposed(p), size, swapped_tile(p, width));
    result.how = method::swapped;
    return result;
  }
  return plan_outer(p, size, choose_tile(p.m, ceil_div(p.n, width), p.k, 1, most_rows_of(p, size)));
}

template <int Rows, std::int64_t Row, class T>
[[gnu::always_inline]] inline void pack_column(T const* from, T* to) {
  if constexpr (Row == 1) std::memcpy(to, from, Rows * sizeof(T));
  else
    for (int r = 0; r < Rows; ++r) std::memcpy(to + r, from + r * Row, sizeof(T));
}

/// Packs rows of A into panels of Rows rows in which the rows of one k are adjacent; Left rows more make a panel of their own.
template <int Rows, int Left, std::int64_t Row, std::int64_t Col, class T>
inline void pack_row_panels(T const* a, std::int64_t rows, std::int64_t depth, T* to) {
  std::int64_t const whole = rows / Rows * Rows;
  // All panels at a time: a column of a transposed matrix costs a page and a cache line however little of it is used.
  for (std::int64_t k = 0; k < depth; ++k) {
    T const* const column = a + k * Col;
    for (std::int64_t i = 0; i < whole; i += Rows) pack_column<Rows, Row>(column + i * Row, to + i * depth + k * Rows);
    if constexpr (Left > 0) {
      if (whole < rows) pack_column<Left, Row>(column + whole * Row, to + whole * depth + k * Left);
    }
  }
}

template <std::int64_t Row, std::int64_t Col, class T>
inline void pack_scalars(T const* from, std::int64_t depth, int columns, T* to, std::int64_t to_row) {
  for (std::int64_t i = 0; i < depth; ++i) {
    for (int c = 0; c < columns; ++c) std::memcpy(to + i * to_row + c, from + i * Row + c * Col, sizeof(T));
    for (int c = columns; c < lanes<T>; ++c) to[i * to_row + c] = T(0);
  }
}

/// Copies `depth` rows of Vectors vectors of columns into a panel; the last one starts Shift lanes early and has only LastCount columns when the
/// matrix is narrower than a vector.
template <int Vectors, int Shift, int LastCount, std::int64_t Row, std::int64_t Col, class T>
inline void pack_panel(T const* b, std::int64_t depth, T* to) {
  constexpr int width = lanes<T>;
  constexpr std::int64_t to_row = Vectors * width;
  constexpr bool narrow = Shift == 0 && LastCount < width;
  if constexpr (Col == 1 && !narrow) {
    for (std::int64_t i = 0; i < depth; ++i, b += Row, to += to_row)
      for (int v = 0; v < Vectors; ++v)
        batch<T>::load_unaligned(b + v * width - (v == Vectors - 1 ? Shift : 0)).store_aligned(to + v * width);
  } else {
    for (int v = 0; v < Vectors; ++v) {
      T const* const from = b + (v * width - (v == Vectors - 1 ? Shift : 0)) * Col;
      T* const column = to + v * width;
      std::int64_t done = 0;
      if constexpr (Row == 1 && !narrow) {
        for (; done + width <= depth; done += width) transpose_block<T>(from + done, Col, column + done * to_row, to_row);
        if (done > 0 && done < depth) {
          transpose_block<T>(from + depth - width, Col, column + (depth - width) * to_row, to_row);
          done = depth;
        }
      }
      pack_scalars<Row, Col>(from + done * Row, depth - done, v == Vectors - 1 && narrow ? LastCount : width, column + done * to_row, to_row);
    }
  }
}

}  // namespace mm
}  // namespace DIMITY_NAMESPACE::detail
