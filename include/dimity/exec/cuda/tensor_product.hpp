// Matrix products on the tensor cores: 16- and 8-bit floats, whose products are exact in the floats that they are added up in, and floats where the executor's precision allows to round them. Tiles come to shared memory by copies in
// the background, several steps ahead, and lie there so that neither the copies nor the reads of 8 x 8 matrices meet in a bank; a warp multiplies its part of the tile, and the plan's epilogue works on the results in registers.
// The scheme is CUTLASS's for Ampere (multistage threadblock products with swizzled shared memory).
#pragma once

#include <dimity/exec/cuda/product.hpp>
#include <dimity/exec/cuda/tensor_core.hpp>

namespace DIMITY_NAMESPACE::detail {

/// Whether a product runs on the tensor cores: not one so narrow that most of a tile would be empty.
template <class Code>
inline constexpr bool is_for_tensor_cores = std::is_same_v<typename Code::result, float> && std::is_same_v<typename Code::template operand<0>, typename Code::template operand<1>> && (storage_float<typename Code::template operand<0>> || (std::is_same_v<typename Code::template operand<0>, float> && Code::wanted == cuda_precision::fast)) && Code::m >= 8 && Code::n >= 8 && Code::k >= 8;

template <class Code, class Epilogue>
struct tensor_product_kernel : product_results<Code, Epilogue, tile_of<Code>.rows, tile_of<Code>.columns, 4> {
  static constexpr int BM = tile_of<Code>.rows, BN = tile_of<Code>.columns;
  using base = product_results<Code, Epilogue, BM, BN, 4>;
  using typename base::arguments;
  using X = typename Code::template operand<0>;
  using multiplied = std::conditional_t<std::is_same_v<X, float>, tensor_float32, X>;
  /// Elements of 16 bytes; terms of one instruction; terms of a step.
  static constexpr int E = 16 / static_cast<int>(sizeof(X)), terms_at_once = 2 * E, BK = 4 * E;
  /// The part of a tile that a warp multiplies.
  static constexpr int WM = BM >= 128 ? 64 : BM >= 32 ? BM / 2 : 16, WN = BN >= 128 ? 32 : BN >= 32 ? BN / 2 : 16;
  static constexpr int threads = 32 * (BM / WM) * (BN / WN);
  /// While the warps of one wait, those of the other multiply. Transposed and rounded operands of 32 bits take the registers for it.
  static constexpr int blocks_at_once = sizeof(X) == 2 ? 2 : 1;

  /// A tile of an operand in shared memory: lines of `inner` elements along the axis in which neighbours lie side by side, in chunks of 16 bytes.
  template <int Operand>
  struct side : product_operand<Code, Operand> {
    using lies = product_operand<Code, Operand>;
    using lies::along_terms;
    static constexpr int rows = Operand == 0 ? BM : BN, lines = along_terms ? rows : BK, inner = along_terms ? BK : rows, chunks = inner / E, bytes = lines * inner * static_cast<int>(sizeof(X)), width = lies::width(inner);
    static constexpr int packets = lines * inner / width, count = (packets + threads - 1) / threads;
    static constexpr bool divides = packets % threads == 0, rows_fit = is_known_word(lies::extent) && lies::extent % rows == 0, terms_fit = is_known_word(Code::k) && Code::k % BK == 0;
    using packet = pack<X, width>;

    /// Chunks of neighbouring lines change places, so that the eight chunks that are read together lie in different banks. Transposed tiles of 32-bit elements are read by the element: four lines, two chunks of each.
    static constexpr int beside = chunks < 8 ? chunks : 8, lines_beside = 8 / beside, shift = !along_terms && sizeof(X) == 4 ? 1 : 0;
    DIMITY_DEVICE static char* chunk(char* tile, int line, int c) { return tile + (line * chunks + (c ^ ((line / lines_beside << shift) & (beside - 1)))) * 16; }

    DIMITY_DEVICE static void fill(char* tile, arguments const& args, X const* from, int rows_left, int terms_left) {
      DIMITY_UNROLL
      for (int l = 0; l < count; ++l) {
        int const i = static_cast<int>(threadIdx.x) + l * threads;
        if (!divides && i >= packets) continue;
        int const line = i / (inner / width), first = i % (inner / width) * width, row = along_terms ? line : first, term = along_terms ? first : line;
        bool const there = (rows_fit || row < rows_left) && (terms_fit || term < terms_left);
        char* const to = chunk(tile, line, first / E) + first % E * static_cast<int>(sizeof(X));
        X const* const source = there ? from + row * base::template number<lies::row_stride>(args) + term * base::template number<lies::term_stride>(args) : from;
        if constexpr (sizeof(packet) >= 4) copy_async<sizeof(packet)>(to, source, there);
        else if (there) *reinterpret_cast<packet*>(to) = *reinterpret_cast<packet const*>(source);
        else *reinterpret_cast<packet*>(to) = packet{};
      }
    }
    DIMITY_DEVICE static std::uint32_t element(char* tile, int row, int term) { return reinterpret_cast<std::uint32_t const*>(chunk(tile, term, row / E))[row % E]; }

    /// What the lanes of a warp hold of 16 rows and `terms_at_once` terms: of `a` in the order of its registers; of `b` one register for each half of the terms, of 8 columns and of the 8 behind them.
    DIMITY_DEVICE static void read(std::uint32_t (&to)[4], char* tile, int row, int term) {
      int const lane = static_cast<int>(threadIdx.x) % 32;
      // Which eight rows, and which half of the terms, lane's address is about: registers 1 and 2 change places between the operands.
      int const second = lane / 8 % 2, last = lane / 16, rows_on = Operand == 0 ? second : last, terms_on = Operand == 0 ? last : second;
      if constexpr (along_terms) {
        load_matrices<false>(to, chunk(tile, row + rows_on * 8 + lane % 8, term / E + terms_on));
      } else if constexpr (sizeof(X) == 2) {
        load_matrices<true>(to, chunk(tile, term + terms_on * 8 + lane % 8, row / E + rows_on));
      } else if constexpr (sizeof(X) == 1) {
        DIMITY_UNROLL
        for (int j = 0; j < 4; ++j) {
          int const rows_further = Operand == 0 ? j % 2 : j / 2, terms_further = Operand == 0 ? j / 2 : j % 2;
          int const line = term + terms_further * 16 + lane % 4 * 4, at = row + rows_further * 8 + lane / 4;
          to[j] = 0;
          DIMITY_UNROLL
          for (int l = 0; l < 4; ++l) to[j] |= static_cast<std::uint32_t>(static_cast<unsigned char>(chunk(tile, line + l, at / E)[at % E])) << 8 * l;
        }
      } else {
        DIMITY_UNROLL
        for (int j = 0; j < 4; ++j) {
          int const rows_further = Operand == 0 ? j % 2 : j / 2, terms_further = Operand == 0 ? j / 2 : j % 2;
          to[j] = element(tile, row + rows_further * 8 + lane / 4, term + terms_further * 4 + lane % 4);
        }
      }
      if constexpr (sizeof(X) == 4) {
        DIMITY_UNROLL
        for (int j = 0; j < 4; ++j) to[j] = round_to_tensor_float32(to[j]);
      }
    }
  };
  using a_side = side<0>;
  using b_side = side<1>;
  static constexpr int stage_bytes = a_side::bytes + b_side::bytes, stages = 49152 / stage_bytes < 4 ? 49152 / stage_bytes : 4;
  static_assert(stages >= 3);

  /// Operands of 8 bits become two of float16 each. In which order the terms are taken does not matter, as long as both operands have the same: those of the lower bytes' registers first.
  DIMITY_DEVICE static void multiply_any(tile_results& sums, tile_operand_a const& a, tile_operand_b const& b) {
    if constexpr (sizeof(X) == 1) {
      DIMITY_UNROLL
      for (int half = 0; half < 2; ++half) {
        std::uint32_t rows[2], rows_below[2], columns[2];
        widen_to_halves(X{}, a[2 * half], rows);
        widen_to_halves(X{}, a[2 * half + 1], rows_below);
        widen_to_halves(X{}, b[half], columns);
        tile_operand_a const wide_a = {rows[0], rows_below[0], rows[1], rows_below[1]};
        tile_operand_b const wide_b = {columns[0], columns[1]};
        multiply_tiles<float16>(sums, wide_a, wide_b);
      }
    } else {
      multiply_tiles<multiplied>(sums, a, b);
    }
  }
  DIMITY_DEVICE static void multiply(tile_results (&sums)[WM / 16][WN / 8], char* a_tile, char* b_tile, int row, int column) {
    DIMITY_UNROLL
    for (int term = 0; term < BK; term += terms_at_once) {
      tile_operand_a a[WM / 16];
      DIMITY_UNROLL
      for (int i = 0; i < WM / 16; ++i) a_side::read(a[i], a_tile, row + i * 16, term);
      DIMITY_UNROLL
      for (int j = 0; j < WN / 8; j += 2) {
        std::uint32_t b[4];
        b_side::read(b, b_tile, column + j * 8, term);
        tile_operand_b const first = {b[0], b[1]}, second = {b[2], b[3]};
        DIMITY_UNROLL
        for (int i = 0; i < WM / 16; ++i) {
          multiply_any(sums[i][j], a[i], first);
          multiply_any(sums[i][j + 1], a[i], second);
        }
      }
    }
  }

  DIMITY_DEVICE static void run(arguments const& args) {
    alignas(128) __shared__ char shared[stages * stage_bytes];
    auto const p = base::place_of_block(args);
    X const* const a = static_cast<X const*>(args.p[0]) + base::template number<Code::a_offset>(args) + p.a + p.row * base::template number<Code::a_row>(args);
    X const* const b = static_cast<X const*>(args.p[1]) + base::template number<Code::b_offset>(args) + p.b + p.column * base::template number<Code::b_column>(args);
    int const rows_left = static_cast<int>(base::template number<Code::m>(args)) - p.row, columns_left = static_cast<int>(base::template number<Code::n>(args)) - p.column, terms = static_cast<int>(base::template number<Code::k>(args));
    int const steps = (terms + (BK - 1)) / BK;
    auto const fill = [&](int step, int stage) {
      int const done = step * BK;
      a_side::fill(shared + stage * stage_bytes, args, a + done * base::template number<Code::a_column>(args), rows_left, terms - done);
      b_side::fill(shared + stage * stage_bytes + a_side::bytes, args, b + done * base::template number<Code::b_row>(args), columns_left, terms - done);
    };
    int const warp = static_cast<int>(threadIdx.x) / 32, row = warp / (BN / WN) * WM, column = warp % (BN / WN) * WN;

    tile_results sums[WM / 16][WN / 8];
    DIMITY_UNROLL
    for (int i = 0; i < WM / 16; ++i) {
      DIMITY_UNROLL
      for (int j = 0; j < WN / 8; ++j) {
        DIMITY_UNROLL
        for (int w = 0; w < 4; ++w) sums[i][j][w] = 0.0f;
      }
    }
    // A group of copies for each step, also where it is empty: the waits count groups.
    DIMITY_UNROLL
    for (int s = 0; s < stages - 1; ++s) {
      if (s < steps) fill(s, s);
      commit_copies();
    }
    int now = 0, next = stages - 1;
    DIMITY_NO_UNROLL
    for (int step = 0; step < steps; ++step) {
      wait_for_copies<stages - 2>();
      __syncthreads();  // everyone's copies are there, and the tile that is filled next has been read
      if (step + stages - 1 < steps) fill(step + stages - 1, next);
      commit_copies();
      multiply(sums, shared + now * stage_bytes, shared + now * stage_bytes + a_side::bytes, row, column);
      now = now + 1 == stages ? 0 : now + 1;
      next = next + 1 == stages ? 0 : next + 1;
    }
    // Neighbouring lanes have two results of a row each, and of the row 8 further down: they swap, so that each has four of one row.
    int const lane = static_cast<int>(threadIdx.x) % 32;
    bool const lower = lane % 2 != 0;
    DIMITY_UNROLL
    for (int i = 0; i < WM / 16; ++i) {
      DIMITY_UNROLL
      for (int j = 0; j < WN / 8; ++j) {
        tile_results const& s = sums[i][j];
        float const x = __shfl_xor_sync(~0u, lower ? s[0] : s[2], 1), y = __shfl_xor_sync(~0u, lower ? s[1] : s[3], 1);
        float const group[4] = {lower ? x : s[0], lower ? y : s[1], lower ? s[2] : x, lower ? s[3] : y};
        base::finish_group(args, p, group, row + i * 16 + lane / 4 + (lower ? 8 : 0), column + j * 8 + lane % 4 / 2 * 4);
      }
    }
  }
};

}  // namespace DIMITY_NAMESPACE::detail
