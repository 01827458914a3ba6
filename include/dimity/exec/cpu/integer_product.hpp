// Products of matrices of integers. Those of 8 and 16 bits are multiplied several terms at once where the machine can, and summed in 32 bits; those of 32 and 64 bits, and all where it cannot, in lanes of their own. All sums are exact modulo the range of
// their type, so that no order of theirs matters.
#pragma once

#include <dimity/exec/cpu/integer_rows.hpp>
#include <dimity/exec/cpu/integer_words.hpp>
#include <dimity/exec/cpu/matmul.hpp>
#include <dimity/exec/cpu/matmul_run_time.hpp>

#include <cstdint>
#include <type_traits>

namespace DIMITY_NAMESPACE::detail {
namespace mm {

/// The kernels compute without signs: overflow is defined, and the bits are the same. `sums` are those of the rows of A from `first_row` on, where products are to be corrected for them.
template <class T, int Correction, class Sink>
struct integer_sink {
  using U = std::make_unsigned_t<T>;
  static constexpr bool is_large = large_sink<Sink>;
  Sink sink;
  std::uint32_t const* sums = nullptr;
  std::int64_t first_row = 0;

  [[gnu::always_inline]] batch<T> finished(std::int64_t i, batch<U> v) const {
    if constexpr (Correction != 0) v = v + batch<U>(static_cast<std::uint32_t>(Correction) * sums[i - first_row]);
    return from_raw<T>((raw<T>)to_raw<U>(v));
  }
  [[gnu::always_inline]] void operator()(std::int64_t i, std::int64_t j, batch<U> v) const { sink(i, j, finished(i, v)); }
  [[gnu::always_inline]] void operator()(std::int64_t i, std::int64_t j, batch<U> v, int count) const { sink(i, j, finished(i, v), count); }
};

/// Words of a line that are multiplied at a time where extents are chosen at run time.
inline constexpr std::int64_t word_block = depth_block / 2;

/// Integers that are multiplied in a type that is wider than their own.
constexpr bool is_widened(dtype operand, dtype result) { return size_of(operand) < size_of(result); }
/// Whether the product is one of few rows of bytes, and the kernels for words would have to copy the other matrix.
constexpr bool multiplies_few_rows(matmul_problem const& p, integer_problem const& q) {
  return q.unit.group.kind == term_kind::bytes && is_few_rows(p) && q.b.copied;
}

}  // namespace mm

constexpr std::int64_t integer_product_scratch(matmul_problem const& p, dtype left, dtype right, dtype result) {
  if (!mm::is_widened(left, result)) return static_cast<std::int64_t>(matmul_scratch_size(p, size_of(result), true));
  mm::integer_problem const q = mm::prepare_integers(p, left, right);
  if (mm::multiplies_few_rows(p, q)) return mm::few_rows_scratch(p.k);
  return q.a.bytes + q.b.bytes + q.correction_bytes + static_cast<std::int64_t>(matmul_scratch_size(q.words, 4, true));
}

/// C[m,n] = sum_k A[m,k] * B[k,n] of integers, modulo the range of T, otherwise as matmul(). A and B are of 8 or 16 bits where T is of 32, or both of T. One pass over each operand that is copied.
template <class T, class A, class B, matmul_problem P>
struct integer_product {
  static constexpr mm::integer_problem q = mm::prepare_integers(P, dtype_of<A>, dtype_of<B>);
  static constexpr mm::integer_unit unit = q.unit;

  template <class Sink, class Share>
  static void run(A const* a, B const* b, std::byte* scratch, Sink const& sink, Share const share) {
    using U = std::make_unsigned_t<T>;
    if constexpr (sizeof(A) == sizeof(T)) {
      matmul<U, P>(reinterpret_cast<U const*>(a), reinterpret_cast<U const*>(b), scratch, mm::integer_sink<T, 0, Sink>{sink}, share);
#if DIMITY_BYTE_PRODUCTS
    } else if constexpr (P.m > 0 && P.n > 0 && mm::multiplies_few_rows(P, q)) {
      mm::few_rows_of_bytes<static_cast<int>(P.m)>(P, a, b, reinterpret_cast<std::uint32_t*>(scratch), [&](std::uint32_t const* sums) { return mm::integer_sink<T, unit.correction, Sink>{sink, sums}; }, share);
#endif
    } else if constexpr (P.m > 0 && P.n > 0) {
      auto* const left = prepared<q.a, false>(a, P.m, P.a_col, P.a_row, scratch);
      auto* const right = prepared<q.b, true>(b, P.n, P.b_row, P.b_col, scratch + q.a.bytes);
      auto* const sums = reinterpret_cast<std::uint32_t*>(scratch + q.a.bytes + q.b.bytes);
      if constexpr (unit.correction != 0) mm::sums_of_bytes<unit.group>(left, P.m, q.words.a_row, q.words.k, sums);
      matmul<std::uint32_t, q.words>(left, right, scratch + q.a.bytes + q.b.bytes + q.correction_bytes, mm::integer_sink<T, unit.correction, Sink>{sink, sums}, share);
    }
  }

 private:
  template <mm::prepared_words How, bool IsRight, class X>
  static std::uint32_t const* prepared(X const* x, std::int64_t lines, std::int64_t along, std::int64_t across, std::byte* to) {
    if constexpr (!How.copied) return reinterpret_cast<std::uint32_t const*>(x);
    else mm::copy_as_words<unit.terms>(x, lines, P.k, along, across, IsRight, IsRight && unit.group.flips_right ? 0x80808080u : 0u, reinterpret_cast<std::uint32_t*>(to));
    return reinterpret_cast<std::uint32_t const*>(to);
  }
};

/// Bytes of scratch for extents that are chosen at run time: blocks of both operands as words, columns before they are transposed, and what the kernel keeps.
constexpr std::size_t integer_run_time_scratch(dtype left, dtype result) {
  if (!mm::is_widened(left, result)) return matmul_run_time_scratch(size_of(result));
  constexpr std::int64_t words = mm::packed_columns * (2 * mm::word_block + mm::row_block + mm::tile_rows) + mm::tile_rows * mm::word_block + mm::row_block;
  static_assert(words * 4 <= 65536, "the default workspace of programs without a heap");
  return words * 4;
}

/// The same for extents that are chosen at run time: blocks of both operands become words just before they are multiplied. Shares are of columns.
template <class T, class A, class B, class Sink, class Share>
void integer_product_at_run_time(matmul_problem const& p, A const* a, B const* b, std::byte* scratch, Sink const& sink, Share const share) {
  using namespace mm;
  using U = std::make_unsigned_t<T>;
  if constexpr (sizeof(A) == sizeof(T)) {
    matmul_run_time<U>(p, reinterpret_cast<U const*>(a), reinterpret_cast<U const*>(b), reinterpret_cast<U*>(scratch), integer_sink<T, 0, Sink>{sink}, share);
  } else {
    constexpr integer_unit unit = unit_of(dtype_of<A>, dtype_of<B>);
#if DIMITY_BYTE_PRODUCTS
    if constexpr (unit.group.kind == term_kind::bytes) {
      // The rows as words must have room where the blocks would be.
      if (is_few_rows(p) && few_rows_scratch(p.k) <= static_cast<std::int64_t>(integer_run_time_scratch(dtype_of<A>, dtype_of<T>))) {
        auto const with_sums = [&](std::uint32_t const* sums) { return integer_sink<T, unit.correction, Sink>{sink, sums}; };
        auto const run = [&](auto rows) { few_rows_of_bytes<rows>(p, a, b, reinterpret_cast<std::uint32_t*>(scratch), with_sums, share); };
        switch (p.m) {
          case 0: return;
          case 1: return run(std::integral_constant<int, 1>{});
          case 2: return run(std::integral_constant<int, 2>{});
          case 3: return run(std::integral_constant<int, std::min(3, most_rows_of_bytes)>{});
          default: return run(std::integral_constant<int, most_rows_of_bytes>{});
        }
      }
    }
#endif
    constexpr std::int64_t terms = unit.terms, width = packed_columns, step = word_block * terms;
    constexpr std::uint32_t flip = unit.group.flips_right ? 0x80808080u : 0u;
    constexpr term_group group{unit.group.kind, unit.group.left_signed, unit.group.right_signed};
    auto *const packed = reinterpret_cast<std::uint32_t*>(scratch), *const kept = packed + word_block * width, *const rows_of_a = kept + (row_block + tile_rows) * width, *const row_sums = rows_of_a + tile_rows * word_block, *const lines = row_sums + row_block;
    std::int64_t const panels = ceil_div(p.n, width), to_column = std::min<std::int64_t>(p.n, share.end(panels) * width);
    for (std::int64_t j = share.begin(panels) * width; j < to_column; j += width) {
      std::int64_t const columns = std::min(width, p.n - j);
      int const vectors = columns > lanes<std::uint32_t> ? tile_vectors : 1;
      for (std::int64_t first = 0; first < p.m; first += row_block) {
        std::int64_t const end = std::min(p.m, first + row_block);
        // At least one block, which leaves the zeros of an empty sum.
        for (std::int64_t k = 0; k == 0 || k < p.k; k += step) {
          std::int64_t const left = std::min(step, p.k - k), depth = ceil_div(left, terms);
          if ((first == 0 || p.k > step) && left > 0) columns_as_words<static_cast<int>(terms)>(b + k * p.b_row + j * p.b_col, columns, left, p.b_row, p.b_col, flip, lines, packed);
          for (std::int64_t i = first; i < end; i += tile_rows) {
            std::int64_t const rows = std::min<std::int64_t>(tile_rows, end - i);
            if (left > 0) copy_as_words<static_cast<int>(terms)>(a + i * p.a_row + k * p.a_col, rows, left, p.a_col, p.a_row, false, 0u, rows_of_a);
            if constexpr (unit.correction != 0) {
              std::uint32_t more[tile_rows];
              sums_of_bytes<group>(rows_of_a, rows, depth, depth, more);
              for (std::int64_t r = 0; r < rows; ++r) row_sums[i - first + r] = (k == 0 ? 0u : row_sums[i - first + r]) + more[r];
            }
            std::uint32_t* const sums = kept + (i - first) * width;
            add_any_rows<group>(rows, vectors, static_cast<std::uint32_t const*>(rows_of_a), depth, std::int64_t{1}, static_cast<std::uint32_t const*>(packed), width, depth, sums, k == 0);
            if (k + step >= p.k) emit_sums<std::uint32_t>(integer_sink<T, unit.correction, Sink>{sink, row_sums, first}, sums, i, rows, j, columns);
          }
        }
      }
    }
  }
}

}  // namespace DIMITY_NAMESPACE::detail
