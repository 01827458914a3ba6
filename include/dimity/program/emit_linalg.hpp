// Appending to a program: systems of equations and factorisations. Factors of one matrix are the rows of one result, so that each is a view of it.
#pragma once

#include <dimity/program/emit_layout.hpp>

namespace DIMITY_NAMESPACE::detail {

/// a: [.., n, n], b: [.., n, k] with the same leading axes -> x with a x = b
constexpr ref solve(ref a, ref b) { return append(*a.g, primitive::solve, b.type(), b.shape(), a.id, b.id); }

/// a: [.., n, n], symmetric and positive definite, of which the lower triangle is read -> l with a = l l^T, zeros above its diagonal
constexpr ref cholesky(ref a) { return append(*a.g, primitive::cholesky, a.type(), a.shape(), a.id); }
/// a: [.., n, n], of which one triangle is read, b: [.., n, k] -> x with a x = b
constexpr ref triangular_solve(ref a, ref b, bool upper) { return append(*a.g, primitive::triangular_solve, b.type(), b.shape(), a.id, b.id, -1, upper); }
/// a: [.., n, n] -> [.., 2]: the sign of its determinant, and the logarithm of its absolute value
constexpr ref slogdet(ref a) {
  shape_value s;
  for (int i = 0; i + 2 < a.rank(); ++i) s.push(a.extent(i));
  s.push(2);
  return append(*a.g, primitive::slogdet, a.type(), s, a.id);
}
/// The shape of a with `rows` rows in each matrix.
constexpr shape_value with_rows(ref a, amount rows) {
  shape_value s = a.shape();
  s.extent[s.rank - 2] = rows;
  return s;
}
/// `count` rows of every matrix.
constexpr ref rows_of(ref x, amount first, amount count) { return slice_axis(x, x.rank() - 2, first, count); }

/// a: [.., m, n], m >= n -> [.., m + n, n]: q with orthonormal columns, then the upper triangle r, with a = q r
constexpr ref qr(ref a) {
  amount const n = a.extent(a.rank() - 1);
  return append(*a.g, primitive::qr, a.type(), with_rows(a, a.g->extents->sum(a.extent(a.rank() - 2), n)), a.id);
}
/// a: [.., n, n], symmetric, of which the lower triangle is read -> [.., 1 + n, n]: eigenvalues, ascending, then eigenvectors as columns
constexpr ref eigh(ref a) { return append(*a.g, primitive::eigh, a.type(), with_rows(a, a.g->extents->sum(a.extent(a.rank() - 1), 1)), a.id); }
/// a: [.., m, n], m >= n -> [.., m + 1 + n, n]: u with orthonormal columns, singular values, descending, and v with a = u diag(s) v^T
constexpr ref svd(ref a) {
  extent_table& t = *a.g->extents;
  return append(*a.g, primitive::svd, a.type(), with_rows(a, t.sum(t.sum(a.extent(a.rank() - 2), a.extent(a.rank() - 1)), 1)), a.id);
}
/// a: [.., n, n] -> its exponential
constexpr ref expm(ref a) { return append(*a.g, primitive::expm, a.type(), a.shape(), a.id); }

}  // namespace DIMITY_NAMESPACE::detail
