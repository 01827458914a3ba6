// Matrix products of statically known shape with a fused epilogue: one loop nest per problem, chosen by the compiler.
#pragma once

#include <dimity/exec/cpu/matmul_pack.hpp>

namespace DIMITY_NAMESPACE::detail {
namespace mm {

template <class Sink>
inline constexpr bool large_sink = false;
template <class Sink>
  requires requires { Sink::is_large; }
inline constexpr bool large_sink<Sink> = Sink::is_large;

template <class Sink, class T>
[[gnu::always_inline]] inline void emit(Sink const& sink, std::int64_t i, std::int64_t j, batch<T> v, int count) {
  if (count == lanes<T>) sink(i, j, v);
  else sink(i, j, v, count);
}

/// What a tile does besides adding up: the lanes of its last vector that count, and how far they are rotated up.
struct tile_exit {
  int last_count, rotation;
  bool transposes;  // rows of the tile are columns of C
};

template <outer_shape S, tile_exit E, int V, class T, class Sink>
[[gnu::always_inline]] inline void emit_sum(Sink const& sink, std::int64_t i, std::int64_t j, batch<T> v) {
  if constexpr (V == S.vectors - 1 && E.last_count < lanes<T>) sink(i, j + V * lanes<T>, rotate<E.rotation, T>(v), E.last_count);
  else sink(i, j + V * lanes<T>, v);
}

template <outer_shape S, tile_exit E, class T, class Sink, int... V>
[[gnu::always_inline]] inline void emit_row(Sink const& sink, std::int64_t i, std::int64_t j, batch<T> const* sum, std::integer_sequence<int, V...>) {
  (emit_sum<S, E, V, T>(sink, i, j, sum[V]), ...);
}

template <outer_shape S, tile_exit E, class T, class Sink, int... V>
[[gnu::always_inline]] inline void emit_stored_row(Sink const& sink, std::int64_t i, std::int64_t j, T const* sum, std::integer_sequence<int, V...>) {
  (emit_sum<S, E, V, T>(sink, i, j, batch<T>::load_aligned(sum + V * lanes<T>)), ...);
}

template <outer_shape S, tile_exit E, class T, class Sink, int... R>
[[gnu::always_inline]] inline void emit_rows(Sink const& sink, std::int64_t i, std::int64_t j, batch<T> const* sum, std::integer_sequence<int, R...>) {
  (emit_row<S, E, T>(sink, i + R, j, sum + R * S.vectors, std::make_integer_sequence<int, S.vectors>{}), ...);
}

template <class T, int... I>
[[gnu::always_inline]] inline void store_sums(batch<T> const* sum, T* to, std::integer_sequence<int, I...>) {
  (sum[I].store_aligned(to + I * lanes<T>), ...);
}

template <int Rows, int First, int Count, int Piece, class T, class Sink>
[[gnu::always_inline]] inline void emit_piece(Sink const& sink, std::int64_t i, std::int64_t j, T const* turned) {
  for (int l = Piece * piece<T>; l < (Piece + 1) * piece<T>; ++l)
    if (l >= First && l < First + Count)
      emit<Sink, T>(sink, j + l, i, rotate<Piece * piece<T>, T>(batch<T>::load_aligned(turned + l % piece<T> * lanes<T>)), Rows);
}

// In registers: reading a whole vector at a piece that was just stored would wait for the store to reach the cache.
template <int Rows, int First, int Count, class T, class Sink, int... P>
[[gnu::always_inline]] inline void emit_pieces(Sink const& sink, std::int64_t i, std::int64_t j, T const* turned, std::integer_sequence<int, P...>) {
  (emit_piece<Rows, First, Count, P, T>(sink, i, j, turned), ...);
}

/// Emits vector V of every row of sums, kept at `sum`, as columns.
template <outer_shape S, tile_exit E, int V, class T, class Sink>
[[gnu::always_inline]] inline void emit_columns(Sink const& sink, std::int64_t i, std::int64_t j, T const* sum) {
  constexpr int width = lanes<T>;
  constexpr bool partial = V == S.vectors - 1 && E.last_count < width;
  constexpr int first = partial ? E.rotation : 0;
  constexpr int count = partial ? E.last_count : width;
  sum += V * width;
  j += V * width;
  if constexpr (S.rows == 1) {
    for (int l = 0; l < count; ++l) sink(j + l, i, batch<T>(sum[first + l]), 1);
  } else if constexpr (S.rows <= piece<T>) {
    alignas(64) T turned[width * piece<T>];
    transpose_pieces<T>([&](int r) __attribute__((always_inline)) { return load_raw<T, width>(sum + r * S.vectors * width); },
                        [&](int r, raw<T> v) __attribute__((always_inline)) { store_raw<T>(turned + r * width, v); });
    emit_pieces<S.rows, first, count, T>(sink, i, j - first, turned, std::make_integer_sequence<int, width / piece<T>>{});
  } else {
    alignas(64) T turned[width * width];
    transpose_block<T>(sum, S.vectors * width, turned, width);
    for (int l = first; l < first + count; ++l) emit<Sink, T>(sink, j + l - first, i, batch<T>::load_aligned(turned + l * width), S.rows);
  }
}

template <outer_shape S, tile_exit E, class T, class Sink, int... V>
[[gnu::always_inline]] inline void emit_transposed(Sink const& sink, std::int64_t i, std::int64_t j, T const* sum, std::integer_sequence<int, V...>) {
  (emit_columns<S, E, V, T>(sink, i, j, sum), ...);
}

template <class T, int... I>
[[gnu::always_inline]] inline void add_stored(batch<T>* sum, T const* from, std::integer_sequence<int, I...>) {
  ((sum[I] = sum[I] + batch<T>::load_aligned(from + I * lanes<T>)), ...);
}

template <class T, int... I>
[[gnu::always_inline]] inline void clear_sums(batch<T>* sum, std::integer_sequence<int, I...>) {
  ((sum[I] = batch<T>(T(0))), ...);
}

/// Where a tile stands in a sum over several blocks of k; `kept` holds its running sums between blocks.
template <class T>
struct block_state {
  T* kept = nullptr;
  bool first = true, last = true;
  T const* next = nullptr;  // what to fetch into the second-level cache meanwhile
};

/// One tile of C. Depth is the static number of steps (-1: `depth`), of which the last TailDepth are read from `b_tail`.
template <outer_shape S, tile_exit E, std::int64_t Depth, std::int64_t TailDepth, bool Fetches, class T, class Sink>
inline void outer_tile(T const* a, T const* b, T const* b_tail, std::int64_t depth, std::int64_t i, std::int64_t j, Sink const& sink,
                       block_state<T> state) {
  constexpr int sums = S.rows * S.vectors;
  constexpr bool blocked = Depth < 0;
  constexpr auto all = std::make_integer_sequence<int, sums>{};
  // The sink's fields would be read again after every store if it stayed behind a reference.
  Sink const exit = sink;
  batch<T> sum[sums * S.splits];
  clear_sums<T>(sum, std::make_integer_sequence<int, sums * S.splits>{});
  constexpr int unroll = S.splits > 2 ? S.splits : (sums <= 12 ? 4 : 2);
  if constexpr (blocked) {
    outer_accumulate<S, unroll, Fetches, T>(sum, a, b, depth, state.next);
  } else {
    outer_accumulate<S, unroll, Fetches, T>(sum, a, b, Depth - TailDepth, state.next);
    if constexpr (TailDepth > 0) outer_accumulate<S, 1, false, T>(sum, a + (Depth - TailDepth) * S.a_col, b_tail, TailDepth, nullptr);
  }
  merge_splits<sums, S.splits, T>(sum);
  if constexpr (blocked) {
    if (!state.first) add_stored<T>(sum, state.kept, all);
    if (!state.last) return store_sums<T>(sum, state.kept, all);
  }
  if constexpr (E.transposes) {
    constexpr int rows = S.rows == 1 ? 1 : (S.rows <= piece<T> ? piece<T> : lanes<T>);
    alignas(64) T stored[rows * S.vectors * lanes<T>];
    store_sums<T>(sum, stored, all);
    for (int l = sums * lanes<T>; l < rows * S.vectors * lanes<T>; l += lanes<T>) batch<T>(T(0)).store_aligned(stored + l);
    emit_transposed<S, E, T>(exit, i, j, stored, std::make_integer_sequence<int, S.vectors>{});
  } else if constexpr (!blocked && Depth <= (large_sink<Sink> ? 16 : 256)) {
    emit_rows<S, E, T>(exit, i, j, sum, std::make_integer_sequence<int, S.rows>{});
  } else {
    // Through memory, so that the epilogue is compiled once per row rather than once per sum; for short sums the detour costs several per cent.
    alignas(64) T stored[sums * lanes<T>];
    store_sums<T>(sum, stored, all);
    for (int r = 0; r < S.rows; ++r)
      emit_stored_row<S, E, T>(exit, i + r, j, stored + r * S.vectors * lanes<T>, std::make_integer_sequence<int, S.vectors>{});
  }
}

/// Not inlined: what the loops around it keep in registers would take those of the sums (g++ -O3 spilled 12 of 28 for the zero of a relu).
template <outer_shape S, tile_exit E, std::int64_t Depth, std::int64_t TailDepth, bool Fetches, class T, class Sink>
[[gnu::noinline]] void long_tile(T const* a, T const* b, T const* b_tail, std::int64_t depth, std::int64_t i, std::int64_t j, Sink const& sink, block_state<T> state) {
  outer_tile<S, E, Depth, TailDepth, Fetches, T>(a, b, b_tail, depth, i, j, sink, state);
}

/// `How` is the plan of P, or that of its transpose when Transposes.
template <class T, matmul_problem P, plan How, bool Transposes>
struct outer_product {
  static constexpr plan how = How;
  static constexpr std::int64_t width = lanes<T>;
  static constexpr std::int64_t panel = how.vectors * width;
  static constexpr bool blocked = how.k_block < P.k;
  static constexpr std::int64_t columns = ceil_div(P.n, width);
  static constexpr int last_vectors = how.last_vectors;
  static constexpr std::int64_t whole_panels_end = last_vectors > 0 ? (columns - last_vectors) * width : P.n;
  static constexpr std::int64_t kept_row = std::min(columns * width, how.n_block + last_vectors * width);
  static constexpr std::int64_t whole_rows_end = P.m / how.rows * how.rows;
  static constexpr bool fetches = how.packs_a || (P.a_col == 1 && P.m * P.k * static_cast<std::int64_t>(sizeof(T)) > 1024 * 1024);
  static constexpr int rows_left = static_cast<int>(P.m - whole_rows_end);
  static constexpr int last_count = static_cast<int>((P.n - 1) % width + 1);
  static constexpr int rotation = P.n >= width ? static_cast<int>(width) - last_count : 0;

  // Rows of an unpacked matrix narrower than a vector are read past their end, into the next row; the last ones come from a padded copy instead.
  static constexpr bool reads_past_rows = !how.packs_b && P.n < width;
  static constexpr std::int64_t extent = (P.k - 1) * P.b_row + P.n;
  static constexpr std::int64_t inner_rows =
      !reads_past_rows ? P.k : (extent < width ? 0 : (P.b_row == 0 ? P.k : std::min(P.k, (extent - width) / P.b_row + 1)));
  static constexpr std::int64_t tail_depth = P.k - inner_rows;
  static constexpr std::int64_t tail_extent = tail_depth > 0 ? extent - inner_rows * P.b_row : 0;

  template <int Rows, int Vectors, bool LastPanel>
  static constexpr outer_shape shape() {
    int const shift = LastPanel && !how.packs_b ? rotation : 0;
    return {Rows,
            Vectors,
            splits_for(Rows * Vectors, how.k_block),
            shift,
            how.packs_a ? 1 : P.a_row,
            how.packs_a ? Rows : P.a_col,
            how.packs_b ? Vectors * width : P.b_row,
            P.group};
  }

  struct block {
    T const* a;  // of the first row of the group
    T const* b;  // of the first column of the block
    T const* b_tail;
    T* kept;
    std::int64_t a_row, first_row, first_column, first_k, depth;
  };

  template <int Vectors, bool LastPanel, int Rows, class Sink>
  [[gnu::always_inline]] static void tile(block const& at, std::int64_t i, std::int64_t j, Sink const& sink) {
    constexpr tile_exit exit = LastPanel ? tile_exit{last_count, rotation, Transposes} : tile_exit{static_cast<int>(width), 0, Transposes};
    block_state<T> state;
    if constexpr (blocked) state = {at.kept + i * kept_row + (j - at.first_column) * Rows, at.first_k == 0, at.first_k + at.depth == P.k};
    // The tiles before those of the next rows (or columns) fetch a share of these each.
    constexpr std::int64_t share = 64 / sizeof(T) / 2;
    if constexpr (how.packs_a) state.next = at.b + (j - at.first_column + Vectors * width) * at.depth + (i - at.first_row) / how.rows * share * at.depth;
    else state.next = at.a + (i - at.first_row + Rows) * at.a_row + (j - at.first_column) / panel * share * at.depth;
    T const *const a = at.a + (i - at.first_row) * at.a_row, *const b = at.b + (j - at.first_column) * (how.packs_b ? at.depth : 1);
    constexpr std::int64_t depth = blocked ? -1 : P.k;
    if constexpr (blocked || P.k >= 64) long_tile<shape<Rows, Vectors, LastPanel>(), exit, depth, tail_depth, fetches, T>(a, b, at.b_tail, at.depth, i, j, sink, state);
    else outer_tile<shape<Rows, Vectors, LastPanel>(), exit, depth, tail_depth, fetches, T>(a, b, at.b_tail, at.depth, i, j, sink, state);
  }

  template <int Rows, class Sink>
  [[gnu::always_inline]] static void row_of_tiles(block const& at, std::int64_t i, std::int64_t end_column, Sink const& sink) {
    std::int64_t j = at.first_column;
    if constexpr (whole_panels_end > 0) {
      for (; j < std::min(end_column, whole_panels_end); j += panel) tile<how.vectors, false, Rows>(at, i, j, sink);
    }
    if constexpr (last_vectors > 0) {
      if (j < end_column) tile<last_vectors, true, Rows>(at, i, j, sink);
    }
  }

  template <int Vectors, bool LastPanel, class Sink>
  [[gnu::always_inline]] static void column_of_tiles(block const& at, std::int64_t j, std::int64_t end_row, Sink const& sink) {
    std::int64_t i = at.first_row;
    for (; i < std::min(end_row, whole_rows_end); i += how.rows) tile<Vectors, LastPanel, how.rows>(at, i, j, sink);
    if constexpr (rows_left > 0) {
      if (i < end_row) tile<Vectors, LastPanel, rows_left>(at, i, j, sink);
    }
  }

  template <class Sink>
  static void all_tiles(block const& at, std::int64_t end_row, std::int64_t end_column, Sink const& sink) {
    if constexpr (how.packs_a) {
      std::int64_t j = at.first_column;
      if constexpr (whole_panels_end > 0) {
        for (; j < std::min(end_column, whole_panels_end); j += panel) column_of_tiles<how.vectors, false>(at, j, end_row, sink);
      }
      if constexpr (last_vectors > 0) {
        if (j < end_column) column_of_tiles<last_vectors, true>(at, j, end_row, sink);
      }
    } else {
      std::int64_t i = at.first_row;
      for (; i < std::min(end_row, whole_rows_end); i += how.rows) row_of_tiles<how.rows>(at, i, end_column, sink);
      if constexpr (rows_left > 0) {
        if (i < end_row) row_of_tiles<rows_left>(at, i, end_column, sink);
      }
    }
  }

  static void pack_block(T const* b, std::int64_t first_column, std::int64_t end_column, std::int64_t depth, T* to) {
    std::int64_t j = first_column;
    if constexpr (whole_panels_end > 0) {
      for (; j < std::min(end_column, whole_panels_end); j += panel, to += panel * depth)
        pack_panel<how.vectors, 0, static_cast<int>(width), P.b_row, P.b_col>(b + j * P.b_col, depth, to);
    }
    if constexpr (last_vectors > 0) {
      if (j < end_column) pack_panel<last_vectors, rotation, last_count, P.b_row, P.b_col>(b + j * P.b_col, depth, to);
    }
  }

  /// Shares are of columns where only B is packed, which they would all do again if they were of rows; else of whatever has more tiles.
  static constexpr std::int64_t row_tiles = ceil_div(P.m, how.rows), panels = ceil_div(whole_panels_end, panel) + (last_vectors > 0 ? 1 : 0);
  static constexpr bool shares_columns = how.packs_b != how.packs_a ? how.packs_b && panels > 1 : panels > row_tiles;

  template <class Sink, class Share>
  static void run(T const* a, T const* b, T* scratch, Sink const& sink, Share const share) {
    std::int64_t const from_row = shares_columns ? 0 : share.begin(row_tiles) * how.rows, to_row = shares_columns ? P.m : std::min<std::int64_t>(P.m, share.end(row_tiles) * how.rows);
    std::int64_t const from_column = shares_columns ? share.begin(panels) * panel : 0;
    std::int64_t const to_column = !shares_columns || share.end(panels) == panels ? P.n : share.end(panels) * panel;
    T* const a_packed = scratch;
    T* const b_packed = scratch + how.a_elements;
    T* const kept = b_packed + how.b_elements;
    // Lanes past the copied rows only have to be free of slow denormals.
    alignas(64) T b_tail[tail_depth > 0 ? tail_extent + width : 1];
    if constexpr (tail_depth > 0) {
      std::memset(b_tail + tail_extent, 0, width * sizeof(T));
      std::memcpy(b_tail, b + inner_rows * P.b_row, tail_extent * sizeof(T));
    }
    for (std::int64_t jc = from_column; jc < to_column;) {
      // The last panel may be wider than the others, and is never cut in two.
      std::int64_t const end_column = jc + how.n_block > whole_panels_end ? to_column : std::min<std::int64_t>(to_column, jc + how.n_block);
      for (std::int64_t pc = 0; pc < P.k; pc += how.k_block) {
        std::int64_t const depth = blocked ? std::min(how.k_block, P.k - pc) : P.k;
        if constexpr (how.packs_b) pack_block(b + pc * P.b_row, jc, end_column, depth, b_packed);
        for (std::int64_t ic = from_row; ic < to_row; ic += how.row_group) {
          std::int64_t const end_row = std::min(to_row, ic + how.row_group);
          T const* const a_group = a + ic * P.a_row + pc * P.a_col;
          if constexpr (how.packs_a) pack_row_panels<how.rows, rows_left, P.a_row, P.a_col>(a_group, end_row - ic, depth, a_packed);
          block const at{how.packs_a ? a_packed : a_group, how.packs_b ? b_packed : b + jc * P.b_col, tail_depth > 0 ? b_tail : nullptr, kept,
                         how.packs_a ? depth : P.a_row, ic, jc, pc, depth};
          all_tiles(at, end_row, end_column, sink);
        }
      }
      jc = end_column;
    }
  }
};

template <class T, matmul_problem P>
struct dot_product {
  static constexpr plan how = make_plan(P, sizeof(T));
  static constexpr int width = lanes<T>;
  static constexpr std::int64_t a_row = how.packs_a ? 0 : P.a_row;
  static constexpr std::int64_t b_col = how.packs_b ? round_to_line(P.k, sizeof(T)) : P.b_col;
  static constexpr int most_sums = registers == 32 ? 16 : 8;

  static constexpr int floor_power(std::int64_t n) { return static_cast<int>(std::bit_floor(static_cast<std::uint64_t>(n))); }

  /// Columns added up at a time, and rows they are added up for: close to square, as every load then serves several sums.
  static constexpr int strip(int columns) {
    int const rows = floor_power(std::min<std::int64_t>(P.m, 4));
    return std::min(columns, std::max(most_sums / rows, 1));
  }
  static constexpr int most_rows(int columns) {
    // Measured: four columns of doubles are the one case in which more sums than this pay.
    if (sizeof(T) == 8 && columns == 4 && registers == 32 && P.m >= 6) return 6;
    int const rows = std::max(1, (columns == 1 ? most_sums / 2 : most_sums) / static_cast<int>(std::bit_ceil(static_cast<unsigned>(strip(columns)))));
    return static_cast<int>(std::min<std::int64_t>(rows, P.m));
  }

  template <int First, int... I>
  [[gnu::always_inline]] static void reduce_some(batch<T> const* sum, T* to, std::integer_sequence<int, I...>) {
    batch<T> const some[] = {sum[First + I]...};
    horizontal_sums<T>(some).store_aligned(to + First);
  }

  template <int First, int Count>
  [[gnu::always_inline]] static void reduce(batch<T> const* sum, T* to) {
    if constexpr (First < Count) {
      reduce_some<First>(sum, to, std::make_integer_sequence<int, std::min(width, Count - First)>{});
      reduce<First + width, Count>(sum, to);
    }
  }

  /// Puts rows x columns sums, row after row, at `to`, which has room for a whole vector more.
  template <int Rows, int Columns>
  [[gnu::always_inline]] static void sums(T const* a, T const* b, T* to) {
    constexpr int count = Rows * Columns;
    constexpr dot_shape shape{Rows, Columns, splits_for(count, P.k / width), a_row, b_col, P.group};
    batch<T> sum[count * shape.splits];
    clear_sums<T>(sum, std::make_integer_sequence<int, count * shape.splits>{});
    dot_accumulate<shape, P.k, T>(sum, a, b);
    merge_splits<count, shape.splits, T>(sum);
    reduce<0, count>(sum, to);
  }

  template <int Columns, class Sink, int... R>
  [[gnu::always_inline]] static void emit_rotated(Sink const& sink, std::int64_t i, std::int64_t j, batch<T> v, std::integer_sequence<int, R...>) {
    (emit<Sink, T>(sink, i + R, j, rotate<R * Columns, T>(v), Columns), ...);
  }

  template <int Rows, int Columns, class Sink>
  static void tile(T const* a, T const* b, std::int64_t i, std::int64_t j, Sink const& sink) {
    constexpr int step = strip(Columns);
    constexpr int left = Columns % step;
    Sink const exit = sink;
    alignas(64) T reduced[Rows * step + width];
    if constexpr (Columns == 1) {
      sums<Rows, 1>(a, b, reduced);
      for (int r = 0; r < Rows; ++r) exit(i + r, j, batch<T>(reduced[r]), 1);
    } else if constexpr (step == Columns && Rows * Columns <= width) {
      sums<Rows, Columns>(a, b, reduced);
      emit_rotated<Columns>(exit, i, j, batch<T>::load_aligned(reduced), std::make_integer_sequence<int, Rows>{});
    } else {
      alignas(64) T rows[Rows * width] = {};
      for (int c = 0; c + step <= Columns; c += step) {
        sums<Rows, step>(a, b + c * b_col, reduced);
        for (int r = 0; r < Rows; ++r) std::memcpy(rows + r * width + c, reduced + r * step, step * sizeof(T));
      }
      if constexpr (left > 0) {
        sums<Rows, left>(a, b + (Columns - left) * b_col, reduced);
        for (int r = 0; r < Rows; ++r) std::memcpy(rows + r * width + Columns - left, reduced + r * left, left * sizeof(T));
      }
      for (int r = 0; r < Rows; ++r) emit<Sink, T>(exit, i + r, j, batch<T>::load_aligned(rows + r * width), Columns);
    }
  }

  template <int Columns, class Sink>
  static void column_of_tiles(T const* a, T const* b, std::int64_t from_row, std::int64_t to_row, std::int64_t j, Sink const& sink) {
    constexpr int rows = most_rows(Columns);
    constexpr std::int64_t whole = P.m / rows * rows;
    for (std::int64_t i = from_row; i < std::min(to_row, whole); i += rows) tile<rows, Columns>(a + i * a_row, b, i, j, sink);
    if constexpr (whole < P.m)
      if (to_row == P.m) tile<static_cast<int>(P.m - whole), Columns>(a + whole * a_row, b, whole, j, sink);
  }

  /// Of rows, in blocks of whole tiles of every height that there is: 16 and less by halves, and 6.
  static constexpr std::int64_t row_block = 48, row_blocks = ceil_div(P.m, row_block);

  template <class Sink, class Share>
  static void run(T const* a, T const* b, T* scratch, Sink const& sink, Share const share) {
    std::int64_t const from_row = share.begin(row_blocks) * row_block, to_row = std::min<std::int64_t>(P.m, share.end(row_blocks) * row_block);
    if (from_row >= to_row) return;
    if constexpr (how.packs_a) {
      for (std::int64_t k = 0; k < P.k; ++k) std::memcpy(scratch + k, a + k * P.a_col, sizeof(T));
      a = scratch;
    }
    if constexpr (how.packs_b) {
      T* const packed = scratch + how.a_elements;
      for (std::int64_t k = 0; k < P.k; ++k)
        for (std::int64_t j = 0; j < P.n; ++j) std::memcpy(packed + j * b_col + k, b + k * P.b_row + j * P.b_col, sizeof(T));
      b = packed;
    }
    constexpr std::int64_t whole = P.n / width * width;
    if constexpr (whole > 0)
      for (std::int64_t j = 0; j < whole; j += width) column_of_tiles<width>(a, b + j * b_col, from_row, to_row, j, sink);
    if constexpr (whole < P.n) column_of_tiles<static_cast<int>(P.n - whole)>(a, b + whole * b_col, from_row, to_row, whole, sink);
  }
};

template <class T, class Sink>
struct shifted_sink {
  static constexpr bool is_large = large_sink<Sink>;
  Sink sink;
  std::int64_t columns;
  [[gnu::always_inline]] void operator()(std::int64_t i, std::int64_t j, batch<T> v) const { sink(i, j + columns, v); }
  [[gnu::always_inline]] void operator()(std::int64_t i, std::int64_t j, batch<T> v, int count) const { sink(i, j + columns, v, count); }
};

/// The two products a split one is made of.
constexpr std::int64_t split_column(matmul_problem const& p, std::size_t element_size) { return p.n - p.n % vector_width(element_size); }

}  // namespace mm

/// Bytes of 64-byte aligned scratch that matmul<T, P> needs; zero when it packs nothing.
constexpr std::size_t matmul_scratch_size(matmul_problem const& p, std::size_t element_size, bool is_vectorizable) {
  if (!is_vectorizable) return 0;
  mm::plan const how = mm::make_plan(p, element_size);
  if (how.how == mm::method::split) {
    std::int64_t const column = mm::split_column(p, element_size);
    return std::max(matmul_scratch_size(mm::with_columns(p, column), element_size, true),
                    matmul_scratch_size(mm::with_columns(p, p.n - column), element_size, true));
  }
  return static_cast<std::size_t>(how.a_elements + how.b_elements + how.c_elements) * element_size;
}

template <class T, matmul_problem P>
inline constexpr std::size_t matmul_scratch_bytes = matmul_scratch_size(P, sizeof(T), std::is_floating_point_v<T>);

/// Calls `sink(i, j, v)` once for every native vector of outputs C[i, j..j+W) and `sink(i, j, v, count)` once for each partial one
/// (first `count` lanes valid), in any order; j is a multiple of W. A sink with `static constexpr bool is_large = true` is compiled fewer times per
/// product, at a small cost in speed.
/// Each share of a product needs scratch memory of its own.
template <class T, matmul_problem P, class Sink, class Share = mm::whole_product>
void matmul(T const* a, T const* b, std::byte* scratch, Sink const& sink, Share const share = {}) {
  static_assert(std::is_floating_point_v<T> || std::is_unsigned_v<T>);
  constexpr mm::plan how = mm::make_plan(P, sizeof(T));
  T* const packed = reinterpret_cast<T*>(scratch);
  if constexpr (how.how == mm::method::zeros) {
    if (!share.is_first()) return;
    for (std::int64_t i = 0; i < P.m; ++i)
      for (std::int64_t j = 0; j < P.n; j += mm::lanes<T>)
        mm::emit<Sink, T>(sink, i, j, mm::batch<T>(T(0)), static_cast<int>(std::min<std::int64_t>(mm::lanes<T>, P.n - j)));
  } else if constexpr (how.how == mm::method::outer) {
    mm::outer_product<T, P, how, false>::run(a, b, packed, sink, share);
  } else if constexpr (how.how == mm::method::swapped) {
    mm::outer_product<T, mm::transposed(P), how, true>::run(b, a, packed, sink, share);
  } else if constexpr (how.how == mm::method::dot) {
    mm::dot_product<T, P>::run(a, b, packed, sink, share);
  } else if constexpr (how.how == mm::method::split) {
    constexpr std::int64_t column = mm::split_column(P, sizeof(T));
    matmul<T, mm::with_columns(P, column)>(a, b, scratch, sink, share);
    matmul<T, mm::with_columns(P, P.n - column)>(a, b + column * P.b_col, scratch, mm::shifted_sink<T, Sink>{sink, column}, share);
  }
}

}  // namespace DIMITY_NAMESPACE::detail
