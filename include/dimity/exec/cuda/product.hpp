// Matrix products on the ordinary cores: tiles in registers, operands through shared memory, the next step's loads under way while this one's are multiplied; elementwise work on the results (the plan's epilogue) while
// they are in registers. The scheme is the usual one (CUTLASS's SIMT products, S. Boehm's worklog "How to optimize a CUDA matmul kernel", 2022).
#pragma once

#include <dimity/exec/cuda/values.hpp>

namespace DIMITY_NAMESPACE::detail {

/// A product as integers: element types of operands and result, extents, strides (row and column of both operands), offsets, whether the product is wanted itself, beside what its epilogue makes of it;
/// which of operands and product begin anywhere, a bit each; then for each axis of the batch its extent and the strides of both operands.
template <std::int64_t... Words>
struct product_code {
  static constexpr std::int64_t words[sizeof...(Words) + 1] = {Words..., 0};
  using operand = type_of<static_cast<dtype>(words[0])>;
  using result = type_of<static_cast<dtype>(words[1])>;
  static constexpr std::int64_t m = words[2], n = words[3], k = words[4], a_row = words[5], a_column = words[6], b_row = words[7], b_column = words[8], a_offset = words[9], b_offset = words[10];
  static constexpr bool stores = words[11] != 0;
  static constexpr std::int64_t unaligned = words[12];
  static constexpr int first_batch = 13, batch_axes = static_cast<int>(sizeof...(Words) - first_batch) / 3;
  static constexpr std::int64_t entries = [] {
    std::int64_t e = 1;
    for (int i = 0; i < batch_axes; ++i) e *= words[first_batch + 3 * i];
    return e;
  }();
  template <int Axis>
  static constexpr std::int64_t batch_extent = words[first_batch + 3 * Axis];
  template <int Axis>
  static constexpr std::int64_t a_batch = words[first_batch + 3 * Axis + 1];
  template <int Axis>
  static constexpr std::int64_t b_batch = words[first_batch + 3 * Axis + 2];
};

/// No epilogue.
struct no_epilogue {
  static constexpr int slots = 0, width = widest_access;
};

/// Rows and columns of a block's tile: as large as the product, and so small that most multiprocessors (132 of an H100) have one.
struct product_tile {
  int rows = 128, columns = 128;
};
constexpr product_tile tile_of_product(std::int64_t m, std::int64_t n, std::int64_t entries) {
  product_tile t;
  while (t.rows > 16 && t.rows / 2 >= m) t.rows /= 2;
  while (t.columns > 16 && t.columns / 2 >= n) t.columns /= 2;
  auto const blocks = [&] { return (m + t.rows - 1) / t.rows * ((n + t.columns - 1) / t.columns) * entries; };
  while (blocks() < 100 && (t.rows > 32 || t.columns > 32)) {
    if (t.rows >= t.columns) t.rows /= 2;
    else t.columns /= 2;
  }
  return t;
}

template <class Code, class Epilogue>
struct product_kernel {
  using X = typename Code::operand;
  using T = typename Code::result;
  static constexpr int threads = 256;
  static constexpr product_tile tile = tile_of_product(Code::m, Code::n, Code::entries);
  static constexpr int BM = tile.rows, BN = tile.columns, BK = sizeof(T) == 8 || BM * BN > 128 * 64 ? 8 : 16, TM = BM / 16, TN = BN / 16;
  static constexpr int GM = TM < 4 ? TM : 4, GN = TN < 4 ? TN : 4;  ///< neighbouring rows and columns of a thread; further ones are 16 groups on
  static constexpr std::int64_t row_tiles = (Code::m + BM - 1) / BM, column_tiles = (Code::n + BN - 1) / BN;
  static constexpr std::int64_t blocks = row_tiles * column_tiles * Code::entries;
  static constexpr bool rows_fit = Code::m % BM == 0, columns_fit = Code::n % BN == 0, terms_fit = Code::k % BK == 0;
  /// Slots: the operands, the product, and those of the epilogue behind them.
  using arguments = kernel_arguments<3 + Epilogue::slots>;

  struct block_position {
    std::int64_t a = 0, b = 0;     ///< where the operands of this entry begin
    int entry = 0, row = 0, column = 0;
  };
  template <int Axis>
  DIMITY_DEVICE static void find_entry(block_position& p, int left) {
    if constexpr (Axis >= 0) {
      constexpr int extent = static_cast<int>(Code::template batch_extent<Axis>);
      int const here = Axis == 0 ? left : left % extent;
      p.a += here * Code::template a_batch<Axis>;
      p.b += here * Code::template b_batch<Axis>;
      find_entry<Axis - 1>(p, left / extent);
    }
  }

  /// How a tile of Rows x BK elements of an operand comes from memory: in packets along the axis in which neighbours lie side by side, where all of them are aligned and none reaches over the operand's end.
  template <int Rows, std::int64_t RowStride, std::int64_t TermStride, std::int64_t Offset, std::int64_t RowExtent, int Operand>
  struct mover {
    static constexpr bool along_terms = TermStride == 1 && (RowStride != 1 || Code::k > 1);
    static constexpr int width = [] {
      int w = widest_access / static_cast<int>(sizeof(X));
      if ((along_terms ? TermStride : RowStride) != 1 || (Code::unaligned >> Operand & 1) != 0) return 1;
      std::int64_t const across = along_terms ? RowStride : TermStride, extent = along_terms ? Code::k : RowExtent;
      while (w > 1 && (across % w != 0 || Offset % w != 0 || extent % w != 0 || (along_terms ? BK : Rows) % w != 0)) w /= 2;
      for (int i = 0; i < Code::batch_axes; ++i)
        while (w > 1 && Code::words[Code::first_batch + 3 * i + 1 + Operand] % w != 0) w /= 2;
      return w;
    }();
    static constexpr int packets = Rows * BK / width, count = (packets + threads - 1) / threads;
    static constexpr bool fits = RowExtent % Rows == 0, divides = packets % threads == 0;
    using packet = pack<X, width>;

    DIMITY_DEVICE static int row(int i) { return along_terms ? i / (BK / width) : i % (Rows / width) * width; }
    DIMITY_DEVICE static int term(int i) { return along_terms ? i % (BK / width) * width : i / (Rows / width); }
    DIMITY_DEVICE static void fetch(packet (&to)[count], X const* from, int rows_left, int terms_left) {
      DIMITY_UNROLL
      for (int l = 0; l < count; ++l) {
        int const i = static_cast<int>(threadIdx.x) + l * threads;
        bool const inside = (divides || i < packets) && (fits || row(i) < rows_left) && (terms_fit || term(i) < terms_left);
        if (inside) to[l] = *reinterpret_cast<packet const*>(from + row(i) * RowStride + term(i) * TermStride);
        else to[l] = packet{};
      }
    }
    template <int Stride>
    DIMITY_DEVICE static void keep(packet const (&x)[count], T (&to)[BK][Stride]) {
      DIMITY_UNROLL
      for (int l = 0; l < count; ++l) {
        int const i = static_cast<int>(threadIdx.x) + l * threads;
        if (!divides && i >= packets) continue;
        if constexpr (!along_terms && std::is_same_v<X, T>) {
          static_assert(Stride * sizeof(T) % sizeof(packet) == 0);
          *reinterpret_cast<packet*>(&to[term(i)][row(i)]) = x[l];
        } else {
          DIMITY_UNROLL
          for (int w = 0; w < width; ++w) to[term(i) + (along_terms ? w : 0)][row(i) + (along_terms ? 0 : w)] = device_cast<T>(x[l].v[w]);
        }
      }
    }
  };
  using a_mover = mover<BM, Code::a_row, Code::a_column, Code::a_offset, Code::m, 0>;
  using b_mover = mover<BN, Code::b_column, Code::b_row, Code::b_offset, Code::n, 1>;
  /// Keeps packets of every row of a shared tile aligned.
  static constexpr int padding = widest_access / static_cast<int>(sizeof(T)) > 4 ? widest_access / static_cast<int>(sizeof(T)) : 4;

  template <int N, int G, int Stride>
  DIMITY_DEVICE static void read(T (&to)[N], T const (&from)[Stride], int first) {
    DIMITY_UNROLL
    for (int g = 0; g < N / G; ++g) {
      constexpr int part = G * static_cast<int>(sizeof(T)) > 16 ? 16 / static_cast<int>(sizeof(T)) : G;
      DIMITY_UNROLL
      for (int h = 0; h < G; h += part) {
        static_assert(Stride * sizeof(T) % sizeof(pack<T, part>) == 0);
        pack<T, part> const x = *reinterpret_cast<pack<T, part> const*>(&from[(g * 16 + first) * G + h]);
        DIMITY_UNROLL
        for (int w = 0; w < part; ++w) to[g * G + h + w] = x.v[w];
      }
    }
  }

  // ---- results

  /// Whether groups of columns are written, and worked on, as packets: not where they end in the middle of one.
  static constexpr int widest = GN * static_cast<int>(sizeof(T)) <= widest_access ? GN : widest_access / static_cast<int>(sizeof(T));
  static constexpr int W = Code::n % widest == 0 && Epilogue::width % widest == 0 && !(Code::stores && (Code::unaligned >> 2 & 1) != 0) ? widest : 1;

  template <class... Ignored>
  struct epilogue_of {
    using values = thread_values<Epilogue, bit_of(Epilogue::last), W>;
    using lanes = typename values::lanes;
    using position = typename values::position;
    using index = typename values::index;

    /// The epilogue's axes are those of the result without extents of 1.
    template <int Axis, int KernelAxis>
    DIMITY_DEVICE static void set_batch(position& p, int left) {
      if constexpr (Axis >= 0) {
        constexpr int extent = static_cast<int>(Code::template batch_extent<Axis>);
        if constexpr (extent == 1) {
          set_batch<Axis - 1, KernelAxis>(p, left);
        } else {
          p.at[KernelAxis] = Axis == 0 ? left : left % extent;
          set_batch<Axis - 1, KernelAxis - 1>(p, left / extent);
        }
      }
    }
    DIMITY_DEVICE static position at(int entry, int row, int column) {
      position p;
      constexpr int matrix_axes = (Code::m != 1) + (Code::n != 1);
      if constexpr (Code::n != 1) {
        p.packet = column / W;
        if constexpr (Code::m != 1) p.at[Epilogue::axes - 2] = row;
      } else {
        p.packet = row;
      }
      set_batch<Code::batch_axes - 1, Epilogue::axes - 1 - matrix_axes>(p, entry);
      return p;
    }
    template <int... V, int... S, int... I>
    DIMITY_DEVICE static void run(std::integer_sequence<int, V...>, std::integer_sequence<int, S...>, std::integer_sequence<int, I...>, arguments const& args, pack<T, W> const& x, int entry, int row, int column) {
      typename Epilogue::arguments const own{{args.p[3 + I]...}};
      position const p = at(entry, row, column);
      lanes r;
      cell_of<Epilogue::injected>(r) = x;
      (values::template compute<V>(r, own, p), ...);
      (values::template store_packet<S>(r, own, p), ...);
    }
  };
  DIMITY_DEVICE static void finish(arguments const& args, pack<T, W> const& x, int entry, int row, int column) {
    if constexpr (Code::stores) {
      T* const to = static_cast<T*>(args.p[2]) + (static_cast<std::int64_t>(entry) * Code::m + row) * Code::n + column;
      *reinterpret_cast<pack<T, W>*>(to) = x;
    }
    if constexpr (Epilogue::slots > 0)
      epilogue_of<>::run(std::make_integer_sequence<int, Epilogue::value_count>{}, std::make_integer_sequence<int, Epilogue::store_count>{}, std::make_integer_sequence<int, Epilogue::slots>{}, args, x, entry, row, column);
  }

  DIMITY_DEVICE static void run(arguments const& args) {
    alignas(16) __shared__ T a_tile[BK][BM + padding];
    alignas(16) __shared__ T b_tile[BK][BN + padding];
    block_position p;
    {
      int const block = static_cast<int>(blockIdx.x);
      constexpr int columns = static_cast<int>(column_tiles), per_entry = static_cast<int>(row_tiles * column_tiles);
      p.entry = block / per_entry;
      p.row = block % per_entry / columns * BM;
      p.column = block % columns * BN;
      find_entry<Code::batch_axes - 1>(p, p.entry);
    }
    X const* a = static_cast<X const*>(args.p[0]) + Code::a_offset + p.a + p.row * Code::a_row;
    X const* b = static_cast<X const*>(args.p[1]) + Code::b_offset + p.b + p.column * Code::b_column;
    int const rows_left = static_cast<int>(Code::m) - p.row, columns_left = static_cast<int>(Code::n) - p.column;
    int const ty = static_cast<int>(threadIdx.x) / 16, tx = static_cast<int>(threadIdx.x) % 16;
    constexpr int steps = static_cast<int>((Code::k + BK - 1) / BK);

    T sum[TM][TN];
    DIMITY_UNROLL
    for (int i = 0; i < TM; ++i) {
      DIMITY_UNROLL
      for (int j = 0; j < TN; ++j) sum[i][j] = T(0);
    }
    typename a_mover::packet next_a[a_mover::count];
    typename b_mover::packet next_b[b_mover::count];
    if constexpr (steps > 0) {
      a_mover::fetch(next_a, a, rows_left, static_cast<int>(Code::k));
      b_mover::fetch(next_b, b, columns_left, static_cast<int>(Code::k));
    }
    for (int step = 0; step < steps; ++step) {
      __syncthreads();  // the step before has read its tiles
      a_mover::keep(next_a, a_tile);
      b_mover::keep(next_b, b_tile);
      __syncthreads();
      if (step + 1 < steps) {
        int const done = (step + 1) * BK;
        a_mover::fetch(next_a, a + done * Code::a_column, rows_left, static_cast<int>(Code::k) - done);
        b_mover::fetch(next_b, b + done * Code::b_row, columns_left, static_cast<int>(Code::k) - done);
      }
      DIMITY_UNROLL
      for (int t = 0; t < BK; ++t) {
        T x[TM], y[TN];
        read<TM, GM>(x, a_tile[t], ty);
        read<TN, GN>(y, b_tile[t], tx);
        DIMITY_UNROLL
        for (int i = 0; i < TM; ++i) {
          DIMITY_UNROLL
          for (int j = 0; j < TN; ++j) sum[i][j] = device_binary<primitive::add>(sum[i][j], device_binary<primitive::multiply>(x[i], y[j]));
        }
      }
    }
    DIMITY_UNROLL
    for (int i = 0; i < TM; ++i) {
      int const row = (i / GM * 16 + ty) * GM + i % GM;
      DIMITY_UNROLL
      for (int j = 0; j < TN; j += W) {
        int const column = (j / GN * 16 + tx) * GN + j % GN;
        if ((rows_fit || row < rows_left) && (columns_fit || column < columns_left)) {
          pack<T, W> x;
          DIMITY_UNROLL
          for (int w = 0; w < W; ++w) x.v[w] = sum[i][j + w];
          finish(args, x, p.entry, p.row + row, p.column + column);
        }
      }
    }
  }
};

}  // namespace DIMITY_NAMESPACE::detail
