// Matrix products on the ordinary cores: tiles in registers, operands through shared memory, the next step's loads under way while this one's are multiplied; elementwise work on the results (the plan's epilogue) while
// they are in registers. The scheme is the usual one (CUTLASS's SIMT products, S. Boehm's worklog "How to optimize a CUDA matmul kernel", 2022).
#pragma once

#include <dimity/exec/cuda/product_base.hpp>

namespace DIMITY_NAMESPACE::detail {

/// Rows and columns of a block's tile: as large as the product, and so small that most multiprocessors (132 of an H100) have one.
struct product_tile {
  int rows = 128, columns = 128;
};
constexpr product_tile largest_tile(std::int64_t m, std::int64_t n) {
  product_tile t;
  while (t.rows > 16 && t.rows / 2 >= m) t.rows /= 2;
  while (t.columns > 16 && t.columns / 2 >= n) t.columns /= 2;
  return t;
}
constexpr product_tile tile_of_product(std::int64_t m, std::int64_t n, std::int64_t entries) {
  product_tile t = largest_tile(m, n);
  auto const blocks = [&] { return (m + t.rows - 1) / t.rows * ((n + t.columns - 1) / t.columns) * entries; };
  while (blocks() < 100 && (t.rows > 32 || t.columns > 32)) {
    if (t.rows >= t.columns) t.rows /= 2;
    else t.columns /= 2;
  }
  return t;
}

/// What tiles are chosen for where an extent is known at run time only.
constexpr std::int64_t likely_extent(std::int64_t word, std::int64_t guess) { return is_known_word(word) ? word : guess; }
template <class Code>
inline constexpr product_tile tile_of = tile_of_product(likely_extent(Code::m, 512), likely_extent(Code::n, 512), likely_extent(Code::entries, 8));
template <class Code, class Epilogue>
using results_of_product = product_results<Code, Epilogue, tile_of<Code>.rows, tile_of<Code>.columns, (tile_of<Code>.columns < 64 ? tile_of<Code>.columns / 16 : 4)>;

template <class Code, class Epilogue>
struct product_kernel : results_of_product<Code, Epilogue> {
  using base = results_of_product<Code, Epilogue>;
  using typename base::arguments;
  using A = typename Code::template operand<0>;
  using B = typename Code::template operand<1>;
  using T = typename Code::result;
  static constexpr int threads = 256;
  static constexpr int BM = tile_of<Code>.rows, BN = tile_of<Code>.columns, BK = sizeof(T) == 8 || BM * BN > 128 * 64 ? 8 : 16, TM = BM / 16, TN = BN / 16;
  static constexpr int GM = TM < 4 ? TM : 4, GN = TN < 4 ? TN : 4;  ///< neighbouring rows and columns of a thread; further ones are 16 groups on
  static constexpr bool terms_fit = is_known_word(Code::k) && Code::k % BK == 0;

  /// How a tile of Rows x BK elements of an operand comes from memory: in packets along the axis in which neighbours lie side by side.
  template <int Operand>
  struct mover : product_operand<Code, Operand> {
    using lies = product_operand<Code, Operand>;
    using lies::along_terms;
    static constexpr int Rows = Operand == 0 ? BM : BN, width = lies::width(along_terms ? BK : Rows);
    static constexpr int packets = Rows * BK / width, count = (packets + threads - 1) / threads;
    static constexpr bool fits = is_known_word(lies::extent) && lies::extent % Rows == 0, divides = packets % threads == 0;
    using X = typename Code::template operand<Operand>;
    using packet = pack<X, width>;

    DIMITY_DEVICE static int row(int i) { return along_terms ? i / (BK / width) : i % (Rows / width) * width; }
    DIMITY_DEVICE static int term(int i) { return along_terms ? i % (BK / width) * width : i / (Rows / width); }
    DIMITY_DEVICE static void fetch(packet (&to)[count], arguments const& args, X const* from, int rows_left, int terms_left) {
      DIMITY_UNROLL
      for (int l = 0; l < count; ++l) {
        int const i = static_cast<int>(threadIdx.x) + l * threads;
        bool const inside = (divides || i < packets) && (fits || row(i) < rows_left) && (terms_fit || term(i) < terms_left);
        if (inside) to[l] = *reinterpret_cast<packet const*>(from + row(i) * base::template number<lies::row_stride>(args) + term(i) * base::template number<lies::term_stride>(args));
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
  using a_mover = mover<0>;
  using b_mover = mover<1>;
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

  DIMITY_DEVICE static void run(arguments const& args) {
    alignas(16) __shared__ T a_tile[BK][BM + padding];
    alignas(16) __shared__ T b_tile[BK][BN + padding];
    auto const p = base::place_of_block(args);
    A const* a = static_cast<A const*>(args.p[0]) + base::template number<Code::a_offset>(args) + p.a + p.row * base::template number<Code::a_row>(args);
    B const* b = static_cast<B const*>(args.p[1]) + base::template number<Code::b_offset>(args) + p.b + p.column * base::template number<Code::b_column>(args);
    int const rows_left = static_cast<int>(base::template number<Code::m>(args)) - p.row, columns_left = static_cast<int>(base::template number<Code::n>(args)) - p.column, terms = static_cast<int>(base::template number<Code::k>(args));
    int const ty = static_cast<int>(threadIdx.x) / 16, tx = static_cast<int>(threadIdx.x) % 16;
    int const steps = (terms + (BK - 1)) / BK;

    T sum[TM][TN];
    DIMITY_UNROLL
    for (int i = 0; i < TM; ++i) {
      DIMITY_UNROLL
      for (int j = 0; j < TN; ++j) sum[i][j] = T(0);
    }
    typename a_mover::packet next_a[a_mover::count];
    typename b_mover::packet next_b[b_mover::count];
    if (steps > 0) {
      a_mover::fetch(next_a, args, a, rows_left, terms);
      b_mover::fetch(next_b, args, b, columns_left, terms);
    }
    for (int step = 0; step < steps; ++step) {
      __syncthreads();  // the step before has read its tiles
      a_mover::keep(next_a, a_tile);
      b_mover::keep(next_b, b_tile);
      __syncthreads();
      if (step + 1 < steps) {
        int const done = (step + 1) * BK;
        a_mover::fetch(next_a, args, a + done * base::template number<Code::a_column>(args), rows_left, terms - done);
        b_mover::fetch(next_b, args, b + done * base::template number<Code::b_row>(args), columns_left, terms - done);
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
      for (int j = 0; j < TN; j += GN) {
        T group[GN];
        DIMITY_UNROLL
        for (int w = 0; w < GN; ++w) group[w] = sum[i][j + w];
        base::finish_group(args, p, group, row, (j / GN * 16 + tx) * GN);
      }
    }
  }
};

}  // namespace DIMITY_NAMESPACE::detail
