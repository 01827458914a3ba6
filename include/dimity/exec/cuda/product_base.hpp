// What kernels of matrix products share: the product as a row of integers, where a block works, and what happens to results while they are in registers.
#pragma once

#include <dimity/core/device.hpp>
#include <dimity/exec/cuda/values.hpp>

namespace DIMITY_NAMESPACE::detail {

/// A product as integers (words, where extents are chosen at run time): element types of the operands (that of the second in the upper bits, 8 and more) and of the result, extents, strides (row and column of both operands), offsets, whether the product is wanted itself, beside what its epilogue makes of it;
/// which of operands and product begin anywhere, a bit each; the precision; then for each axis of the batch its extent and the strides of both operands.
template <std::int64_t... Words>
struct product_code {
  static constexpr std::int64_t words[sizeof...(Words) + 1] = {Words..., 0};
  template <int Operand>
  using operand = type_of<static_cast<dtype>(words[0] >> 8 * Operand & 255)>;
  using result = type_of<static_cast<dtype>(words[1])>;
  static constexpr std::int64_t m = words[2], n = words[3], k = words[4], a_row = words[5], a_column = words[6], b_row = words[7], b_column = words[8], a_offset = words[9], b_offset = words[10];
  static constexpr bool stores = words[11] != 0;
  static constexpr std::int64_t unaligned = words[12];
  static constexpr cuda_precision wanted = static_cast<cuda_precision>(words[13]);
  static constexpr int first_batch = 14, batch_axes = static_cast<int>(sizeof...(Words) - first_batch) / 3;
  static constexpr std::int64_t entries = [] {
    amount e = 1;
    for (int i = 0; i < batch_axes; ++i) e *= amount_of(words[first_batch + 3 * i]);
    return e.code;
  }();
  static constexpr int symbols = [] {
    symbol_counter all;
    for (int i = 2; i < static_cast<int>(sizeof...(Words)); ++i)
      if (i < 11 || i >= first_batch) all.add(words[i]);
    return all.count;
  }();
  template <int Axis>
  static constexpr std::int64_t batch_extent = words[first_batch + 3 * Axis];
  template <int Axis>
  static constexpr std::int64_t a_batch = words[first_batch + 3 * Axis + 1];
  template <int Axis>
  static constexpr std::int64_t b_batch = words[first_batch + 3 * Axis + 2];
};

/// Operand 0 (rows of a) or 1 (columns of b) of a product. `along_terms`: neighbours in memory are terms.
template <class Code, int Operand>
struct product_operand {
  static constexpr std::int64_t row_stride = Operand == 0 ? Code::a_row : Code::b_column, term_stride = Operand == 0 ? Code::a_column : Code::b_row, offset = Operand == 0 ? Code::a_offset : Code::b_offset, extent = Operand == 0 ? Code::m : Code::n;
  static constexpr bool along_terms = term_stride == 1 && (row_stride != 1 || Code::k > 1);
  /// Elements that are moved at once of lines of `line` elements of a tile: all aligned, and none of them beyond the operand's end when the first is not.
  static constexpr int width(int line) {
    bool const are_neighbours = (along_terms ? term_stride : row_stride) == 1 && (Code::unaligned >> Operand & 1) == 0;
    int w = are_neighbours ? widest_access / static_cast<int>(sizeof(typename Code::template operand<Operand>)) : 1;
    while (w > 1 && (factor_of(along_terms ? row_stride : term_stride) % w != 0 || factor_of(offset) % w != 0 || factor_of(along_terms ? Code::k : extent) % w != 0 || line % w != 0)) w /= 2;
    for (int i = 0; i < Code::batch_axes; ++i)
      while (w > 1 && factor_of(Code::words[Code::first_batch + 3 * i + 1 + Operand]) % w != 0) w /= 2;
    return w;
  }
};

/// No epilogue.
struct no_epilogue {
  static constexpr int slots = 0, symbols = 0, width = widest_access;
};

/// Tiles of BM x BN results, which threads hold in groups of up to G neighbours of a row.
template <class Code, class Epilogue, int BM, int BN, int G>
struct product_results {
  using T = typename Code::result;
  /// Slots: the operands, the product, and the arguments of the epilogue behind them; then extents that are chosen at run time.
  static constexpr int of_epilogue = Epilogue::slots + Epilogue::symbols, first_symbol = 3 + of_epilogue;
  using arguments = kernel_arguments<first_symbol + Code::symbols>;
  template <std::int64_t Word>
  DIMITY_HOST_DEVICE static long long number([[maybe_unused]] arguments const& args) {
    if constexpr (Code::symbols == 0) return Word;
    else return number_in_kernel<Word, first_symbol>::of(args);
  }
  static constexpr bool is_known = is_known_word(Code::m) && is_known_word(Code::n) && is_known_word(Code::k) && is_known_word(Code::entries);
  DIMITY_HOST_DEVICE static int row_tiles(arguments const& args) { return static_cast<int>((number<Code::m>(args) + (BM - 1)) / BM); }
  DIMITY_HOST_DEVICE static int column_tiles(arguments const& args) { return static_cast<int>((number<Code::n>(args) + (BN - 1)) / BN); }
  static constexpr std::int64_t blocks = is_known ? (Code::m + BM - 1) / BM * ((Code::n + BN - 1) / BN) * Code::entries : -1;
  static long long block_count(arguments const& args) {
    for (long long const extent : {number<Code::m>(args), number<Code::n>(args), number<Code::k>(args)}) static_cast<void>(blocks_at_run_time(extent, 1));
    return blocks_at_run_time((number<Code::m>(args) + (BM - 1)) / BM * ((number<Code::n>(args) + (BN - 1)) / BN) * number<Code::entries>(args), 1);
  }
  static constexpr bool rows_fit = is_known_word(Code::m) && Code::m % BM == 0, columns_fit = is_known_word(Code::n) && Code::n % BN == 0;

  struct block_position {
    std::int64_t a = 0, b = 0;     ///< where the operands of this entry begin
    int entry = 0, row = 0, column = 0;
  };
  template <int Axis>
  DIMITY_DEVICE static void find_entry(arguments const& args, block_position& p, int left) {
    if constexpr (Axis >= 0) {
      int const extent = static_cast<int>(number<Code::template batch_extent<Axis>>(args)), here = Axis == 0 ? left : left % extent;
      p.a += here * number<Code::template a_batch<Axis>>(args);
      p.b += here * number<Code::template b_batch<Axis>>(args);
      if constexpr (Axis > 0) find_entry<Axis - 1>(args, p, left / extent);
    }
  }
  DIMITY_DEVICE static block_position place_of_block(arguments const& args) {
    block_position p;
    int const block = static_cast<int>(blockIdx.x);
    int const columns = column_tiles(args), per_entry = row_tiles(args) * columns;
    p.entry = block / per_entry;
    p.row = block % per_entry / columns * BM;
    p.column = block % columns * BN;
    find_entry<Code::batch_axes - 1>(args, p, p.entry);
    return p;
  }

  /// Elements of a row that are written, and worked on, as a packet: one, where rows end in the middle of packets.
  static constexpr int widest = G * static_cast<int>(sizeof(T)) <= widest_access ? G : widest_access / static_cast<int>(sizeof(T));
  static constexpr int W = factor_of(Code::n) % widest == 0 && Epilogue::width % widest == 0 && !(Code::stores && (Code::unaligned >> 2 & 1) != 0) ? widest : 1;

  template <class... Ignored>
  struct epilogue_of {
    using values = thread_values<Epilogue, bit_of(Epilogue::last), W>;
    using lanes = typename values::lanes;
    using position = typename values::position;
    using index = typename values::index;

    /// The epilogue's axes are those of the result without extents of 1.
    template <int Axis, int KernelAxis>
    DIMITY_DEVICE static void set_batch(arguments const& args, position& p, int left) {
      if constexpr (Axis >= 0) {
        if constexpr (Code::template batch_extent<Axis> == 1) {
          set_batch<Axis - 1, KernelAxis>(args, p, left);
        } else {
          int const extent = static_cast<int>(number<Code::template batch_extent<Axis>>(args));
          p.at[KernelAxis] = Axis == 0 ? left : left % extent;
          if constexpr (Axis > 0) set_batch<Axis - 1, KernelAxis - 1>(args, p, left / extent);
        }
      }
    }
    DIMITY_DEVICE static position at([[maybe_unused]] arguments const& args, [[maybe_unused]] int entry, int row, int column) {
      position p;
      constexpr int matrix_axes = (Code::m != 1) + (Code::n != 1);
      if constexpr (Code::n != 1) {
        p.packet = column / W;
        if constexpr (Code::m != 1) p.at[Epilogue::axes - 2] = row;
      } else {
        p.packet = row;
      }
      set_batch<Code::batch_axes - 1, Epilogue::axes - 1 - matrix_axes>(args, p, entry);
      return p;
    }
    template <int... V, int... S, int... I>
    DIMITY_DEVICE static void run(std::integer_sequence<int, V...>, std::integer_sequence<int, S...>, std::integer_sequence<int, I...>, arguments const& args, pack<T, W> const& x, int entry, int row, int column) {
      typename Epilogue::arguments const own{{args.p[3 + I]...}};
      position const p = at(args, entry, row, column);
      lanes r;
      cell_of<Epilogue::injected>(r) = x;
      (values::template compute<V>(r, own, p), ...);
      (values::template store_packet<S>(r, own, p), ...);
    }
  };
  DIMITY_DEVICE static void finish(arguments const& args, pack<T, W> const& x, int entry, int row, int column) {
    if constexpr (Code::stores) {
      // By the packet: nvcc makes 32-bit stores of a packet at an address of elements.
      static_cast<pack<T, W>*>(args.p[2])[(static_cast<std::int64_t>(entry) * number<Code::m>(args) + row) * number<word_over<Code::n, W>>(args) + column / W] = x;
    }
    if constexpr (Epilogue::slots > 0)
      epilogue_of<>::run(std::make_integer_sequence<int, Epilogue::value_count>{}, std::make_integer_sequence<int, Epilogue::store_count>{}, std::make_integer_sequence<int, of_epilogue>{}, args, x, entry, row, column);
  }
  /// G neighbouring results at (row, column) of the block's tile.
  DIMITY_DEVICE static void finish_group(arguments const& args, block_position const& p, T const (&sum)[G], int row, int column) {
    DIMITY_UNROLL
    for (int j = 0; j < G; j += W)
      if ((rows_fit || p.row + row < static_cast<int>(number<Code::m>(args))) && (columns_fit || p.column + column + j < static_cast<int>(number<Code::n>(args)))) {
        pack<T, W> x;
        DIMITY_UNROLL
        for (int w = 0; w < W; ++w) x.v[w] = sum[j + w];
        finish(args, x, p.entry, p.row + row, p.column + column + j);
      }
  }
};

}  // namespace DIMITY_NAMESPACE::detail
