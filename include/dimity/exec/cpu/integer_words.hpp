// Operands of integer products as words of 32 bits, each with as many successive terms as the machine multiplies at once.
#pragma once

#include <dimity/exec/cpu/convert.hpp>
#include <dimity/exec/cpu/matmul_pack.hpp>

#include <cstdint>
#include <cstring>

namespace DIMITY_NAMESPACE::detail::mm {

/// How the machine multiplies two types of integers of 8 and 16 bits. `correction`: what each term of the left operand counts beside its products, because the right one's bytes are flipped.
struct integer_unit {
  term_group group;
  int terms = 1;
  int correction = 0;
};
constexpr integer_unit unit_of(dtype a, dtype b) {
  bool const left = is_signed_integer(a), right = is_signed_integer(b), bytes = size_of(a) == 1 && size_of(b) == 1;
  if (multiplies_bytes && bytes) {
    bool const flips = (left == right) != wants_equal_signs;
    return {{term_kind::bytes, left, flips ? !right : right, false, flips}, 4, !flips ? 0 : right ? -128 : 128};
  }
  if (multiplies_int16 && a != dtype::uint16 && b != dtype::uint16) return {{term_kind::int16_pair}, 2};
  return {};
}

/// One operand, with `lines` lines of `k` elements, as words: where those of k are `along` apart and lines `across`.
struct prepared_words {
  bool copied;
  std::int64_t along, across, bytes;
};
/// Terms that lie beside each other already are used where they are. Copies: the words of a line beside each other, or, of a right operand whose lines lie so, those of one step, which is the order its kernels want.
constexpr prepared_words as_words(std::int64_t lines, std::int64_t k, std::int64_t along, std::int64_t across, int size, int terms, bool is_right) {
  std::int64_t const words = ceil_div(k, terms);
  if (size * terms == 4 && along == 1 && k % terms == 0 && across % terms == 0) return {false, 1, across / terms, 0};
  if (!is_right || along == 1) return {true, 1, words, round_to_line(lines * words, 4) * 4};
  return {true, lines, 1, round_to_line(lines * words, 4) * 4};
}

struct integer_problem {
  integer_unit unit;
  prepared_words a, b;
  std::int64_t correction_bytes = 0;
  matmul_problem words;
};
constexpr integer_problem prepare_integers(matmul_problem const& p, dtype left, dtype right) {
  integer_problem q{unit_of(left, right), {}, {}, 0, {}};
  int const terms = q.unit.terms;
  q.a = as_words(p.m, p.k, p.a_col, p.a_row, static_cast<int>(size_of(left)), terms, false);
  q.b = as_words(p.n, p.k, p.b_row, p.b_col, static_cast<int>(size_of(right)), terms, true);
  if (q.unit.correction != 0) q.correction_bytes = round_to_line(p.m, 4) * 4;
  // A copy is flipped when it is made.
  term_group group = q.unit.group;
  if (q.b.copied) group.flips_right = false;
  q.words = {p.m, p.n, ceil_div(p.k, terms), q.a.across, q.a.along, q.b.along, q.b.across, group};
  return q;
}

/// `count` terms from memory, `along` apart, as a word; zeros where there are no more.
template <int Terms, class X>
[[gnu::always_inline]] inline std::uint32_t word_of_terms(X const* from, std::int64_t along, std::int64_t count) {
  if constexpr (Terms == 1) return count > 0 ? static_cast<std::uint32_t>(static_cast<std::int32_t>(*from)) : 0u;
  std::uint32_t word = 0;
  for (int t = 0; t < Terms && t < count; ++t) {
    auto const value = static_cast<std::uint32_t>(static_cast<std::int32_t>(from[t * along]));
    word |= (value & (Terms == 4 ? 0xffu : 0xffffu)) << (t * (32 / Terms) % 32);
  }
  return word;
}
/// A line whose terms lie beside each other.
template <int Terms, class X>
void line_as_words(X const* from, std::int64_t k, std::uint32_t flip, std::uint32_t* to) {
  std::int64_t const words = ceil_div(k, std::int64_t{Terms});
  std::int64_t i = 0;
  if constexpr (sizeof(X) * Terms == 4) {
    if (i = k / Terms; i > 0) std::memcpy(to, from, static_cast<std::size_t>(i) * 4);
    if (flip != 0)
      for (std::int64_t w = 0; w < i; ++w) to[w] ^= flip;
  } else {
    using wide = std::conditional_t<Terms == 1, std::int32_t, std::int16_t>;
    constexpr int width = lanes<std::uint32_t> * Terms;
    for (; (i + lanes<std::uint32_t>)*Terms <= k; i += lanes<std::uint32_t>) {
      vec<wide, width> const x = convert_lanes<wide>(load_lanes<X, width>(from + i * Terms));
      std::memcpy(to + i, &x, sizeof(x));
    }
  }
  for (; i < words; ++i) to[i] = word_of_terms<Terms>(from + i * Terms, 1, k - i * Terms) ^ flip;
}
/// One step of lines that lie beside each other: a word for each of `lines` lines, of terms that are `along` apart.
template <int Terms, class X>
void step_as_words(X const* from, std::int64_t lines, std::int64_t along, std::int64_t terms, std::uint32_t flip, std::uint32_t* to) {
  std::int64_t line = 0;
#if !defined(__CUDACC__)
  if (terms >= Terms) {
    constexpr int width = lanes<std::uint32_t>;
    using words = typename lane_vector<std::uint32_t, width>::type;
    using bits = std::make_unsigned_t<X>;
    for (; line + width <= lines; line += width) {
      words all = words{} ^ flip;
      for (int t = 0; t < Terms; ++t) {
        typename lane_vector<X, width>::type x;
        words w;
        std::memcpy(&x, from + line + t * along, sizeof(x));
        if constexpr (Terms * sizeof(X) == 4) convert_vector<bits, std::uint32_t, width>(reinterpret_cast<typename lane_vector<bits, width>::type>(x), w);
        else convert_vector<X, std::uint32_t, width>(x, w);
        if constexpr (Terms == 2) w &= 0xffffu;
        all ^= w << (t * (32 / Terms) % 32);
      }
      std::memcpy(to + line, &all, sizeof(all));
    }
  }
#endif
  // Pointers: of a counter g++ 12 warns that it reaches 2^62.
  X const* at = from + line;
  for (std::uint32_t *word = to + line, *const end = to + lines; word != end; ++word, ++at) *word = word_of_terms<Terms>(at, along, terms) ^ flip;
}
/// In the order that as_words() says; behind the last term there are zeros.
template <int Terms, class X>
[[gnu::noinline]] void copy_as_words(X const* from, std::int64_t lines, std::int64_t k, std::int64_t along, std::int64_t across, bool is_right, std::uint32_t flip, std::uint32_t* to) {
  std::int64_t const words = ceil_div(k, std::int64_t{Terms});
  if (!is_right || along == 1) {
    for (std::int64_t line = 0; line < lines; ++line, to += words) {
      X const* const first = from + line * across;
      if (along == 1) line_as_words<Terms>(first, k, flip, to);
      else
        for (std::int64_t i = 0; i < words; ++i) to[i] = word_of_terms<Terms>(first + i * Terms * along, along, k - i * Terms) ^ flip;
    }
    return;
  }
  for (std::int64_t i = 0; i < words; ++i, to += lines) {
    X const* const first = from + i * Terms * along;
    if (across == 1) step_as_words<Terms>(first, lines, along, k - i * Terms, flip, to);
    else
      for (std::int64_t line = 0; line < lines; ++line) to[line] = word_of_terms<Terms>(first + line * across, along, k - i * Terms) ^ flip;
  }
}

/// Up to so many columns of a right operand are packed together, as matmul_run_time.hpp wants them: two vectors.
inline constexpr std::int64_t packed_columns = 2 * lanes<std::uint32_t>;
/// Such columns, the words of one step beside each other, with zeros behind the last column. `lines`: room for as many words more, which columns that run along memory pass through.
template <int Terms, class X>
void columns_as_words(X const* from, std::int64_t columns, std::int64_t k, std::int64_t along, std::int64_t across, std::uint32_t flip, std::uint32_t* lines, std::uint32_t* to) {
  std::int64_t const words = ceil_div(k, std::int64_t{Terms});
  constexpr std::int64_t width = lanes<std::uint32_t>;
  if (along == 1 && words >= width) {
    for (std::int64_t j = 0; j < columns; ++j) line_as_words<Terms>(from + j * across, k, flip, lines + j * words);
    std::memset(lines + columns * words, 0, static_cast<std::size_t>((packed_columns - columns) * words) * 4);
    for (std::int64_t j = 0; j < packed_columns; j += width)
      for (std::int64_t i = 0; i < words; i += width) {
        // The last block once more up to the end.
        std::int64_t const at = std::min(i, words - width);
        transpose_block<std::uint32_t>(lines + j * words + at, words, to + at * packed_columns + j, packed_columns);
      }
    return;
  }
  for (std::int64_t i = 0; i < words; ++i, to += packed_columns) {
    X const* const first = from + i * Terms * along;
    if (across == 1) step_as_words<Terms>(first, columns, along, k - i * Terms, flip, to);
    else
      for (std::int64_t line = 0; line < columns; ++line) to[line] = word_of_terms<Terms>(first + line * across, along, k - i * Terms) ^ flip;
    for (std::int64_t line = columns; line < packed_columns; ++line) to[line] = 0;
  }
}

/// The sums of all terms of `count` lines of bytes, kept as words: multiplied by ones, and the lanes of several lines added up together.
template <term_group Group>
void sums_of_bytes(std::uint32_t const* lines, std::int64_t count, std::int64_t across, std::int64_t words, std::uint32_t* to) {
  constexpr int width = lanes<std::uint32_t>;
  constexpr term_group group{term_kind::bytes, Group.left_signed, Group.right_signed};
  batch<std::uint32_t> const ones(0x01010101u);
  for (std::int64_t first = 0; first < count; first += width) {
    int const here = static_cast<int>(std::min<std::int64_t>(width, count - first));
    batch<std::uint32_t> sum[width];
    for (int l = 0; l < width; ++l) {
      sum[l] = batch<std::uint32_t>(0u);
      if (l >= here) continue;
      std::uint32_t const* const line = lines + (first + l) * across;
      std::int64_t w = 0;
      for (; w + width <= words; w += width) sum[l] = accumulated<group, std::uint32_t>(batch<std::uint32_t>::load_unaligned(line + w), ones, sum[l]);
      if (w < words) {
        // Bytes that are used where they lie need not be aligned as words are.
        alignas(64) std::uint32_t last[width] = {};
        std::memcpy(last, line + w, static_cast<std::size_t>(words - w) * 4);
        sum[l] = accumulated<group, std::uint32_t>(batch<std::uint32_t>::load_aligned(last), ones, sum[l]);
      }
    }
    alignas(64) std::uint32_t totals[width];
    horizontal_sums<std::uint32_t>(sum).store_aligned(totals);
    std::memcpy(to + first, totals, static_cast<std::size_t>(here) * 4);
  }
}

}  // namespace DIMITY_NAMESPACE::detail::mm
