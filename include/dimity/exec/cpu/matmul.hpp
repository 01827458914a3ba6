// Matrix products of statically known shape with a fused epilogue: one loop nest per problem, chosen by the compiler.
#pragma once

#include "dimity/exec/cpu/matmul_pack.hpp"

namespace dimity::detail {
namespace mm {

template <class Sink, class T>
[[gnu::always_inline]] inline void emit(Sink const& sink, std::int64_t i, std::int64_t j, vec<T> v, int count) {
  if (count == lanes<T>) sink(i, j, v);
  else sink(i, j, v, count);
}

/// What a tile does besides adding up: the lanes of its last vector that count, and how far they are rotated up.
struct tile_exit {
  int last_count, rotation;
};

template <outer_shape S, tile_exit E, int V, class T, class Sink>
[[gnu::always_inline]] inline void emit_sum(Sink const& sink, std::int64_t i, std::int64_t j, vec<T> v) {
  if constexpr (V == S.vectors - 1 && E.last_count < lanes<T>) sink(i, j + V * lanes<T>, rotate<E.rotation, T>(v), E.last_count);
  else sink(i, j + V * lanes<T>, v);
}

template <outer_shape S, tile_exit E, class T, class Sink, int... V>
[[gnu::always_inline]] inline void emit_row(Sink const& sink, std::int64_t i, std::int64_t j, vec<T> const* sum, std::integer_sequence<int, V...>) {
  (emit_sum<S, E, V, T>(sink, i, j, sum[V]), ...);
}

template <outer_shape S, tile_exit E, class T, class Sink, int... V>
[[gnu::always_inline]] inline void emit_stored_row(Sink const& sink, std::int64_t i, std::int64_t j, T const* sum, std::integer_sequence<int, V...>) {
  (emit_sum<S, E, V, T>(sink, i, j, vec<T>::load_aligned(sum + V * lanes<T>)), ...);
}

template <outer_shape S, tile_exit E, class T, class Sink, int... R>
[[gnu::always_inline]] inline void emit_rows(Sink const& sink, std::int64_t i, std::int64_t j, vec<T> const* sum, std::integer_sequence<int, R...>) {
  (emit_row<S, E, T>(sink, i + R, j, sum + R * S.vectors, std::make_integer_sequence<int, S.vectors>{}), ...);
}

template <class T, int... I>
[[gnu::always_inline]] inline void store_sums(vec<T> const* sum, T* to, std::integer_sequence<int, I...>) {
  (sum[I].store_aligned(to + I * lanes<T>), ...);
}

template <class T, int... I>
[[gnu::always_inline]] inline void add_stored(vec<T>* sum, T const* from, std::integer_sequence<int, I...>) {
  ((sum[I] = sum[I] + vec<T>::load_aligned(from + I * lanes<T>)), ...);
}

template <class T, int... I>
[[gnu::always_inline]] inline void clear_sums(vec<T>* sum, std::integer_sequence<int, I...>) {
  ((sum[I] = vec<T>(T(0))), ...);
}

/// Where a tile stands in a sum over several blocks of k; `kept` holds its running sums between blocks.
template <class T>
struct block_state {
  T* kept = nullptr;
  bool first = true, last = true;
};

/// One tile of C. Depth is the static number of steps (-1: `depth`), of which the last TailDepth are read from `b_tail`.
template <outer_shape S, tile_exit E, std::int64_t Depth, std::int64_t TailDepth, class T, class Sink>
inline void outer_tile(T const* a, T const* b, T const* b_tail, std::int64_t depth, std::int64_t i, std::int64_t j, Sink const& sink,
                       block_state<T> state) {
  constexpr int sums = S.rows * S.vectors;
  constexpr bool blocked = Depth < 0;
  constexpr auto all = std::make_integer_sequence<int, sums>{};
  // The sink's fields would be read again after every store if it stayed behind a reference.
  Sink const exit = sink;
  vec<T> sum[sums * S.splits];
  clear_sums<T>(sum, std::make_integer_sequence<int, sums * S.splits>{});
  constexpr int unroll = S.splits > 2 ? S.splits : (sums <= 12 ? 4 : 2);
  if constexpr (blocked) {
    outer_accumulate<S, unroll, T>(sum, a, b, depth);
  } else {
    outer_accumulate<S, unroll, T>(sum, a, b, Depth - TailDepth);
    if constexpr (TailDepth > 0) outer_accumulate<S, 1, T>(sum, a + (Depth - TailDepth) * S.a_col, b_tail, TailDepth);
  }
  merge_splits<sums, S.splits, T>(sum);
  if constexpr (blocked) {
    if (!state.first) add_stored<T>(sum, state.kept, all);
    if (!state.last) return store_sums<T>(sum, state.kept, all);
  }
  if constexpr (!blocked && (sums <= 4 || Depth <= 32)) {
    emit_rows<S, E, T>(exit, i, j, sum, std::make_integer_sequence<int, S.rows>{});
  } else {
    // Through memory, so that the epilogue is compiled once per row rather than once per sum.
    alignas(64) T stored[sums * lanes<T>];
    store_sums<T>(sum, stored, all);
    for (int r = 0; r < S.rows; ++r)
      emit_stored_row<S, E, T>(exit, i + r, j, stored + r * S.vectors * lanes<T>, std::make_integer_sequence<int, S.vectors>{});
  }
}

template <class T, matmul_problem P>
struct outer_product {
  static constexpr plan how = make_plan(P, sizeof(T));
  static constexpr std::int64_t width = lanes<T>;
  static constexpr std::int64_t panel = how.vectors * width;
  static constexpr bool blocked = how.k_block < P.k;
  static constexpr std::int64_t whole_panels_end = P.n / panel * panel;
  static constexpr int last_vectors = static_cast<int>(ceil_div(P.n - whole_panels_end, width));
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
            how.packs_b ? Vectors * width : P.b_row};
  }

  template <int Vectors, bool LastPanel, int Rows, class Sink>
  [[gnu::always_inline]] static void tile(T const* a, T const* b, T const* b_tail, std::int64_t depth, std::int64_t i, std::int64_t j, Sink const& sink,
                                          block_state<T> state) {
    constexpr tile_exit exit = LastPanel ? tile_exit{last_count, rotation} : tile_exit{static_cast<int>(width), 0};
    outer_tile<shape<Rows, Vectors, LastPanel>(), exit, blocked ? -1 : P.k, tail_depth, T>(a, b, b_tail, depth, i, j, sink, state);
  }

  struct block {
    T const* b;  // of the first column of the block
    T const* b_tail;
    T* kept;
    std::int64_t first_column, columns, first_k, depth;
  };

  template <int Rows, class Sink>
  [[gnu::always_inline]] static void row_of_tiles(T const* a, block const& at, std::int64_t i, Sink const& sink) {
    block_state<T> state;
    if constexpr (blocked) state = {at.kept + i * how.n_block, at.first_k == 0, at.first_k + at.depth == P.k};
    std::int64_t const step = how.packs_b ? at.depth : 1;
    std::int64_t const whole_end = std::min(at.first_column + at.columns, whole_panels_end);
    std::int64_t j = at.first_column;
    if constexpr (whole_panels_end > 0) {
      for (; j < whole_end; j += panel) {
        tile<how.vectors, false, Rows>(a, at.b + (j - at.first_column) * step, at.b_tail, at.depth, i, j, sink, state);
        if constexpr (blocked) state.kept += Rows * panel;
      }
    }
    if constexpr (last_vectors > 0) {
      if (j < at.first_column + at.columns)
        tile<last_vectors, true, Rows>(a, at.b + (j - at.first_column) * step, at.b_tail, at.depth, i, j, sink, state);
    }
  }

  static void pack_block(T const* b, std::int64_t first_column, std::int64_t columns, std::int64_t depth, T* to) {
    std::int64_t const whole_end = std::min(first_column + columns, whole_panels_end);
    std::int64_t j = first_column;
    for (; j < whole_end; j += panel) {
      pack_panel<how.vectors, 0, static_cast<int>(width), P.b_row, P.b_col>(b + j * P.b_col, depth, to);
      to += panel * depth;
    }
    if constexpr (last_vectors > 0) {
      if (j < first_column + columns) pack_panel<last_vectors, rotation, last_count, P.b_row, P.b_col>(b + j * P.b_col, depth, to);
    }
  }

  template <class Sink>
  static void run(T const* a, T const* b, T* scratch, Sink const& sink) {
    T* const a_packed = scratch;
    T* const b_packed = scratch + how.a_elements;
    T* const kept = b_packed + how.b_elements;
    // Lanes past the copied rows only have to be free of slow denormals.
    alignas(64) T b_tail[tail_depth > 0 ? tail_extent + width : 1];
    if constexpr (tail_depth > 0) {
      std::memset(b_tail + tail_extent, 0, width * sizeof(T));
      std::memcpy(b_tail, b + inner_rows * P.b_row, tail_extent * sizeof(T));
    }
    constexpr std::int64_t whole_rows_end = P.m / how.rows * how.rows;
    for (std::int64_t jc = 0; jc < P.n; jc += how.n_block) {
      std::int64_t const columns = std::min(how.n_block, P.n - jc);
      for (std::int64_t pc = 0; pc < P.k; pc += how.k_block) {
        std::int64_t const depth = blocked ? std::min(how.k_block, P.k - pc) : P.k;
        if constexpr (how.packs_b) pack_block(b + pc * P.b_row, jc, columns, depth, b_packed);
        if constexpr (how.packs_a) {
          if (blocked || jc == 0) pack_row_panels<how.rows, P.m, P.a_row, P.a_col>(a + pc * P.a_col, depth, a_packed);
        }
        block const at{how.packs_b ? b_packed : b + jc * P.b_col, b_tail, kept, jc, columns, pc, depth};
        T const* const a_block = how.packs_a ? a_packed : a + pc * P.a_col;
        std::int64_t const a_row = how.packs_a ? depth : P.a_row;
        for (std::int64_t i = 0; i < whole_rows_end; i += how.rows) row_of_tiles<how.rows>(a_block + i * a_row, at, i, sink);
        if constexpr (whole_rows_end < P.m)
          row_of_tiles<static_cast<int>(P.m - whole_rows_end)>(a_block + whole_rows_end * a_row, at, whole_rows_end, sink);
      }
    }
  }
};

template <class T, matmul_problem P>
struct dot_product {
  static constexpr plan how = make_plan(P, sizeof(T));
  static constexpr int width = lanes<T>;
  static constexpr std::int64_t packed_row = round_to_line(P.k, sizeof(T));
  static constexpr std::int64_t a_row = how.packs_a ? 0 : P.a_row;
  static constexpr std::int64_t b_col = how.packs_b ? packed_row : P.b_col;

  /// Rows whose sums share one vector when a row has Columns results.
  template <int Columns>
  static constexpr int group = width / static_cast<int>(std::bit_ceil(static_cast<unsigned>(Columns)));

  template <int Columns>
  static constexpr int most_rows = [] {
    int rows = group<Columns>;
    while (rows * Columns * 2 <= registers / 2 && rows + Columns <= 8) rows *= 2;
    return static_cast<int>(std::min<std::int64_t>(rows, P.m));
  }();

  template <int Columns, int Row, class Sink>
  [[gnu::always_inline]] static void emit_one(Sink const& sink, std::int64_t i, std::int64_t j, vec<T> v) {
    if constexpr (Columns == width) sink(i, j, v);
    else sink(i, j, rotate<Row * (width / group<Columns>), T>(v), Columns);
  }

  template <int Columns, class Sink, int... R>
  [[gnu::always_inline]] static void emit_group(Sink const& sink, std::int64_t i, std::int64_t j, vec<T> v, std::integer_sequence<int, R...>) {
    if constexpr (Columns == 1) {
      alignas(64) T results[width];
      v.store_aligned(results);
      for (int r = 0; r < static_cast<int>(sizeof...(R)); ++r) sink(i + r, j, vec<T>(results[r]), 1);
    } else {
      (emit_one<Columns, R>(sink, i + R, j, v), ...);
    }
  }

  template <int Rows, int Columns, int First, int Count, int... I>
  [[gnu::always_inline]] static vec<T> group_sums(vec<T> const* sum, std::integer_sequence<int, I...>) {
    constexpr int stride = width / group<Columns>;
    // Rows of the tree are padded to a power of two so that a rotation brings each row to lane 0.
    vec<T> const padded[] = {(I % stride < Columns && I / stride < Count ? sum[(First + I / stride < Rows ? First + I / stride : First) * Columns +
                                                                             (I % stride < Columns ? I % stride : 0)]
                                                                        : vec<T>(T(0)))...};
    return horizontal_sums<T>(padded);
  }

  template <int Rows, int Columns, int First, class Sink>
  [[gnu::always_inline]] static void emit_from(Sink const& sink, std::int64_t i, std::int64_t j, vec<T> const* sum) {
    if constexpr (First < Rows) {
      constexpr int count = std::min(group<Columns>, Rows - First);
      constexpr int slots = count * (width / group<Columns>);
      vec<T> const v = group_sums<Rows, Columns, First, count>(sum, std::make_integer_sequence<int, slots>{});
      emit_group<Columns>(sink, i + First, j, v, std::make_integer_sequence<int, count>{});
      emit_from<Rows, Columns, First + group<Columns>>(sink, i, j, sum);
    }
  }

  template <int Rows, int Columns, class Sink>
  static void tile(T const* a, T const* b, std::int64_t i, std::int64_t j, Sink const& sink) {
    constexpr dot_shape shape{Rows, Columns, splits_for(Rows * Columns, P.k / width), a_row, b_col};
    Sink const exit = sink;
    vec<T> sum[Rows * Columns * shape.splits];
    clear_sums<T>(sum, std::make_integer_sequence<int, Rows * Columns * shape.splits>{});
    dot_accumulate<shape, P.k, T>(sum, a, b);
    merge_splits<Rows * Columns, shape.splits, T>(sum);
    emit_from<Rows, Columns, 0>(exit, i, j, sum);
  }

  template <int Columns, class Sink>
  static void column_of_tiles(T const* a, T const* b, std::int64_t j, Sink const& sink) {
    constexpr int rows = most_rows<Columns>;
    constexpr std::int64_t whole = P.m / rows * rows;
    for (std::int64_t i = 0; i < whole; i += rows) tile<rows, Columns>(a + i * a_row, b, i, j, sink);
    if constexpr (whole < P.m) tile<static_cast<int>(P.m - whole), Columns>(a + whole * a_row, b, whole, j, sink);
  }

  template <class Sink>
  static void run(T const* a, T const* b, T* scratch, Sink const& sink) {
    if constexpr (how.packs_a) {
      for (std::int64_t k = 0; k < P.k; ++k) scratch[k] = a[k * P.a_col];
      a = scratch;
    }
    if constexpr (how.packs_b) {
      T* const packed = scratch + how.a_elements;
      for (std::int64_t k = 0; k < P.k; ++k)
        for (std::int64_t j = 0; j < P.n; ++j) packed[j * b_col + k] = b[k * P.b_row + j * P.b_col];
      b = packed;
    }
    constexpr std::int64_t whole = P.n / width * width;
    if constexpr (whole > 0)
      for (std::int64_t j = 0; j < whole; j += width) column_of_tiles<width>(a, b + j * b_col, j, sink);
    if constexpr (whole < P.n) column_of_tiles<static_cast<int>(P.n - whole)>(a, b + whole * b_col, whole, sink);
  }
};

/// Hands the lanes of a row of the transposed result to the sink of the column it is.
template <class T, class Sink>
struct column_sink {
  Sink sink;
  [[gnu::always_inline]] void operator()(std::int64_t i, std::int64_t j, vec<T> v, int count = lanes<T>) const {
    alignas(64) T results[lanes<T>];
    v.store_aligned(results);
    for (int l = 0; l < count; ++l) sink(j + l, i, vec<T>(results[l]), 1);
  }
};

constexpr matmul_problem transposed(matmul_problem const& p) { return {p.n, p.m, p.k, p.b_col, p.b_row, p.a_col, p.a_row}; }

}  // namespace mm

/// Bytes of 64-byte aligned scratch that matmul<T, P> needs; zero when it packs nothing.
constexpr std::size_t matmul_scratch_size(matmul_problem const& p, std::size_t element_size, bool is_vectorizable) {
  if (!is_vectorizable) return 0;
  mm::plan how = mm::make_plan(p, element_size);
  if (how.how == mm::method::swapped) how = mm::make_plan(mm::transposed(p), element_size);
  return static_cast<std::size_t>(how.a_elements + how.b_elements + how.c_elements) * element_size;
}

template <class T, matmul_problem P>
inline constexpr std::size_t matmul_scratch_bytes = matmul_scratch_size(P, sizeof(T), std::is_floating_point_v<T>);

/// Calls `sink(i, j, v)` once for every native vector of outputs C[i, j..j+W) and `sink(i, j, v, count)` once for each partial one
/// (first `count` lanes valid), in any order.
template <class T, matmul_problem P, class Sink>
void matmul(T const* a, T const* b, std::byte* scratch, Sink const& sink) {
  static_assert(std::is_same_v<T, float> || std::is_same_v<T, double>);
  constexpr mm::plan how = mm::make_plan(P, sizeof(T));
  T* const packed = reinterpret_cast<T*>(scratch);
  if constexpr (how.how == mm::method::zeros) {
    for (std::int64_t i = 0; i < P.m; ++i)
      for (std::int64_t j = 0; j < P.n; j += mm::lanes<T>)
        mm::emit<Sink, T>(sink, i, j, mm::vec<T>(T(0)), static_cast<int>(std::min<std::int64_t>(mm::lanes<T>, P.n - j)));
  } else if constexpr (how.how == mm::method::outer) {
    mm::outer_product<T, P>::run(a, b, packed, sink);
  } else if constexpr (how.how == mm::method::dot) {
    mm::dot_product<T, P>::run(a, b, packed, sink);
  } else if constexpr (how.how == mm::method::swapped) {
    matmul<T, mm::transposed(P)>(b, a, scratch, mm::column_sink<T, Sink>{sink});
  }
}

/// The element of a sum in which integers wrap around instead of overflowing.
template <class T>
struct wrapping {
  using type = T;
};
template <class T>
  requires std::is_integral_v<T>
struct wrapping<T> {
  using type = std::conditional_t<(sizeof(T) < sizeof(unsigned)), unsigned, std::make_unsigned_t<T>>;
};

/// The product for element types without vectors; calls `sink(i, j, value)` once per output.
template <class T, matmul_problem P, class Sink>
void matmul_scalar(T const* a, T const* b, Sink const& sink) {
  static_assert(!std::is_same_v<T, bool>);
  using sum_type = typename wrapping<T>::type;
  for (std::int64_t i = 0; i < P.m; ++i)
    for (std::int64_t j = 0; j < P.n; ++j) {
      sum_type sum{};
      for (std::int64_t k = 0; k < P.k; ++k)
        sum = sum + static_cast<sum_type>(a[i * P.a_row + k * P.a_col]) * static_cast<sum_type>(b[k * P.b_row + j * P.b_col]);
      sink(i, j, static_cast<T>(sum));
    }
}

}  // namespace dimity::detail
