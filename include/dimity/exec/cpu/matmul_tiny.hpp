// Products of up to 4 x 4 x 4 elements, written out: rotations, coordinate systems, small filters.
#pragma once

#include <dimity/exec/cpu/matmul_pack.hpp>

#include <cstring>

namespace DIMITY_NAMESPACE::detail::mm {

inline constexpr std::int64_t tiny = 4;
constexpr bool is_tiny(matmul_problem const& p) { return p.m <= tiny && p.n <= tiny && p.k <= tiny && p.m * p.n * p.k > 0; }

/// A row of B as one value: narrower than the native vectors, whose masked forms cost more than the product.
template <class T, int N>
struct short_row {
  typedef T type __attribute__((vector_size(N * sizeof(T))));
};
template <class T>
struct short_row<T, 1> {
  using type = T;
};
/// Three elements are computed as four.
template <class T>
struct short_row<T, 3> : short_row<T, 4> {};

template <class T, matmul_problem P>
struct tiny_product {
  using row = typename short_row<T, static_cast<int>(P.n)>::type;

  // Rows are not passed by value: where the machine's vectors are shorter, that would be an ABI of its own.
  template <int... J>
  [[gnu::always_inline]] static void load(row& to, T const* b, std::integer_sequence<int, J...>) {
    if constexpr (P.n == 1) to = *b;
    else if constexpr (P.b_col == 1 && sizeof(row) == P.n * sizeof(T)) std::memcpy(&to, b, sizeof(row));
    else to = row{b[J * P.b_col]...};
  }
  template <int I, int... K>
  [[gnu::always_inline]] static void add_up(row& to, T const* a, row const* b, std::integer_sequence<int, K...>) {
    to = a[I * P.a_row] * b[0];
    ((to += a[I * P.a_row + (K + 1) * P.a_col] * b[K + 1]), ...);
  }
  /// Stores the result, row-major, `to_row` elements from row to row; it may be stored over the operands, all of which are read before.
  template <int... I, int... K>
  [[gnu::always_inline]] static void run(T const* a, T const* b, T* to, std::int64_t to_row, std::integer_sequence<int, I...>, std::integer_sequence<int, K...>) {
    row rows[sizeof...(K)], sums[sizeof...(I)];
    (load(rows[K], b + K * P.b_row, std::make_integer_sequence<int, static_cast<int>(P.n)>{}), ...);
    (add_up<I>(sums[I], a, rows, std::make_integer_sequence<int, static_cast<int>(P.k) - 1>{}), ...);
    (static_cast<void>(std::memcpy(to + I * to_row, &sums[I], P.n * sizeof(T))), ...);
  }
  [[gnu::always_inline]] static void run(T const* a, T const* b, T* to, std::int64_t to_row) {
    run(a, b, to, to_row, std::make_integer_sequence<int, static_cast<int>(P.m)>{}, std::make_integer_sequence<int, static_cast<int>(P.k)>{});
  }
};

}  // namespace DIMITY_NAMESPACE::detail::mm
