// Attention of 16-bit floats on the tensor cores: each of four warps keeps 16 lines of one operand in registers, as they come out of shared memory, while blocks of lines of the other pass, whose copies run one block ahead. Scores become
// probabilities in the registers that they are summed up in, which is where the next product takes its operand from (Dao, FlashAttention-2, 2023). Probabilities and the scores' cotangents are rounded to the stored type for it, as the
// operands of every such product are; sums, maxima and logarithms are floats.
#pragma once

#include <dimity/exec/cuda/attention.hpp>
#include <dimity/exec/cuda/tensor_core.hpp>

namespace DIMITY_NAMESPACE::detail {

template <int N>
inline constexpr int sixteens = (N + 15) / 16 * 16;

/// Tiles in shared memory, of lines of `First` elements, and of `Second` elements behind them if there are any: both up to whole products of tiles, and 16 bytes more, so that eight neighbouring lines lie in different banks.
template <int First, int Second, int Numbers>
struct attention_tile {
  static constexpr int stay = 64, threads = 128, warp_lines = 16, second_at = sixteens<First>, line = second_at + sixteens<Second> + 8;
  /// Two blocks of passing lines, and of `Numbers` floats of each, in the 48 KiB that every block may have.
  static constexpr int bytes(int lines) { return 2 * lines * (2 * line + 4 * Numbers); }
  static constexpr int pass = bytes(64) <= 48 * 1024 ? 64 : 32, elements = pass * line;
  static_assert(bytes(pass) <= 48 * 1024 && stay <= 2 * pass);
};

/// What a warp reads of tiles with lines of `Line` elements.
template <class X, int Line>
struct attention_warp {
  DIMITY_DEVICE static int lane() { return static_cast<int>(threadIdx.x) % 32; }
  /// The left operand: 16 lines, 16 elements of each.
  DIMITY_DEVICE static void read_left(tile_operand_a& to, X const* tile, int line, int element) { load_matrices<false>(to, tile + (line + lane() % 16) * Line + element + lane() / 16 * 8); }
  /// The right operand as 16 columns that are lines, or whose elements are one from each line: registers of the first eight columns, then of the others.
  DIMITY_DEVICE static void read_lines(std::uint32_t (&to)[4], X const* tile, int line, int element) { load_matrices<false>(to, tile + (line + lane() / 16 * 8 + lane() % 8) * Line + element + lane() / 8 % 2 * 8); }
  DIMITY_DEVICE static void read_across(std::uint32_t (&to)[4], X const* tile, int line, int element) { load_matrices<true>(to, tile + (line + lane() % 16) * Line + element + lane() / 16 * 8); }

  DIMITY_DEVICE static void multiply_both(tile_results (&sums)[2], tile_operand_a const& a, std::uint32_t const (&b)[4]) {
    tile_operand_b const first = {b[0], b[1]}, second = {b[2], b[3]};
    multiply_tiles<X>(sums[0], a, first);
    multiply_tiles<X>(sums[1], a, second);
  }
  /// Products of 16 lines that stay with 16 that pass.
  template <int Steps>
  DIMITY_DEVICE static void multiply(tile_results (&sums)[2], tile_operand_a const (&a)[Steps], X const* tile, int line, int element) {
    DIMITY_UNROLL
    for (int j = 0; j < 2; ++j) {
      DIMITY_UNROLL
      for (int w = 0; w < 4; ++w) sums[j][w] = 0.0f;
    }
    DIMITY_UNROLL
    for (int c = 0; c < Steps; ++c) {
      std::uint32_t b[4];
      read_lines(b, tile, line, element + 16 * c);
      multiply_both(sums, a[c], b);
    }
  }
  /// Adds 16 lines that pass as often as `weights` says.
  template <int Steps>
  DIMITY_DEVICE static void add(tile_results (&sums)[Steps][2], tile_operand_a const& weights, X const* tile, int line, int element) {
    DIMITY_UNROLL
    for (int c = 0; c < Steps; ++c) {
      std::uint32_t b[4];
      read_across(b, tile, line, element + 16 * c);
      multiply_both(sums[c], weights, b);
    }
  }
  /// Results of a product as the left operand of the next.
  DIMITY_DEVICE static void turn(tile_operand_a& to, tile_results const (&from)[2]) {
    DIMITY_UNROLL
    for (int j = 0; j < 2; ++j) {
      to[2 * j] = narrow_pair<X>(from[j][0], from[j][1]);
      to[2 * j + 1] = narrow_pair<X>(from[j][2], from[j][3]);
    }
  }
  template <int Steps>
  DIMITY_DEVICE static void clear(tile_results (&sums)[Steps][2]) {
    DIMITY_UNROLL
    for (int c = 0; c < Steps; ++c) {
      DIMITY_UNROLL
      for (int j = 0; j < 2; ++j) {
        DIMITY_UNROLL
        for (int w = 0; w < 4; ++w) sums[c][j][w] = 0.0f;
      }
    }
  }
  /// Writes `Width` sums, times `factor`, of row lane / 4, or of the row 8 further down.
  template <int Width, bool Pairs, class T, int Steps>
  DIMITY_DEVICE static void store(T* to, tile_results const (&sums)[Steps][2], int lower, float factor) {
    DIMITY_UNROLL
    for (int c = 0; c < Steps; ++c) {
      DIMITY_UNROLL
      for (int j = 0; j < 2; ++j) {
        int const column = 16 * c + 8 * j + lane() % 4 * 2;
        float const first = (lower != 0 ? sums[c][j][2] : sums[c][j][0]) * factor, second = (lower != 0 ? sums[c][j][3] : sums[c][j][1]) * factor;
        if constexpr (Pairs) {
          // As one number: nvcc does not find out that the two stores of a pack of them are one.
          using word = std::conditional_t<sizeof(T) == 2, std::uint32_t, std::uint64_t>;
          word both;
          if constexpr (sizeof(T) == 2) both = narrow_pair<T>(first, second);
          else both = bits_of_float(first) | static_cast<word>(bits_of_float(second)) << 32;
          if (16 * c + 8 * j + 8 <= Width || column < Width) *reinterpret_cast<word*>(to + column) = both;
        } else {
          if (column < Width) to[column] = device_cast<T>(first);
          if (column + 1 < Width) to[column + 1] = device_cast<T>(second);
        }
      }
    }
  }
};

/// attention_lines with tiles of 16-bit elements.
template <class Code, int Stays, class Tile>
struct tensor_attention_lines : attention_lines<Code, Stays, Tile::stay> {
  using base = attention_lines<Code, Stays, Tile::stay>;
  using typename base::arguments;
  using X = typename Code::template element<0>;
  template <int K>
  static constexpr bool is_unaligned = (Code::attribute >> (attention_words::unaligned_at + K) & 1) != 0;
  /// Elements that are copied at once of lines of `Width` elements, from element `From` of each.
  template <int K, int From, int Width>
  static constexpr int packet = [] {
    int w = is_unaligned<K> || Code::template stride<K, 2> != 1 ? 1 : 8;
    for (std::int64_t const word : {Code::template stride<K, 0>, Code::template stride<K, 1>, Code::template offset<K>})
      while (w > 1 && factor_of(word) % w != 0) w /= 2;
    while (w > 1 && (Width % w != 0 || From % w != 0)) w /= 2;
    return w;
  }();
  /// Copies `Width` elements, from element `From`, of each of `Lines` lines to a tile: zeros behind them, up to whole products of tiles, and in lines behind the last one.
  template <int K, int Lines, int From, int Width>
  DIMITY_DEVICE static void fill(X* to, arguments const& args, int entry, int first) {
    constexpr int wide = sixteens<Width>, w = packet<K, From, Width>;
    X const* const from = base::template entry<K>(args, entry);
    long long const stride = base::template stride<K>(args), step = base::template step<K>(args);
    int const left = base::template count<K>(args) - first;
    // Not unrolled: nobody waits for the copies here, and registers are what the products need.
    DIMITY_NO_UNROLL
    for (int i = static_cast<int>(threadIdx.x); i < Lines * (wide / w); i += Tile::threads) {
      int const line = i / (wide / w), c = i % (wide / w) * w;
      bool const there = line < left && c < Width;
      X* const at = to + line * Tile::line + c;
      X const* const source = there ? from + (first + line) * stride + (From + c) * step : from;
      if constexpr (w > 1) copy_async<2 * w>(at, source, there);
      else if (there) *at = *source;
      else at->bits = 0;
    }
  }
  static constexpr float logarithm_of_2 = 0.693147180559945309f;
  /// Without a mask scores are in units in which exponentials are powers of 2; with one, which might be too large there, they are as they are.
  static constexpr float unit = base::parts::has_mask ? 1.0f : logarithm_of_2, factor = base::scale / unit;
  static constexpr float lowest = base::parts::has_mask ? base::lowest : -1e30f;
  DIMITY_DEVICE static float exponential(float difference) {
    if constexpr (base::parts::has_mask) return power_of_2(difference * (1.0f / logarithm_of_2));
    else return power_of_2(difference);
  }
  /// Products of queries and keys become scores, -infinity where these do not meet; `most` becomes as large as the largest of its row.
  DIMITY_DEVICE static void scale_scores(tile_results (&scores)[2], float (&most)[2], arguments const& args, int entry, int first_query, int first_key, bool all_meet, int query_count, int key_count) {
    int const lane = static_cast<int>(threadIdx.x) % 32;
    DIMITY_UNROLL
    for (int i = 0; i < 8; ++i) {
      float& score = scores[i / 4][i % 4];
      int const key = first_key + i / 4 * 8 + lane % 4 * 2 + i % 2, row = i / 2 % 2, query = first_query + lane / 4 + 8 * row;
      bool const meet = all_meet || (key < key_count && (!base::causal || key <= query) && (!base::parts::has_mask || query < query_count));
      score = base::masked_score(args, entry, query, key, meet, score * factor);
      most[row] = device_reduction<primitive::max, float>::join(most[row], score);
    }
  }
  /// By an exchange, so that the compiler knows it to be the same for all lanes: branches on it do not divide them.
  DIMITY_DEVICE static int warp_line() { return __shfl_sync(~0u, static_cast<int>(threadIdx.x) / 32 * Tile::warp_lines, 0); }
};

template <class Code>
struct tensor_attention_shape : attention_parts<Code> {
  using tile = attention_tile<attention_parts<Code>::length, attention_parts<Code>::values, 0>;
};
/// As attention_kernel.
template <class Code>
struct tensor_attention_kernel : tensor_attention_lines<Code, 0, typename tensor_attention_shape<Code>::tile> {
  using shape = tensor_attention_shape<Code>;
  using tile = typename shape::tile;
  using base = tensor_attention_lines<Code, 0, tile>;
  using typename base::arguments, typename base::X;
  using warp = attention_warp<X, tile::line>;
  static constexpr int threads = tile::threads, pass = tile::pass, length = shape::length, values = shape::values, steps = tile::second_at / 16, value_steps = sixteens<values> / 16;

  DIMITY_DEVICE static void fill(X* to, arguments const& args, int entry, int first) {
    base::template fill<1, pass, 0, length>(to, args, entry, first);
    base::template fill<shape::values_operand, pass, shape::values_from, values>(to + tile::second_at, args, entry, first);
    commit_copies();
  }
  DIMITY_DEVICE static void run(arguments const& args) {
    alignas(16) __shared__ X tiles[2 * tile::elements];
    auto const p = base::place_of_block(args);
    int const query_count = base::template count<0>(args), key_count = base::template count<1>(args), lane = warp::lane(), lines = base::warp_line(), own = p.first + lines;
    base::template fill<0, tile::stay, 0, length>(tiles, args, p.entry, p.first);
    commit_copies();
    wait_for_copies<0>();
    __syncthreads();
    tile_operand_a queries[steps];
    DIMITY_UNROLL
    for (int c = 0; c < steps; ++c) warp::read_left(queries[c], tiles, lines, 16 * c);
    __syncthreads();  // everyone has read, and keys come to the same place
    // Of the rows lane / 4 and 8 further down: the largest score so far, and this lane's part of their sum.
    float largest[2] = {base::lowest, base::lowest}, sums[2] = {0.0f, 0.0f};
    tile_results all[value_steps][2];
    warp::clear(all);
    // No query of the block takes a key behind its last one.
    int const end = base::causal && p.first + tile::stay < key_count ? p.first + tile::stay : key_count;
    fill(tiles, args, p.entry, 0);
    int now = 0;
    DIMITY_NO_UNROLL
    for (int first = 0; first < end; first += pass) {
      wait_for_copies<0>();
      __syncthreads();  // everyone's copies are there, and the tile that is filled next has been read
      if (first + pass < end) fill(tiles + (1 - now) * tile::elements, args, p.entry, first + pass);
      X const* const keys = tiles + now * tile::elements;
      now = 1 - now;
      if (base::causal && first > own + 15) continue;
      tile_results scores[pass / 16][2];
      float most[2] = {largest[0], largest[1]};
      bool const all_meet = !shape::has_mask && first + pass <= key_count && (!base::causal || first + pass - 1 <= own);
      DIMITY_UNROLL
      for (int k = 0; k < pass / 16; ++k) {
        warp::multiply(scores[k], queries, keys, 16 * k, 0);
        base::scale_scores(scores[k], most, args, p.entry, own, first + 16 * k, all_meet, query_count, key_count);
      }
      DIMITY_UNROLL
      for (int row = 0; row < 2; ++row) {
        most[row] = join_across_warp<primitive::max, 4>(most[row]);
        float const shrink = base::exponential(largest[row] - most[row]);
        largest[row] = most[row];
        sums[row] *= shrink;
        DIMITY_UNROLL
        for (int c = 0; c < value_steps; ++c) {
          DIMITY_UNROLL
          for (int i = 0; i < 4; ++i) all[c][i / 2][2 * row + i % 2] *= shrink;
        }
      }
      DIMITY_UNROLL
      for (int k = 0; k < pass / 16; ++k) {
        DIMITY_UNROLL
        for (int i = 0; i < 8; ++i) {
          float& score = scores[k][i / 4][i % 4];
          score = base::exponential(score - largest[i / 2 % 2]);
          sums[i / 2 % 2] += score;
        }
        tile_operand_a weights;
        warp::turn(weights, scores[k]);
        warp::add(all, weights, keys, 16 * k, tile::second_at);
      }
    }
    DIMITY_UNROLL
    for (int row = 0; row < 2; ++row) {
      int const query = own + lane / 4 + 8 * row;
      float const sum = join_across_warp<primitive::sum, 4>(sums[row]);
      if (query >= query_count) continue;
      long long const line = static_cast<long long>(p.entry) * query_count + query;
      warp::template store<values, values % 2 == 0 && !base::template is_unaligned<Code::operands>>(base::result(args) + line * values, all, row, sum == 0.0f ? 0.0f : 1.0f / sum);  // a row that takes no key gives 0
    }
  }
};

template <class Code>
struct tensor_attention_gradient_shape : attention_parts<Code> {
  static constexpr int stays = attention_parts<Code>::op == primitive::attention_key_gradient ? 1 : 0;
  using tile = attention_tile<attention_parts<Code>::length, attention_parts<Code>::values, stays == 1 ? attention_parts<Code>::numbers : 0>;
};
/// What the kernels of gradients have in common.
template <class Code>
struct tensor_attention_gradient_lines : tensor_attention_lines<Code, tensor_attention_gradient_shape<Code>::stays, typename tensor_attention_gradient_shape<Code>::tile> {
  using shape = tensor_attention_gradient_shape<Code>;
  using tile = typename shape::tile;
  static constexpr int stays = shape::stays, passes = 1 - stays;
  using base = tensor_attention_lines<Code, stays, tile>;
  using typename base::arguments, typename base::X;
  using warp = attention_warp<X, tile::line>;
  static constexpr int threads = tile::threads, pass = tile::pass, length = shape::length, values = shape::values, steps = tile::second_at / 16, value_steps = sixteens<values> / 16;

  template <int K, int Lines>
  DIMITY_DEVICE static void fill(X* to, arguments const& args, int entry, int first) {
    base::template fill<K, Lines, 0, length>(to, args, entry, first);
    base::template fill<K, Lines, length, values>(to + tile::second_at, args, entry, first);
    commit_copies();
  }
  /// The lines that stay, out of shared memory, which is free then.
  DIMITY_DEVICE static void read_staying(tile_operand_a (&lengths)[steps], tile_operand_a (&others)[value_steps], X* tiles, arguments const& args, int entry, int first) {
    fill<stays, tile::stay>(tiles, args, entry, first);
    wait_for_copies<0>();
    __syncthreads();
    int const lines = base::warp_line();
    DIMITY_UNROLL
    for (int c = 0; c < steps; ++c) warp::read_left(lengths[c], tiles, lines, 16 * c);
    DIMITY_UNROLL
    for (int c = 0; c < value_steps; ++c) warp::read_left(others[c], tiles, lines, tile::second_at + 16 * c);
    __syncthreads();
  }
};

/// As attention_sums_kernel.
template <class Code>
struct tensor_attention_sums_kernel : tensor_attention_gradient_lines<Code> {
  using common = tensor_attention_gradient_lines<Code>;
  using typename common::arguments, typename common::X, typename common::base, typename common::warp, typename common::tile, typename common::shape;
  using common::pass, common::steps, common::value_steps;

  DIMITY_DEVICE static void run(arguments const& args) {
    alignas(16) __shared__ X tiles[2 * tile::elements];
    auto const p = base::place_of_block(args);
    int const query_count = base::template count<0>(args), key_count = base::template count<1>(args), lane = warp::lane(), own = p.first + base::warp_line();
    tile_operand_a lengths[steps], cotangents[value_steps];
    common::read_staying(lengths, cotangents, tiles, args, p.entry, p.first);
    float largest[2] = {base::lowest, base::lowest}, sums[2] = {0.0f, 0.0f}, sums_of_products[2] = {0.0f, 0.0f};
    int const end = base::causal && p.first + tile::stay < key_count ? p.first + tile::stay : key_count;
    common::template fill<1, pass>(tiles, args, p.entry, 0);
    int now = 0;
    DIMITY_NO_UNROLL
    for (int first = 0; first < end; first += pass) {
      wait_for_copies<0>();
      __syncthreads();  // everyone's copies are there, and the tile that is filled next has been read
      if (first + pass < end) common::template fill<1, pass>(tiles + (1 - now) * tile::elements, args, p.entry, first + pass);
      X const* const keys = tiles + now * tile::elements;
      now = 1 - now;
      if (base::causal && first > own + 15) continue;
      tile_results scores[pass / 16][2];
      float most[2] = {largest[0], largest[1]};
      bool const all_meet = !shape::has_mask && first + pass <= key_count && (!base::causal || first + pass - 1 <= own);
      DIMITY_UNROLL
      for (int k = 0; k < pass / 16; ++k) {
        warp::multiply(scores[k], lengths, keys, 16 * k, 0);
        base::scale_scores(scores[k], most, args, p.entry, own, first + 16 * k, all_meet, query_count, key_count);
      }
      DIMITY_UNROLL
      for (int row = 0; row < 2; ++row) {
        most[row] = join_across_warp<primitive::max, 4>(most[row]);
        float const shrink = base::exponential(largest[row] - most[row]);
        largest[row] = most[row];
        sums[row] *= shrink;
        sums_of_products[row] *= shrink;
      }
      DIMITY_UNROLL
      for (int k = 0; k < pass / 16; ++k) {
        tile_results products[2];
        warp::multiply(products, cotangents, keys, 16 * k, tile::second_at);
        DIMITY_UNROLL
        for (int i = 0; i < 8; ++i) {
          int const row = i / 2 % 2;
          float const e = base::exponential(scores[k][i / 4][i % 4] - largest[row]);
          sums[row] += e;
          sums_of_products[row] += e * products[i / 4][i % 4];
        }
      }
    }
    DIMITY_UNROLL
    for (int row = 0; row < 2; ++row) {
      int const query = own + lane / 4 + 8 * row;
      float const sum = join_across_warp<primitive::sum, 4>(sums[row]), sum_of_products = join_across_warp<primitive::sum, 4>(sums_of_products[row]);
      if (query >= query_count || lane % 4 != 0) continue;
      auto* const to = base::result(args) + (static_cast<long long>(p.entry) * query_count + query) * shape::numbers;
      base::store_numbers(to, largest[row] * base::unit, device_unary<primitive::log, base::precision>(sum), sum, sum_of_products);
    }
  }
};

/// As attention_gradient_kernel. Where keys stay, scores are those of keys with queries, as columns.
template <class Code>
struct tensor_attention_gradient_kernel : tensor_attention_gradient_lines<Code> {
  using common = tensor_attention_gradient_lines<Code>;
  using typename common::arguments, typename common::X, typename common::base, typename common::warp, typename common::tile, typename common::shape;
  using common::stays, common::passes, common::pass, common::length, common::values, common::steps, common::value_steps;
  static constexpr bool queries_stay = stays == 0;

  struct two_numbers {
    float logarithm, delta;
    static constexpr float largest = 0.0f;
  };
  struct three_numbers {
    float logarithm, delta, largest;
  };
  using query_numbers = std::conditional_t<shape::has_mask, three_numbers, two_numbers>;
  /// The logarithm in units of scores. Of a query that is not there, such that its probabilities are 0.
  DIMITY_DEVICE static query_numbers numbers_of(arguments const& args, int entry, int query) {
    query_numbers all{};
    all.logarithm = static_cast<float>(logarithm_of_nothing);
    if (query >= base::template count<0>(args)) return all;
    all.logarithm = base::number_of(args, entry, query, 0) * (1.0f / base::unit);
    all.delta = base::number_of(args, entry, query, 1);
    if constexpr (shape::has_mask) all.largest = base::number_of(args, entry, query, 2);
    return all;
  }
  DIMITY_DEVICE static void fill_numbers([[maybe_unused]] query_numbers* to, [[maybe_unused]] arguments const& args, [[maybe_unused]] int entry, [[maybe_unused]] int first) {
    if constexpr (!queries_stay)
      if (int const i = static_cast<int>(threadIdx.x); i < pass) to[i] = numbers_of(args, entry, first + i);
  }

  DIMITY_DEVICE static void run(arguments const& args) {
    alignas(16) __shared__ X tiles[2 * tile::elements];
    __shared__ query_numbers numbers[queries_stay ? 1 : 2 * pass];
    auto const p = base::place_of_block(args);
    int const stay_count = base::template count<stays>(args), pass_count = base::template count<passes>(args), lane = warp::lane(), own = p.first + base::warp_line();
    tile_operand_a lengths[steps], others[value_steps];
    common::read_staying(lengths, others, tiles, args, p.entry, p.first);
    query_numbers own_numbers[2] = {};
    if constexpr (queries_stay) {
      DIMITY_UNROLL
      for (int row = 0; row < 2; ++row) own_numbers[row] = numbers_of(args, p.entry, own + lane / 4 + 8 * row);
    }
    tile_results of_lengths[steps][2], of_values[queries_stay ? 1 : value_steps][2];
    warp::clear(of_lengths);
    warp::clear(of_values);
    // Keys behind the last query of the block, or queries before its first key, have no part in it.
    int const begin = base::causal && !queries_stay ? p.first / pass * pass : 0, end = base::causal && queries_stay && p.first + tile::stay < pass_count ? p.first + tile::stay : pass_count;
    common::template fill<passes, pass>(tiles, args, p.entry, begin);
    fill_numbers(numbers, args, p.entry, begin);
    int now = 0;
    DIMITY_NO_UNROLL
    for (int first = begin; first < end; first += pass) {
      wait_for_copies<0>();
      __syncthreads();  // everyone's copies are there, and the tile that is filled next has been read
      if (first + pass < end) {
        common::template fill<passes, pass>(tiles + (1 - now) * tile::elements, args, p.entry, first + pass);
        fill_numbers(numbers + (queries_stay ? 0 : (1 - now) * pass), args, p.entry, first + pass);
      }
      X const* const passing = tiles + now * tile::elements;
      query_numbers const* const their_numbers = numbers + (queries_stay ? 0 : now * pass);
      now = 1 - now;
      if (base::causal && (queries_stay ? first > own + 15 : first + pass - 1 < own)) continue;
      bool const all_meet = !shape::has_mask && first + pass <= pass_count && (!base::causal || (queries_stay ? first + pass - 1 <= own : own + 15 <= first));
      DIMITY_NO_UNROLL
      for (int k = 0; k < pass; k += 16) {
        tile_results scores[2], products[2];
        warp::multiply(scores, lengths, passing, k, 0);
        warp::multiply(products, others, passing, k, tile::second_at);
        DIMITY_UNROLL
        for (int i = 0; i < 8; ++i) {
          int const row = i / 2 % 2, there = k + i / 4 * 8 + lane % 4 * 2 + i % 2, here = own + lane / 4 + 8 * row;
          int const query = queries_stay ? here : first + there, key = queries_stay ? first + there : here;
          query_numbers const of_query = queries_stay ? own_numbers[row] : their_numbers[there];
          bool const meet = all_meet || (first + there < pass_count && (!base::causal || key <= query) && (!shape::has_mask || here < stay_count));
          float& score = scores[i / 4][i % 4];
          score = base::exponential(base::below_largest(base::masked_score(args, p.entry, query, key, meet, score * base::factor), of_query.largest) - of_query.logarithm);
          float& product = products[i / 4][i % 4];
          product = score * (product - of_query.delta);  // times the scale at the end, where no range of 16 bits is lost by it
        }
        tile_operand_a weights;
        if constexpr (!queries_stay) {
          warp::turn(weights, scores);
          warp::add(of_values, weights, passing, k, tile::second_at);
        }
        warp::turn(weights, products);
        warp::add(of_lengths, weights, passing, k, 0);
      }
    }
    constexpr int width = queries_stay ? length : length + values;
    constexpr bool pairs = length % 2 == 0 && width % 2 == 0 && !base::template is_unaligned<Code::operands>;
    DIMITY_UNROLL
    for (int row = 0; row < 2; ++row) {
      int const line = own + lane / 4 + 8 * row;
      if (line >= stay_count) continue;
      auto* const to = base::result(args) + (static_cast<long long>(p.entry) * stay_count + line) * width;
      warp::template store<length, pairs>(to, of_lengths, row, base::scale);
      if constexpr (!queries_stay) warp::template store<values, pairs>(to + length, of_values, row, 1.0f);
    }
  }
};

/// Products of floats of 16 bits are exact in the sums, but what is between two of them is rounded, which is not for the strict executor.
template <class Code>
inline constexpr bool attends_on_tensor_cores = sizeof(typename Code::template element<0>) == 2 && static_cast<cuda_precision>(Code::attribute >> attention_words::precision_at & 3) != cuda_precision::strict;
template <class Code>
using attention_kernel_of = std::conditional_t<attends_on_tensor_cores<Code>, tensor_attention_kernel<Code>, attention_kernel<Code>>;
template <class Code>
using attention_sums_kernel_of = std::conditional_t<attends_on_tensor_cores<Code>, tensor_attention_sums_kernel<Code>, attention_sums_kernel<Code>>;
template <class Code>
using attention_gradient_kernel_of = std::conditional_t<attends_on_tensor_cores<Code>, tensor_attention_gradient_kernel<Code>, attention_gradient_kernel<Code>>;

}  // namespace DIMITY_NAMESPACE::detail
