// Products of matrices of 16- and 8-bit floats, summed in float. bfloat16 are multiplied in tile registers where the machine has them (AMX); where it multiplies pairs of them (AVX-512 BF16), two successive k take the place of one float in the
// kernels of matmul.hpp. Elsewhere operands become float first.
#pragma once

#include <dimity/exec/cpu/amx_product.hpp>
#include <dimity/exec/cpu/float16_rows.hpp>
#include <dimity/exec/cpu/matmul.hpp>
#include <dimity/exec/cpu/matmul_run_time.hpp>

namespace DIMITY_NAMESPACE::detail {
namespace mm {

/// How one operand, with `lines` lines of `k` elements, becomes that of a product of 32-bit elements: where the elements of k are `along` apart and lines `across`.
struct prepared_operand {
  bool copied;
  std::int64_t along, across, bytes;
};
constexpr prepared_operand as_floats(std::int64_t lines, std::int64_t k, std::int64_t along, std::int64_t across) {
  // In the order in which it lies in memory, which the copy then reads and writes in one run.
  bool const k_inside = along == 1 || across != 1;
  return {true, k_inside ? 1 : lines, k_inside ? k : 1, round_to_line(lines * k, 4) * 4};
}
/// Pairs that lie beside each other already are used where they are. Copies: pairs beside each other in lines of k for the left operand, lines beside each other for the right one, which is the order its kernels want.
constexpr prepared_operand as_pairs(std::int64_t lines, std::int64_t k, std::int64_t along, std::int64_t across, bool is_right) {
  std::int64_t const pairs = (k + 1) / 2;
  if (along == 1 && k % 2 == 0 && across % 2 == 0) return {false, 1, across / 2, 0};
  if (!is_right || along == 1) return {true, 1, pairs, round_to_line(lines * pairs, 4) * 4};
  return {true, lines, 1, round_to_line(lines * pairs, 4) * 4};
}
struct float16_problem {
  prepared_operand a, b;
  matmul_problem words;
};
constexpr float16_problem prepare(matmul_problem const& p, bool pairs) {
  float16_problem q{};
  q.a = pairs ? as_pairs(p.m, p.k, p.a_col, p.a_row, false) : as_floats(p.m, p.k, p.a_col, p.a_row);
  q.b = pairs ? as_pairs(p.n, p.k, p.b_row, p.b_col, true) : as_floats(p.n, p.k, p.b_row, p.b_col);
  q.words = {p.m, p.n, pairs ? (p.k + 1) / 2 : p.k, q.a.across, q.a.along, q.b.along, q.b.across, {pairs ? term_kind::bfloat16_pair : term_kind::one}};
  return q;
}

template <class X>
inline constexpr bool uses_pairs = multiplies_bfloat16 && std::is_same_v<X, bfloat16>;
/// Whether tiles multiply X if the machine has them, which is asked when the product runs.
template <class X>
inline constexpr bool may_use_tiles = DIMITY_AMX != 0 && std::is_same_v<X, bfloat16>;

template <class X>
inline void widen_run(X const* from, std::int64_t n, float* to) {
  constexpr int width = native_lanes<float>();
  std::int64_t i = 0;
  for (; i + width <= n; i += width) store_lanes<float, width>(to + i, convert_lanes<float>(load_lanes<X, width>(from + i)));
  for (; i < n; ++i) to[i] = from[i];
}
/// As floats, in the order that as_floats() says.
template <class X>
[[gnu::noinline]] void copy_as_floats(X const* from, std::int64_t lines, std::int64_t k, std::int64_t along, std::int64_t across, float* to) {
  bool const k_inside = along == 1 || across != 1;
  std::int64_t const outer = k_inside ? lines : k, inner = k_inside ? k : lines, outer_step = k_inside ? across : along, inner_step = k_inside ? along : across;
  for (std::int64_t i = 0; i < outer; ++i, from += outer_step, to += inner) {
    if (inner_step == 1) widen_run(from, inner, to);
    else
      for (std::int64_t j = 0; j < inner; ++j) to[j] = from[j * inner_step];
  }
}
/// As pairs, in the order that as_pairs() says; behind an odd k there is a zero.
[[gnu::noinline]] inline void copy_as_pairs(bfloat16 const* from, std::int64_t lines, std::int64_t k, std::int64_t along, std::int64_t across, bool is_right, std::uint32_t* to) {
  std::int64_t const pairs = (k + 1) / 2;
  auto const pair = [&](std::int64_t line, std::int64_t i) -> std::uint32_t {
    bfloat16 const* const at = from + line * across + 2 * i * along;
    return at[0].bits | (2 * i + 1 < k ? static_cast<std::uint32_t>(at[along].bits) << 16 : 0u);
  };
  if (!is_right || along == 1) {
    for (std::int64_t line = 0; line < lines; ++line, to += pairs) {
      if (along == 1) {
        std::memcpy(to, from + line * across, static_cast<std::size_t>(k / 2) * 4);
        if (k % 2 != 0) to[pairs - 1] = pair(line, pairs - 1);
      } else {
        for (std::int64_t i = 0; i < pairs; ++i) to[i] = pair(line, i);
      }
    }
    return;
  }
  for (std::int64_t i = 0; i < pairs; ++i, to += lines) {
    std::int64_t line = 0;
#if !defined(__CUDACC__)
    if (across == 1 && 2 * i + 1 < k) {
      constexpr int width = native_lanes<float>();
      bfloat16 const *const first = from + 2 * i * along, *const second = first + along;
      for (; line + width <= lines; line += width) {
        auto const low = __builtin_convertvector(load_lanes<bfloat16, width>(first + line).p[0], typename float_words<width>::type);
        typename float_words<width>::type both;
        widen_words<width>(bfloat16{}, load_lanes<bfloat16, width>(second + line).p[0], both);
        both |= low;
        std::memcpy(to + line, &both, sizeof(both));
      }
    }
#endif
    for (; line < lines; ++line) to[line] = pair(line, i);
  }
}

}  // namespace mm

constexpr std::int64_t float16_product_scratch(matmul_problem const& p, dtype type) {
  bool const pairs = mm::multiplies_bfloat16 && type == dtype::bfloat16;
  if (mm::is_row_times_rows(p) || (!pairs && mm::is_rows_times_columns(p))) return 0;
  mm::float16_problem const q = mm::prepare(p, pairs);
  std::int64_t const without_tiles = q.a.bytes + q.b.bytes + static_cast<std::int64_t>(matmul_scratch_size(q.words, sizeof(float), true));
  return DIMITY_PLANS_AMX != 0 && type == dtype::bfloat16 && mm::fits_tiles(p) ? std::max(without_tiles, mm::plan_tiles(p, true).bytes()) : without_tiles;
}

/// C[m,n] = sum_k A[m,k] * B[k,n] of 16-bit floats X, otherwise as matmul(): sums are float, of products that are exact. One pass over each operand that is copied.
template <class X, matmul_problem P>
struct float16_product {
  static constexpr bool pairs = mm::uses_pairs<X>;
  static constexpr mm::float16_problem q = mm::prepare(P, pairs);

  template <class Sink, class Share>
  static void run(X const* a, X const* b, std::byte* scratch, Sink const& sink, Share const share) {
    if constexpr (mm::is_row_times_rows(P)) {
      mm::row_times_widened(P, a, b, sink, share);
    } else if constexpr (!pairs && mm::is_rows_times_columns(P)) {
      mm::rows_times_widened<static_cast<int>(P.m)>(P, a, b, sink, share);
    } else if constexpr (P.m > 0 && P.n > 0) {
#if DIMITY_AMX
      if constexpr (mm::may_use_tiles<X> && mm::fits_tiles(P)) {
        static constexpr mm::amx_plan how = mm::plan_tiles(P, true);
        if (mm::has_amx()) return mm::amx_product(P, how, a, b, scratch, sink, share);
      }
#endif
      float const* const left = prepared<q.a, false>(a, P.m, P.a_col, P.a_row, scratch);
      float const* const right = prepared<q.b, true>(b, P.n, P.b_row, P.b_col, scratch + q.a.bytes);
      matmul<float, q.words>(left, right, scratch + q.a.bytes + q.b.bytes, sink, share);
    }
  }

 private:
  template <mm::prepared_operand How, bool IsRight>
  static float const* prepared(X const* x, std::int64_t lines, std::int64_t along, std::int64_t across, std::byte* to) {
    if constexpr (!How.copied) return reinterpret_cast<float const*>(x);
    else if constexpr (pairs) mm::copy_as_pairs(x, lines, P.k, along, across, IsRight, reinterpret_cast<std::uint32_t*>(to));
    else mm::copy_as_floats(x, lines, P.k, along, across, reinterpret_cast<float*>(to));
    return reinterpret_cast<float const*>(to);
  }
};

/// Bytes of scratch for extents that are chosen at run time.
constexpr std::size_t float16_run_time_scratch(dtype type) {
  std::size_t const as_floats = matmul_run_time_scratch(sizeof(float)) + static_cast<std::size_t>(mm::tile_rows * mm::depth_block) * sizeof(float);
  return DIMITY_PLANS_AMX != 0 && type == dtype::bfloat16 ? std::max(as_floats, static_cast<std::size_t>(mm::amx_scratch_of_any())) : as_floats;
}

/// The same for extents that are chosen at run time: blocks of both operands become float just before they are multiplied. Shares are of columns, in tile registers also of rows.
template <class X, class Sink, class Share>
void float16_product_at_run_time(matmul_problem const& p, X const* a, X const* b, float* scratch, Sink const& sink, Share const share) {
  using namespace mm;
  if (is_row_times_rows(p)) return row_times_widened(p, a, b, sink, share);
  if (is_rows_times_columns(p)) {
    switch (p.m) {
      case 1: return rows_times_widened<1>(p, a, b, sink, share);
      case 2: return rows_times_widened<2>(p, a, b, sink, share);
      case 3: return rows_times_widened<3>(p, a, b, sink, share);
      default: return rows_times_widened<4>(p, a, b, sink, share);
    }
  }
#if DIMITY_AMX
  if constexpr (may_use_tiles<X>) {
    if (fits_tiles(p) && has_amx()) return amx_product(p, plan_tiles(p, false), a, b, reinterpret_cast<std::byte*>(scratch), sink, share);
  }
#endif
  constexpr std::int64_t width = tile_vectors * lanes<float>;
  float *const packed = scratch, *const kept = packed + depth_block * width, *const rows_of_a = kept + (row_block + tile_rows) * width;
  std::int64_t const panels = ceil_div(p.n, width), to_column = std::min<std::int64_t>(p.n, share.end(panels) * width);
  for (std::int64_t j = share.begin(panels) * width; j < to_column; j += width) {
    std::int64_t const columns = std::min(width, p.n - j);
    int const vectors = columns > lanes<float> ? tile_vectors : 1;
    for (std::int64_t first = 0; first < p.m; first += row_block) {
      std::int64_t const end = std::min(p.m, first + row_block);
      // At least one block, which leaves the zeros of an empty sum.
      for (std::int64_t k = 0; k == 0 || k < p.k; k += depth_block) {
        std::int64_t const depth = std::min(depth_block, p.k - k);
        if (first == 0 || p.k > depth_block)
          for (std::int64_t i = 0; i < depth; ++i) {
            X const* const row = b + (k + i) * p.b_row + j * p.b_col;
            float* const to = packed + i * width;
            if (p.b_col == 1) widen_run(row, columns, to);
            else
              for (std::int64_t c = 0; c < columns; ++c) to[c] = row[c * p.b_col];
            for (std::int64_t c = columns; c < width; ++c) to[c] = 0;
          }
        for (std::int64_t i = first; i < end; i += tile_rows) {
          std::int64_t const rows = std::min<std::int64_t>(tile_rows, end - i);
          for (std::int64_t r = 0; r < rows; ++r) {
            X const* const row = a + (i + r) * p.a_row + k * p.a_col;
            if (p.a_col == 1) widen_run(row, depth, rows_of_a + r * depth);
            else
              for (std::int64_t c = 0; c < depth; ++c) rows_of_a[r * depth + c] = row[c * p.a_col];
          }
          float* const sums = kept + (i - first) * width;
          add_any_rows(rows, vectors, static_cast<float const*>(rows_of_a), depth, 1, static_cast<float const*>(packed), width, depth, sums, k == 0);
          if (k + depth_block >= p.k) emit_sums<float>(sink, sums, i, rows, j, columns);
        }
      }
    }
  }
}

}  // namespace DIMITY_NAMESPACE::detail
