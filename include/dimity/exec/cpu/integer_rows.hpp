// Few rows of bytes times a matrix of bytes, which is read as it lies: a copy of it would cost more than the product.
#pragma once

#include <dimity/exec/cpu/integer_words.hpp>
#include <dimity/exec/cpu/matmul.hpp>

#include <algorithm>
#include <cstdint>
#include <cstring>

namespace DIMITY_NAMESPACE::detail::mm {

// Plans depend on it: the same in files that nvcc compiles.
#if DIMITY_BYTE_PRODUCTS
inline constexpr int most_rows_of_bytes = registers == 32 ? 4 : 2;
#else
inline constexpr int most_rows_of_bytes = 0;
#endif
/// Columns of the other matrix for which the sums of a row are held in registers: four vectors.
inline constexpr std::int64_t columns_of_bytes = 4 * lanes<std::uint32_t>;

/// The rows of B side by side in memory.
constexpr bool is_few_rows_of_rows(matmul_problem const& p) { return p.m <= most_rows_of_bytes && p.b_col == 1 && p.b_row != 1 && p.n >= columns_of_bytes && p.k > 0; }
/// The terms of both operands side by side in memory, as where weights are (out, in).
constexpr bool is_few_rows_of_columns(matmul_problem const& p) { return p.m <= most_rows_of_bytes && p.a_col == 1 && p.b_row == 1 && p.k > 1; }
constexpr bool is_few_rows(matmul_problem const& p) { return is_few_rows_of_rows(p) || is_few_rows_of_columns(p); }

#if DIMITY_BYTE_PRODUCTS
template <class F, int... I>
[[gnu::always_inline]] inline void repeat(F const& f, std::integer_sequence<int, I...>) {
  (f(I), ...);
}
/// f(0), .., f(N - 1), written out: arrays that are indexed by a variable are memory.
template <int N, class F>
[[gnu::always_inline]] inline void repeat(F const& f) {
  repeat(f, std::make_integer_sequence<int, N>{});
}
[[gnu::always_inline]] inline batch<std::uint32_t> load_words(void const* from) { return batch<std::uint32_t>::load_unaligned(static_cast<std::uint32_t const*>(from)); }
/// Four vectors of bytes, of four successive terms, as words: in each 16 bytes of vector q, the terms of columns 4 q to 4 q + 3 of the 16 that lie there.
[[gnu::always_inline]] inline void interleave_terms(raw<std::uint8_t> const (&x)[4], batch<std::uint32_t> (&words)[4]) {
  using pairs = raw<std::uint16_t>;
  constexpr auto each_byte = std::make_integer_sequence<int, lanes<std::uint8_t>>{};
  constexpr auto each_pair = std::make_integer_sequence<int, lanes<std::uint16_t>>{};
  auto const low01 = (pairs)interleave<16, false, std::uint8_t>(x[0], x[1], each_byte), high01 = (pairs)interleave<16, true, std::uint8_t>(x[0], x[1], each_byte);
  auto const low23 = (pairs)interleave<16, false, std::uint8_t>(x[2], x[3], each_byte), high23 = (pairs)interleave<16, true, std::uint8_t>(x[2], x[3], each_byte);
  words[0] = from_raw<std::uint32_t>((raw<std::uint32_t>)interleave<8, false, std::uint16_t>(low01, low23, each_pair));
  words[1] = from_raw<std::uint32_t>((raw<std::uint32_t>)interleave<8, true, std::uint16_t>(low01, low23, each_pair));
  words[2] = from_raw<std::uint32_t>((raw<std::uint32_t>)interleave<8, false, std::uint16_t>(high01, high23, each_pair));
  words[3] = from_raw<std::uint32_t>((raw<std::uint32_t>)interleave<8, true, std::uint16_t>(high01, high23, each_pair));
}
/// Rows of A, as `words` words each, times columns_of_bytes columns of B: to[r C + c].
template <int Rows, term_group Group, class B>
inline void rows_of_interleaved(std::uint32_t const* a, std::int64_t words, B const* b, std::int64_t k, std::int64_t b_row, std::uint32_t* to) {
  batch<std::uint32_t> sum[4 * Rows];
  clear_sums<std::uint32_t>(sum, std::make_integer_sequence<int, 4 * Rows>{});
  for (std::int64_t i = 0; i < words; ++i) {
    raw<std::uint8_t> x[4];
    // Behind the last term A has zeros, whatever they are multiplied by.
    repeat<4>([&](int t) DIMITY_INLINE_LAMBDA { x[t] = to_raw<std::uint8_t>(batch<std::uint8_t>::load_unaligned(reinterpret_cast<std::uint8_t const*>(b + std::min(4 * i + t, k - 1) * b_row))); });
    batch<std::uint32_t> column[4];
    interleave_terms(x, column);
    repeat<4>([&](int q) DIMITY_INLINE_LAMBDA { column[q] = flipped<Group.flips_right, std::uint32_t>(column[q]); });
    repeat<Rows>([&](int r) DIMITY_INLINE_LAMBDA {
      batch<std::uint32_t> const term(a[r * words + i]);
      repeat<4>([&](int q) DIMITY_INLINE_LAMBDA { sum[4 * r + q] = accumulated<Group, std::uint32_t>(term, column[q], sum[4 * r + q]); });
    });
  }
  alignas(64) std::uint32_t kept[4 * Rows * lanes<std::uint32_t>];
  store_sums<std::uint32_t>(sum, kept, std::make_integer_sequence<int, 4 * Rows>{});
  for (int r = 0; r < Rows; ++r)
    for (int q = 0; q < 4; ++q)
      for (int l = 0; l < lanes<std::uint32_t> / 4; ++l) std::memcpy(to + r * columns_of_bytes + (4 * l + q) * 4, kept + (4 * r + q) * lanes<std::uint32_t> + 4 * l, 16);
}
/// Shares are of columns. `a`: lines of words.
template <int Rows, term_group Group, class B, class Sink, class Share>
void few_rows_of_rows(matmul_problem const& p, std::uint32_t const* a, B const* b, Sink const& sink, Share const share) {
  std::int64_t const words = ceil_div(p.k, std::int64_t{4}), blocks = ceil_div(p.n, columns_of_bytes), end = std::min<std::int64_t>(p.n, share.end(blocks) * columns_of_bytes);
  for (std::int64_t j = share.begin(blocks) * columns_of_bytes; j < end; j += columns_of_bytes) {
    alignas(64) std::uint32_t sums[Rows * columns_of_bytes + lanes<std::uint32_t>];
    // The last block ends where B does, and what the one before has counted already is left out.
    std::int64_t const back = std::max<std::int64_t>(0, j + columns_of_bytes - p.n);
    rows_of_interleaved<Rows, Group>(a, words, b + j - back, p.k, p.b_row, sums);
    for (int r = 0; r < Rows; ++r)
      for (std::int64_t c = back; c < columns_of_bytes; c += lanes<std::uint32_t>)
        emit<Sink, std::uint32_t>(sink, r, j + c - back, batch<std::uint32_t>::load_unaligned(sums + r * columns_of_bytes + c), static_cast<int>(std::min<std::int64_t>(lanes<std::uint32_t>, columns_of_bytes - c)));
  }
}

/// `Columns` columns of B: to[r W + c] = sum_k a[r][k] * b[c][k].
template <int Rows, int Columns, term_group Group, class A, class B>
inline void dots_of_bytes(matmul_problem const& p, A const* a, B const* b, std::uint32_t* to) {
  constexpr int width = lanes<std::uint32_t>, terms = 4 * width;
  batch<std::uint32_t> sum[Rows * Columns];
  clear_sums<std::uint32_t>(sum, std::make_integer_sequence<int, Rows * Columns>{});
  auto const step = [&](auto const& load) DIMITY_INLINE_LAMBDA {
    batch<std::uint32_t> x[Rows];
    repeat<Rows>([&](int r) DIMITY_INLINE_LAMBDA { x[r] = load(reinterpret_cast<unsigned char const*>(a + r * p.a_row)); });
    repeat<Columns>([&](int c) DIMITY_INLINE_LAMBDA {
      batch<std::uint32_t> const w = flipped<Group.flips_right, std::uint32_t>(load(reinterpret_cast<unsigned char const*>(b + c * p.b_col)));
      repeat<Rows>([&](int r) DIMITY_INLINE_LAMBDA { sum[r * Columns + c] = accumulated<Group, std::uint32_t>(x[r], w, sum[r * Columns + c]); });
    });
  };
  std::int64_t k = 0;
  for (; k + terms <= p.k; k += terms)
    step([&](unsigned char const* from) DIMITY_INLINE_LAMBDA {
      return load_words(from + k);
    });
  if (int const left = static_cast<int>(p.k - k); left > 0)
    step([&](unsigned char const* from) DIMITY_INLINE_LAMBDA {
#if DIMITY_BYTE_PRODUCTS == 512
      return batch<std::uint32_t>(_mm512_maskz_loadu_epi8((std::uint64_t{1} << left) - 1, from + k));
#else
      alignas(64) unsigned char last[terms] = {};
      std::memcpy(last, from + k, static_cast<std::size_t>(left));
      return load_words(last);
#endif
    });
  repeat<Rows>([&](int r) DIMITY_INLINE_LAMBDA {
    batch<std::uint32_t> row[Columns];
    repeat<Columns>([&](int c) DIMITY_INLINE_LAMBDA { row[c] = sum[r * Columns + c]; });
    alignas(64) std::uint32_t sums[width];
    horizontal_sums<std::uint32_t>(row).store_aligned(sums);
    for (int c = 0; c < Columns; ++c) to[r * width + c] = sums[c];
  });
}
/// Shares are of columns.
template <int Rows, term_group Group, class A, class B, class Sink, class Share>
void few_rows_of_columns(matmul_problem const& p, A const* a, B const* b, Sink const& sink, Share const share) {
  constexpr int width = lanes<std::uint32_t>, at_once = std::min(width, registers == 32 ? (Rows <= 2 ? 8 / Rows : 4) : 4);
  std::int64_t const blocks = ceil_div(p.n, std::int64_t{width}), end = std::min<std::int64_t>(p.n, share.end(blocks) * width);
  for (std::int64_t j = share.begin(blocks) * width; j < end; j += width) {
    int const count = static_cast<int>(std::min<std::int64_t>(width, end - j));
    alignas(64) std::uint32_t out[Rows * width] = {};
    int c = 0;
    for (; c + at_once <= count; c += at_once) dots_of_bytes<Rows, at_once, Group>(p, a, b + (j + c) * p.b_col, out + c);
    for (; c < count; ++c) dots_of_bytes<Rows, 1, Group>(p, a, b + (j + c) * p.b_col, out + c);
    for (int r = 0; r < Rows; ++r) emit<Sink, std::uint32_t>(sink, r, j, batch<std::uint32_t>::load_aligned(out + r * width), count);
  }
}

/// `scratch`: see few_rows_scratch(). `sink_with(sums)` is the sink, of the sums of the rows.
template <int Rows, class A, class B, class Make, class Share>
void few_rows_of_bytes(matmul_problem const& p, A const* a, B const* b, std::uint32_t* scratch, Make const& sink_with, Share const share) {
  constexpr integer_unit unit = unit_of(dtype_of<A>, dtype_of<B>);
  std::int64_t const words = ceil_div(p.k, std::int64_t{4});
  std::uint32_t* const lines = scratch + most_rows_of_bytes;
  bool const by_columns = is_few_rows_of_columns(p);
  if (!by_columns || unit.correction != 0) copy_as_words<4>(a, Rows, p.k, p.a_col, p.a_row, false, 0u, lines);
  if constexpr (unit.correction != 0) sums_of_bytes<unit.group>(lines, Rows, words, words, scratch);
  auto const sink = sink_with(scratch);
  if (by_columns) few_rows_of_columns<Rows, unit.group>(p, a, b, sink, share);
  else few_rows_of_rows<Rows, unit.group>(p, lines, b, sink, share);
}
#endif
/// Bytes of scratch: the sums of rows, and the rows as words.
constexpr std::int64_t few_rows_scratch(std::int64_t k) { return round_to_line(most_rows_of_bytes + most_rows_of_bytes * ceil_div(k, std::int64_t{4}), 4) * 4; }

}  // namespace DIMITY_NAMESPACE::detail::mm
