// Attention without its scores in memory (program/emit_attention.hpp): a block of threads keeps some lines of one operand in shared memory and passes those of the other by them; scores and probabilities stay in registers and shared memory.
// Forwards the softmax is a running one, backwards probabilities come again from the logarithms of their rows' sums (Dao, FlashAttention-2, 2023). On the ordinary units, in float, whatever elements are stored as; exec/cuda/tensor_attention.hpp does the same on the tensor cores.
#pragma once

#include <dimity/exec/cuda/primitives.hpp>
#include <dimity/program/emit_attention.hpp>

namespace DIMITY_NAMESPACE::detail {

/// Lines that stay, lines that pass at a time.
struct attention_block {
  int stay, pass;
};
/// The largest that fits the 48 KiB of shared memory that every block may have.
constexpr attention_block block_of_attention(int staying_width, int passing_width) {
  constexpr attention_block blocks[] = {{64, 32}, {32, 32}, {32, 16}, {16, 16}};
  for (attention_block const b : blocks)
    if (4 * (b.stay * staying_width + b.pass * passing_width + b.stay * (b.pass + 4)) <= 48 * 1024) return b;
  return {0, 0};
}
/// Up to whole packets.
template <int N>
inline constexpr int fours = (N + 3) / 4 * 4;
/// Floats from one line to the next: an odd number of packets, so that eight neighbouring lines lie in different banks.
template <int Width>
inline constexpr int line_of_shared_memory = fours<Width> % 8 == 0 ? fours<Width> + 4 : fours<Width>;

/// 128 threads as 16 by 8: thread (y, x) has the lines y, y + 16, ... of those that stay, and of their scores the columns x, x + 8, ...
template <int Stay, int Pass>
struct attention_threads {
  static constexpr int threads = 128, rows = Stay / 16, columns = Pass / 8;
  using four = pack<float, 4>;
  DIMITY_DEVICE static int y() { return static_cast<int>(threadIdx.x) / 8; }
  DIMITY_DEVICE static int x() { return static_cast<int>(threadIdx.x) % 8; }

  /// Copies `Width` elements, as floats, zeros behind them up to a packet, of each of `Lines` lines; lines behind the last one are zeros.
  template <int Lines, int Width, int Line, class X>
  DIMITY_DEVICE static void fill(float* to, X const* from, long long stride, long long step, int lines_left) {
    constexpr int width = fours<Width>;
    DIMITY_NO_UNROLL
    for (int i = static_cast<int>(threadIdx.x); i < Lines * width; i += threads) {
      int const line = i / width, c = i % width;
      to[line * Line + c] = line < lines_left && c < Width ? device_cast<float>(from[line * stride + c * step]) : 0.0f;
    }
  }

  /// Products of lines, Width floats each.
  template <int Width, int StayLine, int PassLine>
  DIMITY_DEVICE static void multiply(float (&sums)[rows][columns], float const* stays, float const* passes) {
    DIMITY_UNROLL
    for (int i = 0; i < rows; ++i) {
      DIMITY_UNROLL
      for (int j = 0; j < columns; ++j) sums[i][j] = 0.0f;
    }
    DIMITY_NO_UNROLL
    for (int c = 0; c < fours<Width>; c += 4) {
      four a[rows], b[columns];
      DIMITY_UNROLL
      for (int i = 0; i < rows; ++i) a[i] = *reinterpret_cast<four const*>(stays + (y() + 16 * i) * StayLine + c);
      DIMITY_UNROLL
      for (int j = 0; j < columns; ++j) b[j] = *reinterpret_cast<four const*>(passes + (x() + 8 * j) * PassLine + c);
      DIMITY_UNROLL
      for (int i = 0; i < rows; ++i) {
        DIMITY_UNROLL
        for (int j = 0; j < columns; ++j) {
          DIMITY_UNROLL
          for (int w = 0; w < 4; ++w) sums[i][j] += a[i].v[w] * b[j].v[w];
        }
      }
    }
  }

  /// Sums for each line that stays: Width floats, of which thread (y, x) has the packets x, x + 8, ...
  template <int Width>
  struct totals {
    static constexpr int packets = (fours<Width> + 31) / 32;
    four of[rows][packets];

    DIMITY_DEVICE void clear() {
      DIMITY_UNROLL
      for (int i = 0; i < rows; ++i) {
        DIMITY_UNROLL
        for (int g = 0; g < packets; ++g) of[i][g] = four{};
      }
    }
    DIMITY_DEVICE static bool is_there(int g) { return fours<Width> % 32 == 0 || 4 * x() + 32 * g < fours<Width>; }
    /// Adds the lines that pass, as often as `weights` says, which the threads of a line have put there.
    template <int PassLine>
    DIMITY_DEVICE void add(float const* weights, float const* passes) {
      DIMITY_NO_UNROLL
      for (int j = 0; j < Pass; j += 4) {
        four w[rows];
        DIMITY_UNROLL
        for (int i = 0; i < rows; ++i) w[i] = *reinterpret_cast<four const*>(weights + (y() + 16 * i) * (Pass + 4) + j);
        DIMITY_UNROLL
        for (int l = 0; l < 4; ++l) {
          DIMITY_UNROLL
          for (int g = 0; g < packets; ++g) {
            if (!is_there(g)) continue;
            four const v = *reinterpret_cast<four const*>(passes + (j + l) * PassLine + 4 * x() + 32 * g);
            DIMITY_UNROLL
            for (int i = 0; i < rows; ++i) {
              DIMITY_UNROLL
              for (int k = 0; k < 4; ++k) of[i][g].v[k] += w[i].v[l] * v.v[k];
            }
          }
        }
      }
    }
    template <class X>
    DIMITY_DEVICE void store(X* to, int i, float scale) const {
      DIMITY_UNROLL
      for (int g = 0; g < packets; ++g) {
        DIMITY_UNROLL
        for (int k = 0; k < 4; ++k)
          if (int const c = 4 * x() + 32 * g + k; c < Width) to[c] = device_cast<X>(of[i][g].v[k] * scale);
      }
    }
  };
};

/// What stands in the attribute beside attention_numbers: the executor's precision (two bits), and for each operand and the result whether it may begin anywhere.
struct attention_words {
  static constexpr int precision_at = bits_of_attention_numbers, unaligned_at = precision_at + 2;
};

/// Where the operands of a kernel of attention lie. Of attention: queries [n, t, d], keys [n, s, d], values [n, s, e]. Of the others: of each query [n, t, d + e] its elements and its result's cotangent, of each
/// key [n, s, d + e] its elements and its value; of gradients, what attention_sums makes of these [n, t, 2] too: the logarithm of the sum of the exponentials of a query's scores, and delta, the mean of the products of its result's cotangent
/// and values under their probabilities. With a mask, [n or 1, t or 1, s or 1], keys and values are one operand of attention too; the largest score of a query is a third number, which the logarithm is without then, and of gradients the numbers stand
/// behind what there is of a query, where that is stored in 16 bits as attention_on_gpu::in_parts makes them.
template <class Code>
struct attention_parts {
  static constexpr bool has_mask = is_masked_attention(Code::op);
  static constexpr primitive op = without_mask(Code::op);
  static constexpr int length = attention_numbers::of(Code::attribute).length;
  static constexpr int values_operand = op == primitive::attention && !has_mask ? 2 : 1, values_from = values_operand == 1 ? length : 0, values = static_cast<int>(Code::template extent<values_operand, 2>) - values_from;
  static constexpr int numbers_operand = has_mask ? 0 : 2, numbers_from = has_mask ? length + values : 0, numbers = has_mask ? 3 : 2;
  static constexpr bool numbers_in_parts = has_mask && sizeof(typename Code::template element<0>) == 2;
};

/// What kernels of attention have in common: a block of threads for each block of the lines of operand `Stays`, all entries one after the other.
template <class Code, int Stays, int Stay>
struct attention_lines : primitive_base<Code> {
  using base = primitive_base<Code>;
  using typename base::arguments;
  static constexpr bool causal = attention_numbers::of(Code::attribute).causal;
  static constexpr float scale = attention_numbers::of(Code::attribute).scale;
  static constexpr float lowest = static_cast<float>(lowest_score(dtype::float32));
  static constexpr cuda_precision precision = static_cast<cuda_precision>(Code::attribute >> attention_words::precision_at & 3);
  static constexpr std::int64_t entries = Code::template extent<Code::operands, 0>, lines = Code::template extent<Stays, 1>;
  static constexpr std::int64_t blocks = is_known_word(entries) && is_known_word(lines) ? entries * ((lines + Stay - 1) / Stay) : -1;
  static long long block_count(arguments const& args) {
    long long const each = (Code::template number<lines>(args) + Stay - 1) / Stay;
    return blocks_at_run_time(Code::template number<entries>(args) * each * Stay, Stay);
  }
  struct place {
    int entry, first;
  };
  DIMITY_DEVICE static place place_of_block(arguments const& args) {
    int const each = (static_cast<int>(Code::template number<lines>(args)) + (Stay - 1)) / Stay;
    int const block = static_cast<int>(blockIdx.x);
    return {block / each, block % each * Stay};
  }
  template <int K>
  DIMITY_DEVICE static auto const* entry(arguments const& args, int n) {
    return base::template operand<K>(args) + Code::template number<Code::template offset<K>>(args) + n * Code::template number<Code::template stride<K, 0>>(args);
  }
  template <int K>
  DIMITY_DEVICE static long long stride(arguments const& args) {
    return Code::template number<Code::template stride<K, 1>>(args);
  }
  template <int K>
  DIMITY_DEVICE static long long step(arguments const& args) {
    return Code::template number<Code::template stride<K, 2>>(args);
  }
  template <int K>
  DIMITY_DEVICE static int count(arguments const& args) {
    return static_cast<int>(Code::template number<Code::template extent<K, 1>>(args));
  }
  using parts = attention_parts<Code>;
  /// The logarithm (0), delta (1) or largest score (2) of a query.
  DIMITY_DEVICE static float number_of(arguments const& args, int n, int query, int which) {
    constexpr int from = parts::numbers_from;
    auto const* const of = entry<parts::numbers_operand>(args, n) + query * stride<parts::numbers_operand>(args);
    long long const apart = step<parts::numbers_operand>(args);
    if constexpr (parts::numbers_in_parts) {
      float const sum = device_cast<float>(of[(from + which) * apart]) + device_cast<float>(of[(from + 3 + which) * apart]) + (which == 0 ? 0.0f : device_cast<float>(of[(from + 5 + which) * apart]));
      return which == 2 ? sum * 256.0f : sum;
    } else {
      return of[(from + which) * apart];
    }
  }
  /// What a score lacks of the largest of its row, where there are masks; never above 0, so that one that is added up otherwise than the largest does not become huge where masks are.
  DIMITY_DEVICE static float below_largest(float score, [[maybe_unused]] float largest) {
    if constexpr (parts::has_mask) {
      float const rest = score - largest;
      return rest > 0.0f ? 0.0f : rest;
    } else {
      return score;
    }
  }
  /// The numbers of a query: of a row that takes no key such that its probabilities become 0 again.
  template <class X>
  DIMITY_DEVICE static void store_numbers(X* to, float largest, float logarithm, float sum, float sum_of_products) {
    to[0] = sum == 0.0f ? static_cast<float>(logarithm_of_nothing) : parts::has_mask ? logarithm : largest + logarithm;
    to[1] = sum == 0.0f ? 0.0f : sum_of_products / sum;
    if constexpr (parts::has_mask) to[2] = largest;
  }
  template <int Axis>
  DIMITY_DEVICE static long long mask_stride(arguments const& args) {
    if constexpr (Code::template extent<2, Axis> == 1) return 0;
    else return Code::template number<Code::template stride<2, Axis>>(args);
  }
  /// A score behind the mask; -infinity where query and key do not meet, of which one may not be there then. The mask is read without a branch.
  DIMITY_DEVICE static float masked_score(arguments const& args, int n, int query, int key, bool meet, float score) {
    float const nothing = -device_limits<float>::infinity;
    if constexpr (parts::has_mask) {
      query = meet ? query : 0;
      key = meet ? key : 0;
      auto const there = base::template operand<2>(args)[Code::template number<Code::template offset<2>>(args) + n * mask_stride<0>(args) + query * mask_stride<1>(args) + key * mask_stride<2>(args)];
      if constexpr (std::is_same_v<std::remove_cv_t<decltype(there)>, bool>) return meet && there ? score : nothing;
      else return meet ? score + there : nothing;
    } else {
      return meet ? score : nothing;
    }
  }
};

/// Results [n, t, e].
template <class Code>
struct attention_shape : attention_parts<Code> {
  using parts = attention_parts<Code>;
  using parts::length, parts::values;
  static constexpr int stay_line = line_of_shared_memory<length>, pass_line = line_of_shared_memory<fours<length> + values>;
  static constexpr attention_block block = block_of_attention(stay_line, pass_line);
  static_assert(block.stay > 0);
};
template <class Code>
struct attention_kernel : attention_lines<Code, 0, attention_shape<Code>::block.stay> {
  using shape = attention_shape<Code>;
  static constexpr int stay = shape::block.stay, pass = shape::block.pass, stay_line = shape::stay_line, pass_line = shape::pass_line, length = shape::length, values = shape::values;
  using base = attention_lines<Code, 0, stay>;
  using typename base::arguments;
  using team = attention_threads<stay, pass>;
  static constexpr int threads = team::threads, rows = team::rows, columns = team::columns;
  using totals = typename team::template totals<values>;

  DIMITY_DEVICE static void run(arguments const& args) {
    alignas(16) __shared__ float queries[stay * stay_line];
    alignas(16) __shared__ float keys[pass * pass_line];
    alignas(16) __shared__ float weights[stay * (pass + 4)];
    constexpr int of_values = shape::values_operand;
    auto const p = base::place_of_block(args);
    int const query_count = base::template count<0>(args), key_count = base::template count<1>(args);
    team::template fill<stay, length, stay_line>(queries, base::template entry<0>(args, p.entry) + p.first * base::template stride<0>(args), base::template stride<0>(args), base::template step<0>(args), query_count - p.first);
    float largest[rows], sums[rows];
    totals all;
    all.clear();
    DIMITY_UNROLL
    for (int i = 0; i < rows; ++i) {
      largest[i] = base::lowest;
      sums[i] = 0.0f;
    }
    // No query of the block takes a key behind its last one.
    int const end = base::causal && p.first + stay < key_count ? p.first + stay : key_count;
    DIMITY_NO_UNROLL
    for (int first = 0; first < end; first += pass) {
      __syncthreads();  // the lines before these have been read
      team::template fill<pass, length, pass_line>(keys, base::template entry<1>(args, p.entry) + first * base::template stride<1>(args), base::template stride<1>(args), base::template step<1>(args), key_count - first);
      team::template fill<pass, values, pass_line>(keys + fours<length>, base::template entry<of_values>(args, p.entry) + first * base::template stride<of_values>(args) + shape::values_from * base::template step<of_values>(args), base::template stride<of_values>(args), base::template step<of_values>(args), key_count - first);
      __syncthreads();
      float scores[rows][columns];
      team::template multiply<length, stay_line, pass_line>(scores, queries, keys);
      DIMITY_UNROLL
      for (int i = 0; i < rows; ++i) {
        int const query = p.first + team::y() + 16 * i;
        float most = largest[i];
        DIMITY_UNROLL
        for (int j = 0; j < columns; ++j) {
          int const key = first + team::x() + 8 * j;
          // Multiplied where the gradients do it too, so that these find the same probabilities.
          bool const meet = key < key_count && (!base::causal || key <= query) && (!shape::has_mask || query < query_count);
          scores[i][j] = base::masked_score(args, p.entry, query, key, meet, scores[i][j] * base::scale);
          most = device_reduction<primitive::max, float>::join(most, scores[i][j]);
        }
        most = join_across_warp<primitive::max, 8>(most);
        float const shrink = device_unary<primitive::exp, base::precision>(largest[i] - most);
        float sum = 0.0f;
        DIMITY_UNROLL
        for (int j = 0; j < columns; ++j) {
          float const e = device_unary<primitive::exp, base::precision>(scores[i][j] - most);
          sum += e;
          weights[(team::y() + 16 * i) * (pass + 4) + team::x() + 8 * j] = e;
        }
        sums[i] = sums[i] * shrink + join_across_warp<primitive::sum, 8>(sum);
        largest[i] = most;
        DIMITY_UNROLL
        for (int g = 0; g < totals::packets; ++g) {
          DIMITY_UNROLL
          for (int k = 0; k < 4; ++k) all.of[i][g].v[k] *= shrink;
        }
      }
      __syncwarp();  // a line's weights come from the eight threads that use them
      all.template add<pass_line>(weights, keys + fours<length>);
    }
    DIMITY_UNROLL
    for (int i = 0; i < rows; ++i) {
      int const query = p.first + team::y() + 16 * i;
      if (query >= query_count) continue;
      long long const line = static_cast<long long>(p.entry) * query_count + query;
      all.store(base::result(args) + line * values, i, sums[i] == 0.0f ? 0.0f : 1.0f / sums[i]);  // a row that takes no key gives 0
    }
  }
};

/// Results: two or three numbers of each query [n, t, 2 or 3], cotangents of queries [n, t, d], or of keys and values side by side [n, s, d + e].
template <class Code>
struct attention_gradient_shape : attention_parts<Code> {
  using parts = attention_parts<Code>;
  using parts::length, parts::values;
  static constexpr int stays = parts::op == primitive::attention_key_gradient ? 1 : 0;
  /// In shared memory lengths and values begin at a packet, and behind them are a query's numbers.
  static constexpr int values_at = fours<length>, numbers_at = values_at + fours<values>, line = line_of_shared_memory<numbers_at + parts::numbers>;
  static constexpr attention_block block = block_of_attention(line, line);
  static_assert(block.stay > 0 && is_known_word(Code::template extent<1, 2>) && values > 0);
};
/// What the kernels of gradients have in common.
template <class Code>
struct attention_gradient_lines : attention_lines<Code, attention_gradient_shape<Code>::stays, attention_gradient_shape<Code>::block.stay> {
  using shape = attention_gradient_shape<Code>;
  static constexpr int stays = shape::stays, passes = 1 - stays, stay = shape::block.stay, pass = shape::block.pass, line = shape::line, length = shape::length, values = shape::values;
  static constexpr bool queries_stay = stays == 0;
  static constexpr int width = queries_stay ? length : length + values;
  using base = attention_lines<Code, stays, stay>;
  using typename base::arguments;
  using team = attention_threads<stay, pass>;
  static constexpr int threads = team::threads, rows = team::rows, columns = team::columns;

  template <int K, int Lines>
  DIMITY_DEVICE static void fill(float* to, arguments const& args, int entry, int first) {
    auto const* const from = base::template entry<K>(args, entry) + first * base::template stride<K>(args);
    long long const stride = base::template stride<K>(args), step = base::template step<K>(args);
    int const left = base::template count<K>(args) - first;
    team::template fill<Lines, length, line>(to, from, stride, step, left);
    team::template fill<Lines, values, line>(to + shape::values_at, from + length * step, stride, step, left);
    if constexpr (K == 0 && shape::op != primitive::attention_sums) {
      DIMITY_NO_UNROLL
      for (int i = static_cast<int>(threadIdx.x); i < Lines * shape::numbers; i += threads) {
        int const query = i / shape::numbers, which = i % shape::numbers;
        to[query * line + shape::numbers_at + which] = query < left ? base::number_of(args, entry, first + query, which) : 0.0f;
      }
    }
  }
};

template <class Code>
struct attention_sums_kernel : attention_gradient_lines<Code> {
  using lines = attention_gradient_lines<Code>;
  using typename lines::arguments, typename lines::team, typename lines::shape, typename lines::base;
  using lines::stay, lines::pass, lines::line, lines::rows, lines::columns;

  DIMITY_DEVICE static void run(arguments const& args) {
    alignas(16) __shared__ float queries[stay * line];
    alignas(16) __shared__ float keys[pass * line];
    auto const p = base::place_of_block(args);
    int const query_count = base::template count<0>(args), key_count = base::template count<1>(args);
    lines::template fill<0, stay>(queries, args, p.entry, p.first);
    float largest[rows], sums[rows], sums_of_products[rows];
    DIMITY_UNROLL
    for (int i = 0; i < rows; ++i) {
      largest[i] = base::lowest;
      sums[i] = sums_of_products[i] = 0.0f;
    }
    int const end = base::causal && p.first + stay < key_count ? p.first + stay : key_count;
    DIMITY_NO_UNROLL
    for (int first = 0; first < end; first += pass) {
      __syncthreads();  // the lines before these have been read
      lines::template fill<1, pass>(keys, args, p.entry, first);
      __syncthreads();
      float scores[rows][columns], products[rows][columns];
      team::template multiply<shape::length, line, line>(scores, queries, keys);
      team::template multiply<shape::values, line, line>(products, queries + shape::values_at, keys + shape::values_at);
      DIMITY_UNROLL
      for (int i = 0; i < rows; ++i) {
        int const query = p.first + team::y() + 16 * i;
        float most = largest[i];
        DIMITY_UNROLL
        for (int j = 0; j < columns; ++j) {
          int const key = first + team::x() + 8 * j;
          // Multiplied where the gradients do it too, so that these find the same probabilities.
          bool const meet = key < key_count && (!base::causal || key <= query) && (!shape::has_mask || query < query_count);
          scores[i][j] = base::masked_score(args, p.entry, query, key, meet, scores[i][j] * base::scale);
          most = device_reduction<primitive::max, float>::join(most, scores[i][j]);
        }
        most = join_across_warp<primitive::max, 8>(most);
        float const shrink = device_unary<primitive::exp, base::precision>(largest[i] - most);
        float sum = 0.0f, sum_of_products = 0.0f;
        DIMITY_UNROLL
        for (int j = 0; j < columns; ++j) {
          float const e = device_unary<primitive::exp, base::precision>(scores[i][j] - most);
          sum += e;
          sum_of_products += e * products[i][j];
        }
        sums[i] = sums[i] * shrink + join_across_warp<primitive::sum, 8>(sum);
        sums_of_products[i] = sums_of_products[i] * shrink + join_across_warp<primitive::sum, 8>(sum_of_products);
        largest[i] = most;
      }
    }
    DIMITY_UNROLL
    for (int i = 0; i < rows; ++i) {
      int const query = p.first + team::y() + 16 * i;
      if (query >= query_count || team::x() != 0) continue;
      auto* const to = base::result(args) + (static_cast<long long>(p.entry) * query_count + query) * shape::numbers;
      base::store_numbers(to, largest[i], device_unary<primitive::log, base::precision>(sums[i]), sums[i], sums_of_products[i]);
    }
  }
};

template <class Code>
struct attention_gradient_kernel : attention_gradient_lines<Code> {
  using lines = attention_gradient_lines<Code>;
  using typename lines::arguments, typename lines::team, typename lines::shape, typename lines::base;
  using lines::stays, lines::passes, lines::stay, lines::pass, lines::line, lines::length, lines::values, lines::queries_stay, lines::width, lines::rows, lines::columns;

  DIMITY_DEVICE static void run(arguments const& args) {
    alignas(16) __shared__ float staying[stay * line];
    alignas(16) __shared__ float passing[pass * line];
    alignas(16) __shared__ float weights[stay * (pass + 4)];
    auto const p = base::place_of_block(args);
    int const stay_count = base::template count<stays>(args), pass_count = base::template count<passes>(args);
    lines::template fill<stays, stay>(staying, args, p.entry, p.first);
    typename team::template totals<length> of_lengths;
    typename team::template totals<queries_stay ? 1 : values> of_values;
    of_lengths.clear();
    of_values.clear();
    // Keys behind the last query of the block, or queries before its first key, have no part in it.
    int const begin = base::causal && !queries_stay ? p.first / pass * pass : 0, end = base::causal && queries_stay && p.first + stay < pass_count ? p.first + stay : pass_count;
    DIMITY_NO_UNROLL
    for (int first = begin; first < end; first += pass) {
      __syncthreads();  // the lines before these have been read
      lines::template fill<passes, pass>(passing, args, p.entry, first);
      __syncthreads();
      float scores[rows][columns], products[rows][columns];
      team::template multiply<length, line, line>(scores, staying, passing);
      team::template multiply<values, line, line>(products, staying + shape::values_at, passing + shape::values_at);
      DIMITY_UNROLL
      for (int i = 0; i < rows; ++i) {
        DIMITY_UNROLL
        for (int j = 0; j < columns; ++j) {
          int const here = team::y() + 16 * i, there = team::x() + 8 * j;
          int const query = queries_stay ? p.first + here : first + there, key = queries_stay ? first + there : p.first + here;
          float const* const of_query = (queries_stay ? staying + here * line : passing + there * line) + shape::numbers_at;
          bool const meet = p.first + here < stay_count && first + there < pass_count && (!base::causal || key <= query);
          float const probability = device_unary<primitive::exp, base::precision>(base::below_largest(base::masked_score(args, p.entry, query, key, meet, scores[i][j] * base::scale), of_query[shape::numbers - 1]) - of_query[0]);
          products[i][j] = probability * (products[i][j] - of_query[1]) * base::scale;
          if constexpr (!queries_stay) weights[here * (pass + 4) + there] = probability;
        }
      }
      // A line's weights come from the eight threads that use them.
      if constexpr (!queries_stay) {
        __syncwarp();
        of_values.template add<line>(weights, passing + shape::values_at);
        __syncwarp();
      }
      DIMITY_UNROLL
      for (int i = 0; i < rows; ++i) {
        DIMITY_UNROLL
        for (int j = 0; j < columns; ++j) weights[(team::y() + 16 * i) * (pass + 4) + team::x() + 8 * j] = products[i][j];
      }
      __syncwarp();
      of_lengths.template add<line>(weights, passing);
    }
    DIMITY_UNROLL
    for (int i = 0; i < rows; ++i) {
      int const own = p.first + team::y() + 16 * i;
      if (own >= stay_count) continue;
      auto* const to = base::result(args) + (static_cast<long long>(p.entry) * stay_count + own) * width;
      of_lengths.store(to, i, 1.0f);
      if constexpr (!queries_stay) of_values.store(to + length, i, 1.0f);
    }
  }
};

}  // namespace DIMITY_NAMESPACE::detail
