// The primitives on matrices: each matrix of a batch on its own.
#pragma once

#include <dimity/exec/cpu/lapack.hpp>
#include <dimity/exec/cpu/matrix_exponential.hpp>
#include <dimity/exec/cpu/operands.hpp>
#include <dimity/exec/cpu/orthogonal.hpp>
#include <dimity/exec/cpu/solve.hpp>

#include <cstring>

namespace DIMITY_NAMESPACE::detail {

/// Whether LAPACK does it: for extents that are known, so that one of both is in the binary.
constexpr bool step_uses_lapack(opaque_step const& step, shape_value const* shapes) {
  shape_value const &s = shapes[step.operand_shape[0]], &result = shapes[step.shape];
  if (step.op == primitive::solve && !result.extent[result.rank - 1].is_known()) return false;
  return s.extent[s.rank - 1].is_known() && s.extent[s.rank - 2].is_known() && uses_lapack(step.op, s.extent[s.rank - 1].number());
}
/// What is not a multiple of n^2 is rounded up to one where extents are chosen at run time, because sums of them cannot be said here.
constexpr amount matrix_scratch_elements(opaque_step const& step, shape_value const* shapes) {
  primitive const op = step.op;
  shape_value const& s = shapes[step.operand_shape[0]];
  amount const n = s.extent[s.rank - 1];
  if (step_uses_lapack(step, shapes)) {
    shape_value const& result = shapes[step.shape];
    return lapack_scratch_elements(op, s.extent[s.rank - 2].number(), n.number(), op == primitive::solve ? result.extent[result.rank - 1].number() : 0);
  }
  switch (op) {
    case primitive::solve: case primitive::slogdet: return n * n;
    case primitive::qr: return n * amount(2);
    case primitive::eigh: return n * n * amount(4);
    case primitive::svd: return n * n * amount(4);
    case primitive::expm: return n * n * amount(5);
    default: return 0;
  }
}

template <class Plan, int Index>
struct matrix_step : primitive_facts<Plan, Index> {
  using facts = primitive_facts<Plan, Index>;
  using facts::result, facts::result_shape, facts::s;
  using T = typename facts::T;
  template <int K>
  DIMITY_INLINE static auto operand(void* const* slots) {
    return facts::template operand<K>(slots);
  }
  /// Null for matrices without elements.
  static T* scratch([[maybe_unused]] void* const* slots) {
    if constexpr (s.scratch_slot >= 0) return static_cast<T*>(slots[s.scratch_slot]);
    else return nullptr;
  }
  /// Calls f with the first element of each matrix of an operand, row-major over the axes before the last two of `shape`.
  template <class From, class F>
  static void for_each_matrix(From const& from, known_shape batch, F const& f) {
    batch.extent[batch.rank - 2] = batch.extent[batch.rank - 1] = 1;
    for_each_index(batch, [&](extent_t const* index) { f(from.data + from.at(index)); });
  }
  template <class From>
  static void copy_matrix(From const& from, T const* first, T* to) {
    int const rank = from.shape.rank;
    extent_t const rows = from.shape.extent[rank - 2], columns = from.shape.extent[rank - 1], row = from.stride[rank - 2], column = from.stride[rank - 1];
    for (extent_t i = 0; i < rows; ++i, to += columns) {
      if (column == 1 && columns > 0) std::memcpy(to, first + i * row, static_cast<std::size_t>(columns) * sizeof(T));
      else
        for (extent_t j = 0; j < columns; ++j) to[j] = first[i * row + j * column];
    }
  }

  static constexpr bool with_lapack = step_uses_lapack(s, Plan::value.shapes);

  static void run(void* const* slots) {
    if constexpr (s.op == primitive::solve || s.op == primitive::triangular_solve) run_system(slots);
    else run_factors(slots);
  }
  static void run_system(void* const* slots) {
    T* to = result(slots);
    operand<1>(slots).copy_to(to);
    known_shape const shape = result_shape(slots);
    extent_t const n = shape.extent[shape.rank - 2], k = shape.extent[shape.rank - 1];
    auto const from = operand<0>(slots);
    [[maybe_unused]] T* const matrix = scratch(slots);
    for_each_matrix(from, shape, [&](T const* a) {
      if constexpr (s.op == primitive::solve) {
        copy_matrix(from, a, matrix);
        solve(matrix, to, n, k);
      } else {
        triangular_solve_in_place(a, from.stride[shape.rank - 2], from.stride[shape.rank - 1], s.attribute != 0, to, n, k);
      }
      to += n * k;
    });
  }
  static void solve(T* matrix, T* to, extent_t n, extent_t k) {
#ifdef DIMITY_LAPACK
    if constexpr (with_lapack) return lapack_solve(matrix, to, n, k, matrix + n * n);
#endif
    solve_in_place(matrix, to, n, k);
  }
  /// Of the matrix in `to` [m, n], in place; what there is beside it follows.
  static void factor(T* to, extent_t m, extent_t n, T* spare) {
#ifdef DIMITY_LAPACK
    if constexpr (with_lapack) {
      if constexpr (s.op == primitive::cholesky) return lapack_cholesky(to, n);
      else if constexpr (s.op == primitive::qr) return lapack_qr(to, to + m * n, m, n, spare);
      else return factor_by_lapack(to, m, n, spare);
    }
#endif
    if constexpr (s.op == primitive::cholesky) cholesky_in_place(to, n);
    else if constexpr (s.op == primitive::expm) exponential_in_place(to, n, spare);
    else if constexpr (s.op == primitive::qr) qr_in_place(to, to + m * n, m, n, spare);
    else svd_in_place(to, to + m * n, to + (m + 1) * n, m, n, spare);
  }
#ifdef DIMITY_LAPACK
  static void factor_by_lapack(T* to, extent_t m, extent_t n, T* spare) {
    T *const values = to + m * n, *const v = values + n;
    if (is_finite_matrix(to, m * n) && lapack_svd(to, values, v, m, n, spare)) return transpose_in_place(v, n);
    fill_with_nan(to, m * n + n + n * n);
  }
#endif
  static void eigenvalues(strided_operand<T> const& from, T const* a, T* w, T* v, extent_t n, T* spare) {
    extent_t const row = from.stride[from.shape.rank - 2], column = from.stride[from.shape.rank - 1];
#ifdef DIMITY_LAPACK
    if constexpr (with_lapack) {
      for (extent_t i = 0; i < n; ++i)
        for (extent_t j = 0; j < n; ++j) v[i * n + j] = j <= i ? a[i * row + j * column] : T(0);
      if (is_finite_matrix(v, n * n) && lapack_eigh(w, v, n, spare)) return transpose_in_place(v, n);
      return fill_with_nan(w, n + n * n);
    }
#endif
    eigh(a, row, column, w, v, n, spare);
  }
  static void run_factors(void* const* slots) {
    T* to = result(slots);
    T* const spare = scratch(slots);
    auto const from = operand<0>(slots);
    int const rank = from.shape.rank;
    [[maybe_unused]] extent_t const m = from.shape.extent[rank - 2], n = from.shape.extent[rank - 1];
    for_each_matrix(from, from.shape, [&](T const* a) {
      if constexpr (s.op == primitive::slogdet) {
        copy_matrix(from, a, spare);
        slogdet_in_place(spare, n, to);
        to += 2;
      } else if constexpr (s.op == primitive::eigh) {
        eigenvalues(from, a, to, to + n, n, spare);
        to += (n + 1) * n;
      } else {
        copy_matrix(from, a, to);
        factor(to, m, n, spare);
        to += m * n;
        if constexpr (s.op == primitive::qr) to += n * n;
        if constexpr (s.op == primitive::svd) to += n + n * n;
      }
    });
  }
};

}  // namespace DIMITY_NAMESPACE::detail
