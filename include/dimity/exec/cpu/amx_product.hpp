// Products of bfloat16 in tile registers (amx.hpp). C is cut into blocks of 32 by 32; the lines of one operand are read where they lie if they can be, the other one is copied into tiles once.
#pragma once

#include <dimity/core/float16.hpp>
#include <dimity/exec/cpu/amx.hpp>
#include <dimity/exec/cpu/matmul.hpp>

#include <algorithm>
#include <cstring>

namespace DIMITY_NAMESPACE::detail::mm {

/// An operand as lines of k: elements between two of one line, and between two lines.
struct tile_operand {
  std::int64_t lines, along, across;
};
struct amx_plan {
  bool swapped;       // the rows of tiles are columns of C, and a block is transposed on its way out
  bool copies_rows;
  std::int64_t row_block, column_block, depth_block;  // what is in tiles at a time
  std::int64_t row_bytes, column_bytes, sum_bytes;    // scratch

  constexpr std::int64_t bytes() const { return row_bytes + column_bytes + sum_bytes; }
  constexpr tile_operand rows(matmul_problem const& p) const { return swapped ? tile_operand{p.n, p.b_row, p.b_col} : tile_operand{p.m, p.a_col, p.a_row}; }
  constexpr tile_operand columns(matmul_problem const& p) const { return swapped ? tile_operand{p.m, p.a_col, p.a_row} : tile_operand{p.n, p.b_row, p.b_col}; }
};

inline constexpr std::int64_t tile_depth = 2 * tile_pairs, tiles_side = 2 * tile_lines, floats_of_block = tiles_side * tiles_side;

/// Rows that a tile loads from where they lie: the elements of k beside each other, and lines that do not all want the same set of the first-level cache.
constexpr bool lies_in_rows(tile_operand const& o) { return o.along == 1 && (2 * o.across) % 4096 != 0; }

/// Smaller products are not worth configuring tiles and copying an operand; up to four rows have kernels that copy nothing.
constexpr bool fits_tiles(matmul_problem const& p) { return p.m > 4 && p.n > 4 && p.k >= tile_depth && p.m * p.n * p.k >= 32 * 32 * 32; }

/// About the steps of copying an operand, an element each.
constexpr std::int64_t cost_of_tiles(matmul_problem const& p, amx_plan const& how) {
  tile_operand const rows = how.rows(p), columns = how.columns(p);
  std::int64_t const row_cost = lies_in_rows(rows) ? 0 : rows.along == 1 ? 1 : rows.across == 1 ? 2 : 16, column_cost = columns.across == 1 ? 1 : columns.along == 1 ? 2 : 16;
  return (rows.lines * row_cost + columns.lines * column_cost) * p.k + (how.swapped ? 2 * p.m * p.n : 0);
}

/// Blocks of a product whose scratch memory was asked for without knowing its extents.
inline constexpr std::int64_t any_rows = 256, any_columns = 128, any_depth = 512;
constexpr std::int64_t amx_scratch_of_any() { return (any_rows + any_columns) * any_depth * 2 + any_rows * any_columns * 4; }

/// Bytes of columns in tiles at a time, where they are those of a known product.
inline constexpr std::int64_t most_column_bytes = 4 << 20;

/// `whole`: the scratch memory is that of this very product. Up to most_column_bytes of columns nothing is copied twice by one thread.
constexpr amx_plan plan_tiles(matmul_problem const& p, bool whole) {
  amx_plan how{};
  amx_plan turned{};
  turned.swapped = true;
  if (cost_of_tiles(p, turned) < cost_of_tiles(p, how)) how = turned;
  tile_operand const rows = how.rows(p), columns = how.columns(p);
  std::int64_t const depth = ceil_div(p.k, tile_depth) * tile_depth, all_rows = ceil_div(rows.lines, tile_lines) * tile_lines, all_columns = ceil_div(columns.lines, tile_lines) * tile_lines;
  // Rows stay in the second-level cache (2 MiB on Sapphire Rapids) while each panel of columns passes them.
  std::int64_t const near_rows = std::max(tiles_side, (std::int64_t{1} << 20) / (2 * depth) / tiles_side * tiles_side);
  how.copies_rows = !lies_in_rows(rows);
  how.depth_block = whole ? depth : std::min(depth, any_depth);
  how.row_block = std::min(all_rows, whole ? near_rows : any_rows);
  how.column_block = std::min(all_columns, whole ? std::max(tiles_side, most_column_bytes / (2 * depth) / tiles_side * tiles_side) : any_columns);
  std::int64_t const tiles_along = how.depth_block / tile_depth, blocks = how.row_block / tile_lines;
  how.row_bytes = (how.copies_rows ? blocks * tiles_along : (p.k % tile_depth != 0 ? blocks : 0) + (rows.lines % tile_lines != 0 ? tiles_along : 0)) * tile_bytes;
  how.column_bytes = how.column_block / tile_lines * tiles_along * tile_bytes;
  how.sum_bytes = how.depth_block < p.k ? ceil_div(how.row_block, tiles_side) * ceil_div(how.column_block, tiles_side) * floats_of_block * 4 : 0;
  return how;
}

#if DIMITY_AMX

/// Transposes 32-bit words, Side by Side of them.
template <int Side>
inline void transpose_words(void const* from, void* to) {
  for (int i = 0; i < Side; i += lanes<float>)
    for (int j = 0; j < Side; j += lanes<float>)
      transpose_block<float>(static_cast<float const*>(from) + i * Side + j, Side, static_cast<float*>(to) + j * Side + i, Side);
}

/// Fills a tile with `lines` lines (up to 16) of `depth` elements (up to 32), the rest with zeros: a line of the tile is 16 pairs of one line if ByLine, else one pair of 16 lines.
template <bool ByLine>
inline void pack_tile(bfloat16 const* from, tile_operand const& o, std::int64_t lines, std::int64_t depth, std::byte* tile) {
  // In the order in which the elements lie, and transposed if that is not the wanted one.
  bool const by_line = o.along == 1 || (o.across != 1 && ByLine);
  alignas(64) std::byte turned[tile_bytes];
  std::byte* const to = by_line == ByLine ? tile : turned;
  if (lines < tile_lines || depth < tile_depth) std::memset(to, 0, tile_bytes);
  if (o.along == 1) {
    for (std::int64_t l = 0; l < lines; ++l) {
      if (depth == tile_depth) std::memcpy(to + 64 * l, from + l * o.across, 64);
      else std::memcpy(to + 64 * l, from + l * o.across, static_cast<std::size_t>(depth) * 2);
    }
  } else if (o.across == 1) {
    using halves [[gnu::vector_size(32)]] = std::uint16_t;
    using words [[gnu::vector_size(64)]] = std::uint32_t;
    for (std::int64_t k = 0; k < depth; k += 2) {
      halves low{}, high{};
      std::memcpy(&low, from + k * o.along, static_cast<std::size_t>(lines) * 2);
      if (k + 1 < depth) std::memcpy(&high, from + (k + 1) * o.along, static_cast<std::size_t>(lines) * 2);
      words const pair = __builtin_convertvector(low, words) | __builtin_convertvector(high, words) << 16;
      std::memcpy(to + 32 * k, &pair, 64);
    }
  } else {
    for (std::int64_t l = 0; l < lines; ++l)
      for (std::int64_t k = 0; k < depth; ++k) std::memcpy(to + (by_line ? 64 * l + 2 * k : 64 * (k / 2) + 4 * l + 2 * (k % 2)), from + l * o.across + k * o.along, 2);
  }
  if (to != tile) transpose_words<tile_lines>(to, tile);
}

/// Tiles of `lines` lines of `depth` elements: those of 16 lines one behind the other.
template <bool ByLine>
inline void pack_tiles(bfloat16 const* from, tile_operand const& o, std::int64_t lines, std::int64_t depth, std::byte* to) {
  std::int64_t const tiles_along = ceil_div(depth, tile_depth), blocks = ceil_div(lines, tile_lines);
  // In the order of memory.
  bool const lines_first = o.along == 1;
  for (std::int64_t outer = 0; outer < (lines_first ? blocks : tiles_along); ++outer)
    for (std::int64_t inner = 0; inner < (lines_first ? tiles_along : blocks); ++inner) {
      std::int64_t const block = lines_first ? outer : inner, t = lines_first ? inner : outer;
      std::int64_t const line = block * tile_lines, k = t * tile_depth;
      pack_tile<ByLine>(from + line * o.across + k * o.along, o, std::min(tile_lines, lines - line), std::min(tile_depth, depth - k), to + (block * tiles_along + t) * tile_bytes);
    }
}

/// The rows of a block: in tiles of their own, or where they lie but for the last of k and of the lines.
class rows_in_tiles {
 public:
  rows_in_tiles(bfloat16 const* from, tile_operand const& o, std::int64_t lines, std::int64_t depth, bool copies, std::byte* scratch)
      : from_(from), o_(o), lines_(lines), depth_(depth), copies_(copies), tails_(scratch), packed_(scratch) {
    if (copies_) pack_tiles<true>(from, o, lines, depth, scratch);
    else pack_tails();
  }

  tile_run operator[](std::int64_t block) const {
    std::int64_t const whole = depth_ / tile_depth;
    bool const has_last = depth_ % tile_depth != 0;
    if (copies_ || (block + 1) * tile_lines > lines_) {
      std::byte const* const first = packed_ + (copies_ ? block * ceil_div(depth_, tile_depth) * tile_bytes : 0);
      return {first, 64, tile_bytes, has_last ? first + whole * tile_bytes : nullptr};
    }
    return {reinterpret_cast<std::byte const*>(from_ + block * tile_lines * o_.across), 2 * o_.across, 2 * tile_depth, has_last ? tails_ + block * tile_bytes : nullptr};
  }

 private:
  void pack_tails() {
    std::int64_t const whole_lines = lines_ / tile_lines * tile_lines, whole_depth = depth_ / tile_depth * tile_depth;
    if (whole_depth < depth_) {
      pack_tiles<true>(from_ + whole_depth, o_, whole_lines, depth_ - whole_depth, tails_);
      packed_ += whole_lines / tile_lines * tile_bytes;
    }
    if (whole_lines < lines_) pack_tiles<true>(from_ + whole_lines * o_.across, o_, lines_ - whole_lines, depth_, packed_);
  }

  bfloat16 const* from_;
  tile_operand o_;
  std::int64_t lines_, depth_;
  bool copies_;
  std::byte *tails_, *packed_;
};

/// Up to 32 rows and 32 columns, of which tiles are left out that have none.
inline void add_block(rows_in_tiles const& rows, std::int64_t first_row, std::int64_t row_count, std::byte const* columns, std::int64_t tiles_along, std::int64_t column_count, std::int64_t whole, float* sums, bool continues) {
  bool const both_rows = row_count > tile_lines;
  tile_run const runs[] = {rows[first_row / tile_lines], rows[first_row / tile_lines + (both_rows ? 1 : 0)]};
  std::byte const* const panels[] = {columns, columns + tiles_along * tile_bytes};
  auto const add = [&](auto row_tiles, auto column_tiles) { add_tiles<decltype(row_tiles)::value, decltype(column_tiles)::value>(runs, panels, whole, sums, tiles_side, continues); };
  constexpr std::integral_constant<int, 1> one;
  constexpr std::integral_constant<int, 2> two;
  if (column_count > tile_lines) both_rows ? add(two, two) : add(one, two);
  else both_rows ? add(two, one) : add(one, one);
}

/// Sinks a block of sums whose corner is C[i, j]; `turned`: which lies there transposed.
template <class Sink>
inline void emit_block(Sink const& sink, float const* sums, bool turned, std::int64_t i, std::int64_t rows, std::int64_t j, std::int64_t columns) {
  alignas(64) float other[floats_of_block];
  if (turned) {
    transpose_words<tiles_side>(sums, other);
    sums = other;
  }
  for (std::int64_t r = 0; r < rows; ++r)
    for (std::int64_t c = 0; c < columns; c += lanes<float>)
      emit<Sink, float>(sink, i + r, j + c, batch<float>::load_aligned(sums + r * tiles_side + c), static_cast<int>(std::min<std::int64_t>(lanes<float>, columns - c)));
}

/// C[m,n] = sum_k A[m,k] * B[k,n] as matmul() does it. Each product is exact; those of even and of odd k of 32 are added up apart, each sum rounded to nearest even, then both are added to the sum; subnormal numbers count as zero.
template <class Sink, class Share>
[[gnu::noinline]] void amx_product(matmul_problem const& p, amx_plan const& how, bfloat16 const* a, bfloat16 const* b, std::byte* scratch, Sink const& sink, Share const share) {
  tiles_in_use const tiles;
  Sink const exit = sink;
  tile_operand const rows = how.rows(p), columns = how.columns(p);
  bfloat16 const *const row_elements = how.swapped ? b : a, *const column_elements = how.swapped ? a : b;
  std::byte* const packed_columns = scratch + how.row_bytes;
  float* const kept = reinterpret_cast<float*>(packed_columns + how.column_bytes);
  alignas(64) float local[floats_of_block] = {};

  std::int64_t const row_units = ceil_div(rows.lines, tiles_side), column_units = ceil_div(columns.lines, tiles_side);
  // Every thread copies what it needs of the other side: columns always, rows sometimes.
  bool const shares_columns = column_units >= (how.copies_rows ? row_units : std::min<std::int64_t>(row_units, 4));
  std::int64_t const from_row = shares_columns ? 0 : share.begin(row_units) * tiles_side, from_column = shares_columns ? share.begin(column_units) * tiles_side : 0;
  std::int64_t const to_row = shares_columns ? rows.lines : std::min(rows.lines, share.end(row_units) * tiles_side);
  std::int64_t const to_column = shares_columns ? std::min(columns.lines, share.end(column_units) * tiles_side) : columns.lines;

  for (std::int64_t j0 = from_column; j0 < to_column; j0 += how.column_block) {
    std::int64_t const j1 = std::min(to_column, j0 + how.column_block), panels = ceil_div(j1 - j0, tiles_side);
    for (std::int64_t i0 = from_row; i0 < to_row; i0 += how.row_block) {
      std::int64_t const i1 = std::min(to_row, i0 + how.row_block);
      for (std::int64_t k = 0; k < p.k; k += how.depth_block) {
        std::int64_t const depth = std::min(how.depth_block, p.k - k), tiles_along = ceil_div(depth, tile_depth);
        bool const is_last = k + depth == p.k;
        if (i0 == from_row || how.depth_block < p.k) pack_tiles<false>(column_elements + j0 * columns.across + k * columns.along, columns, j1 - j0, depth, packed_columns);
        rows_in_tiles const of_rows(row_elements + i0 * rows.across + k * rows.along, rows, i1 - i0, depth, how.copies_rows, scratch);
        for (std::int64_t j = j0; j < j1; j += tiles_side)
          for (std::int64_t i = i0; i < i1; i += tiles_side) {
            float* const sums = how.sum_bytes > 0 ? kept + ((i - i0) / tiles_side * panels + (j - j0) / tiles_side) * floats_of_block : local;
            std::int64_t const row_count = std::min(tiles_side, i1 - i), column_count = std::min(tiles_side, j1 - j);
            add_block(of_rows, i - i0, row_count, packed_columns + (j - j0) / tile_lines * tiles_along * tile_bytes, tiles_along, column_count, depth / tile_depth, sums, k > 0);
            if (!is_last) continue;
            if (how.swapped) emit_block(exit, sums, true, j, column_count, i, row_count);
            else emit_block(exit, sums, false, i, row_count, j, column_count);
          }
      }
    }
  }
}

#endif

}  // namespace DIMITY_NAMESPACE::detail::mm
