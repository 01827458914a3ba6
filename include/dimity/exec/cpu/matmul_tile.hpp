// Register-level building blocks of matmul: lane shuffles, transposition and the two micro-kernels.
#pragma once

#include <dimity/exec/cpu/multiply_add.hpp>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>
#include <utility>

namespace DIMITY_NAMESPACE::detail::mm {

/// Lane i of the result is lane Index[i] of x followed by y.
template <class R, int... Index, class V>
[[gnu::always_inline]] inline R shuffle_lanes(V x, V y) {
#if defined(__CUDACC__)
  // nvcc's host pass drops a pack expansion inside the builtin.
  constexpr int n = static_cast<int>(sizeof(V) / sizeof(x[0]));
  int const index[] = {Index...};
  R r;
  for (int i = 0; i < static_cast<int>(sizeof...(Index)); ++i) r[i] = index[i] < n ? x[index[i]] : y[index[i] - n];
  return r;
#else
  return __builtin_shufflevector(x, y, Index...);
#endif
}

template <int By, class T, int... L>
[[gnu::always_inline]] inline batch<T> rotate_impl(batch<T> v, std::integer_sequence<int, L...>) {
  raw<T> const r = to_raw<T>(v);
  return from_raw<T>(shuffle_lanes<raw<T>, ((L + By) % lanes<T>)...>(r, r));
}

/// Lane l of the result is lane (l + By) mod W of v.
template <int By, class T>
[[gnu::always_inline]] inline batch<T> rotate(batch<T> v) {
  if constexpr (By % lanes<T> == 0) return v;
  else return rotate_impl<By, T>(v, std::make_integer_sequence<int, lanes<T>>{});
}

template <int First, class T, int... L>
[[gnu::always_inline]] inline batch<T> clear_below_impl(batch<T> v, std::integer_sequence<int, L...>) {
  return from_raw<T>(shuffle_lanes<raw<T>, (L < First ? L + lanes<T> : L)...>(to_raw<T>(v), raw<T>{}));
}

/// v with the lanes below First set to zero.
template <int First, class T>
[[gnu::always_inline]] inline batch<T> clear_below(batch<T> v) {
  return clear_below_impl<First, T>(v, std::make_integer_sequence<int, lanes<T>>{});
}

template <int Segment, class T, int... L>
[[gnu::always_inline]] inline batch<T> add_halves_impl(batch<T> x, batch<T> y, std::integer_sequence<int, L...>) {
  constexpr int half = Segment / 2;
  raw<T> const p = to_raw<T>(x);
  raw<T> const q = to_raw<T>(y);
  // The first is a blend, which unlike the second does not need the shuffle port.
  return from_raw<T>(shuffle_lanes<raw<T>, (L / half % 2 == 0 ? L : L + lanes<T>)...>(p, q)) +
         from_raw<T>(shuffle_lanes<raw<T>, (L / half % 2 == 0 ? L + half : L - half + lanes<T>)...>(p, q));
}

/// Folds every segment of Segment lanes to half its length: those of x to the lower half of the segment, those of y to the upper.
template <int Segment, class T>
[[gnu::always_inline]] inline batch<T> add_halves(batch<T> x, batch<T> y) {
  return add_halves_impl<Segment, T>(x, y, std::make_integer_sequence<int, lanes<T>>{});
}

template <int Segment, class T>
[[gnu::always_inline]] inline batch<T> fold_segments(batch<T> v) {
  if constexpr (Segment == 1) return v;
  else return fold_segments<Segment / 2, T>(add_halves<Segment, T>(v, v));
}

/// Sums of v[First], v[First + Stride], ...: Count segments, in order.
template <int First, int Stride, int Count, class T, std::size_t N>
[[gnu::always_inline]] inline batch<T> sum_tree(batch<T> const (&v)[N]) {
  constexpr int segment = 2 * lanes<T> / Count;
  if constexpr (Count == 1) return v[First];
  else if constexpr (First + Stride >= static_cast<int>(N))
    return add_halves<segment, T>(sum_tree<First, 2 * Stride, Count / 2, T>(v), sum_tree<First, 2 * Stride, Count / 2, T>(v));
  else return add_halves<segment, T>(sum_tree<First, 2 * Stride, Count / 2, T>(v), sum_tree<First + Stride, 2 * Stride, Count / 2, T>(v));
}

template <int Stride, class T, int... L>
[[gnu::always_inline]] inline batch<T> every_impl(batch<T> v, std::integer_sequence<int, L...>) {
  raw<T> const r = to_raw<T>(v);
  return from_raw<T>(shuffle_lanes<raw<T>, (L * Stride % lanes<T>)...>(r, r));
}

/// Lane l (l < N <= W) of the result is the sum of the lanes of v[l].
template <class T, std::size_t N>
[[gnu::always_inline]] inline batch<T> horizontal_sums(batch<T> const (&v)[N]) {
  constexpr int count = static_cast<int>(std::bit_ceil(N));
  constexpr int segment = lanes<T> / count;
  batch<T> const sums = fold_segments<segment, T>(sum_tree<0, 1, count, T>(v));
  if constexpr (segment == 1) return sums;
  else return every_impl<segment, T>(sums, std::make_integer_sequence<int, lanes<T>>{});
}

template <class T, int N>
[[gnu::always_inline]] inline raw<T, N> load_raw(T const* p) {
  raw<T, N> v;
  std::memcpy(&v, p, sizeof v);
  return v;
}

template <class T, int N, int... L>
[[gnu::always_inline]] inline auto concatenate(raw<T, N> x, raw<T, N> y, std::integer_sequence<int, L...>) {
  return shuffle_lanes<raw<T, 2 * N>, L...>(x, y);
}

// 16-byte pieces are what x86 inserts straight from memory without the shuffle port.
template <class T, int N, int Piece>
[[gnu::always_inline]] inline raw<T, N> gather_pieces(T const* p, std::int64_t stride) {
  if constexpr (N == Piece) return load_raw<T, N>(p);
  else
    return concatenate<T, N / 2>(gather_pieces<T, N / 2, Piece>(p, stride),
                                 gather_pieces<T, N / 2, Piece>(p + N / 2 * stride, stride),
                                 std::make_integer_sequence<int, N>{});
}

template <int Piece, bool High, class T, int... L>
[[gnu::always_inline]] inline raw<T> interleave(raw<T> x, raw<T> y, std::integer_sequence<int, L...>) {
  return shuffle_lanes<raw<T>, (L / Piece * Piece + L % Piece / 2 + (L % 2) * lanes<T> + (High ? Piece / 2 : 0))...>(x, y);
}

template <class T>
[[gnu::always_inline]] inline void store_raw(T* p, raw<T> v) {
  std::memcpy(p, &v, sizeof v);
}

template <class T>
inline constexpr int piece = 16 / static_cast<int>(sizeof(T));

/// Transposes every 16-byte column of piece<T> vectors within its lanes; row(r) is vector r, store(r, v) takes the results.
template <class T, class Row, class Store>
[[gnu::always_inline]] inline void transpose_pieces(Row const& row, Store const& store) {
  constexpr auto all = std::make_integer_sequence<int, lanes<T>>{};
  if constexpr (piece<T> == 4) {
    raw<T> const r0 = row(0), r1 = row(1), r2 = row(2), r3 = row(3);
    raw<T> const low02 = interleave<4, false, T>(r0, r2, all), high02 = interleave<4, true, T>(r0, r2, all);
    raw<T> const low13 = interleave<4, false, T>(r1, r3, all), high13 = interleave<4, true, T>(r1, r3, all);
    store(0, interleave<4, false, T>(low02, low13, all));
    store(1, interleave<4, true, T>(low02, low13, all));
    store(2, interleave<4, false, T>(high02, high13, all));
    store(3, interleave<4, true, T>(high02, high13, all));
  } else {
    raw<T> const r0 = row(0), r1 = row(1);
    store(0, interleave<2, false, T>(r0, r1, all));
    store(1, interleave<2, true, T>(r0, r1, all));
  }
}

/// Writes the transpose of the W x W block at `from` (rows `from_stride` apart) to `to`.
template <class T>
[[gnu::always_inline]] inline void transpose_block(T const* from, std::int64_t from_stride, T* to, std::int64_t to_stride) {
  for (int q = 0; q < lanes<T>; q += piece<T>)
    transpose_pieces<T>(
        [&](int r) __attribute__((always_inline)) { return gather_pieces<T, lanes<T>, piece<T>>(from + q + r * from_stride, from_stride); },
        [&](int r, raw<T> v) __attribute__((always_inline)) { store_raw<T>(to + (q + r) * to_stride, v); });
}

/// How an outer-product micro-kernel walks its operands; everything is a compile-time constant.
struct outer_shape {
  int rows, vectors;
  int splits;             // independent partial sums over k, to cover the latency of fma in small tiles
  int shift;              // lanes by which the last vector is moved back to stay inside a row of b
  std::int64_t a_row, a_col, b_row;
  term_group group;       // matmul_problem::group
};

template <outer_shape S, int Row, class T, int... V>
[[gnu::always_inline]] inline void outer_row(batch<T>* sum, T const* a, batch<T> const* b_row,
                                             std::integer_sequence<int, V...>) {
  T element;
  std::memcpy(&element, a + Row * S.a_row, sizeof(T));  // a pair need not be aligned as a float is
  batch<T> const broadcast = flipped<S.group.flips_left, T>(batch<T>(element));
  ((sum[Row * S.vectors + V] = accumulated<S.group, T>(broadcast, b_row[V], sum[Row * S.vectors + V])), ...);
}

template <outer_shape S, class T, int... R, int... V>
[[gnu::always_inline]] inline void outer_step(batch<T>* sum, T const* a, T const* b, std::integer_sequence<int, R...>,
                                              std::integer_sequence<int, V...> columns) {
  batch<T> const b_row[] = {
      flipped<S.group.flips_right, T>(batch<T>::load_unaligned(b + V * lanes<T> - (V == S.vectors - 1 ? S.shift : 0)))...};
  (outer_row<S, R, T>(sum, a, b_row, columns), ...);
}

template <outer_shape S, class T, int... U>
[[gnu::always_inline]] inline void outer_steps(batch<T>* sum, T const* a, T const* b,
                                               std::integer_sequence<int, U...>) {
  constexpr int tile = S.rows * S.vectors;
  (outer_step<S, T>(sum + U % S.splits * tile, a + U * S.a_col, b + U * S.b_row,
                    std::make_integer_sequence<int, S.rows>{}, std::make_integer_sequence<int, S.vectors>{}),
   ...);
}

template <int Distance, class T, int... I>
[[gnu::always_inline]] inline void add_upper_half(batch<T>* sum, std::integer_sequence<int, I...>) {
  ((sum[I] = sum[I] + sum[I + Distance]), ...);
}

/// Adds up `Splits` (a power of two) consecutive tiles of sums into the first.
template <int Tile, int Splits, class T>
[[gnu::always_inline]] inline void merge_splits(batch<T>* sum) {
  if constexpr (Splits > 1) {
    constexpr int half = Splits / 2 * Tile;
    add_upper_half<half, T>(sum, std::make_integer_sequence<int, half>{});
    merge_splits<Tile, Splits / 2, T>(sum);
  }
}

/// Adds the product of `depth` steps to the first rows x vectors entries of `sum`, fetching a line of `next` per Unroll steps if Fetches.
template <outer_shape S, int Unroll, bool Fetches, class T>
[[gnu::always_inline]] inline void outer_accumulate(batch<T>* sum, T const* a, T const* b, std::int64_t depth, T const* next) {
  constexpr auto block = std::make_integer_sequence<int, Unroll>{};
  constexpr auto one = std::make_integer_sequence<int, 1>{};
  std::int64_t const blocks = depth / Unroll;
  for (std::int64_t i = 0; i < blocks; ++i) {
    if constexpr (Fetches) {
      __builtin_prefetch(next, 0, 2);
      next += 64 / sizeof(T);
    }
    outer_steps<S, T>(sum, a, b, block);
    a += Unroll * S.a_col;
    b += Unroll * S.b_row;
  }
  if constexpr (Unroll > 1) {
    for (std::int64_t i = blocks * Unroll; i < depth; ++i) {
      outer_steps<S, T>(sum, a, b, one);
      a += S.a_col;
      b += S.b_row;
    }
  }
}

/// How a dot-product micro-kernel walks its operands: k is contiguous in both.
struct dot_shape {
  int rows, columns, splits;
  std::int64_t a_row, b_col;
  term_group group;
};

// Skipped lanes were counted by the step before; both operands are cleared there because 0 * inf is not 0.
template <int Skip, bool Flips, class T>
[[gnu::always_inline]] inline batch<T> load_skipping(T const* p) {
  batch<T> const v = batch<T>::load_unaligned(p);
  if constexpr (Skip > 0) return flipped<Flips, T>(clear_below<Skip, T>(v));
  else return flipped<Flips, T>(v);
}

template <term_group Group, int SumStride, class T, int... H>
[[gnu::always_inline]] inline void dot_streamed(batch<T>* sum, batch<T> const* held, batch<T> streamed,
                                                std::integer_sequence<int, H...>) {
  ((sum[H * SumStride] = accumulated<Group, T>(held[H], streamed, sum[H * SumStride])), ...);
}

template <dot_shape S, int Skip, class T, int... R, int... C>
[[gnu::always_inline]] inline void dot_step(batch<T>* sum, T const* a, T const* b, std::integer_sequence<int, R...> rows,
                                            std::integer_sequence<int, C...> columns) {
  // The shorter operand stays in registers, the longer one is read by the fma itself.
  if constexpr (S.rows <= S.columns) {
    batch<T> const held[] = {load_skipping<Skip, S.group.flips_left, T>(a + R * S.a_row)...};
    (dot_streamed<S.group, S.columns, T>(sum + C, held, load_skipping<Skip, S.group.flips_right, T>(b + C * S.b_col), rows), ...);
  } else {
    batch<T> const held[] = {load_skipping<Skip, S.group.flips_right, T>(b + C * S.b_col)...};
    (dot_streamed<swapped(S.group), 1, T>(sum + R * S.columns, held, load_skipping<Skip, S.group.flips_left, T>(a + R * S.a_row), columns), ...);
  }
}

template <dot_shape S, class T, int... U>
[[gnu::always_inline]] inline void dot_steps(batch<T>* sum, T const* a, T const* b, std::integer_sequence<int, U...>) {
  constexpr int tile = S.rows * S.columns;
  (dot_step<S, 0, T>(sum + U * tile, a + U * lanes<T>, b + U * lanes<T>, std::make_integer_sequence<int, S.rows>{},
                     std::make_integer_sequence<int, S.columns>{}),
   ...);
}

/// Adds the lane-wise products of K steps (K >= W) to the first rows x columns entries of `sum`.
template <dot_shape S, std::int64_t K, class T>
[[gnu::always_inline]] inline void dot_accumulate(batch<T>* sum, T const* a, T const* b) {
  constexpr int width = lanes<T>;
  constexpr std::int64_t whole = K / width;
  constexpr std::int64_t blocks = whole / S.splits;
  for (std::int64_t i = 0; i < blocks; ++i) {
    dot_steps<S, T>(sum, a, b, std::make_integer_sequence<int, S.splits>{});
    a += S.splits * width;
    b += S.splits * width;
  }
  if constexpr (whole % S.splits != 0) dot_steps<S, T>(sum, a, b, std::make_integer_sequence<int, static_cast<int>(whole % S.splits)>{});
  if constexpr (K % width != 0) {
    constexpr std::int64_t back = (whole % S.splits) * width + K % width - width;
    dot_step<S, width - static_cast<int>(K % width), T>(sum, a + back, b + back,
                                                        std::make_integer_sequence<int, S.rows>{},
                                                        std::make_integer_sequence<int, S.columns>{});
  }
}

}  // namespace DIMITY_NAMESPACE::detail::mm
