// Tangents of factorisations. Their reverse mode is these, transposed (reverse.hpp).
#pragma once

#include <dimity/program/emit_linalg.hpp>

namespace DIMITY_NAMESPACE::detail {

/// A row vector [.., 1, n] for each matrix [.., n, n], as a matrix with equal rows, or equal columns.
constexpr ref repeat_as_rows(ref row, shape_value const& s) {
  axis_map map = axis_map::identity(s.rank - 1);
  map.set(s.rank - 2, -1);
  map.set(s.rank - 1, s.rank - 2);
  return broadcast(reshape(row, without_axes(row.shape(), 1u << (s.rank - 2))), s, map);
}
constexpr ref repeat_as_columns(ref row, shape_value const& s) { return swap_last_two(repeat_as_rows(row, s)); }
/// 1 / x, and 0 where that is not finite; nothing that is not finite may be divided by, because derivatives multiply it by zero.
constexpr ref inverse_or_zero(ref x) {
  ref const usable = unary(primitive::isfinite, 1.0 / x);
  return select(usable, 1.0 / select(usable, x, full_like(x, 1)), full_like(x, 0));
}
/// 1 / (x_j - x_i) at (i, j), and 0 where both are equal: on the diagonal, and where the derivative of vectors does not exist.
constexpr ref inverse_differences(ref row, shape_value const& s) { return inverse_or_zero(repeat_as_rows(row, s) - repeat_as_columns(row, s)); }
/// The diagonals of matrices [.., n, n] as rows [.., 1, n].
constexpr ref diagonal_rows(ref x) {
  int const r = x.rank();
  return reduce_kept(primitive::sum, x * identity_matrices(x), 1u << (r - 2));
}
constexpr ref stack_rows(ref a, ref b) { return concat(a, b, a.rank() - 2); }

/// With m = t r^-1: dq = m - q (symmetric part of q^T m, and more), dr = (...) r (Walter and Lehmann, Algorithmic differentiation of linear algebra functions, 2010).
constexpr ref push_qr(ref y, ref a, ref t) {
  amount const rows = a.extent(a.rank() - 2), n = a.extent(a.rank() - 1);
  ref const q = rows_of(y, 0, rows), r = rows_of(y, rows, n);
  ref const m = swap_last_two(triangular_solve(swap_last_two(r), swap_last_two(t), false));
  ref const inside = dot(swap_last_two(q), m), below = triangle(inside, false, -1);
  ref const turn = below - swap_last_two(below);  // q^T dq, which is skew
  return stack_rows(m + dot(q, turn - inside), dot(inside - turn, r));
}
/// With s = v^T t v: dw is its diagonal, dv = v (s_ij / (w_j - w_i)) (Giles, Collected matrix derivative results, 2008).
constexpr ref push_eigh(ref y, ref a, ref t) {
  amount const n = a.extent(a.rank() - 1);
  ref const w = rows_of(y, 0, 1), v = rows_of(y, 1, n);
  ref const symmetric = triangle(t, false) + swap_last_two(triangle(t, false, -1));
  ref const s = dot(swap_last_two(v), dot(symmetric, v));
  return stack_rows(diagonal_rows(s), dot(v, s * inverse_differences(w, s.shape())));
}
/// With p = u^T t v and f_ij = 1 / (s_j^2 - s_i^2), s over s_i + s_j first, because squares overflow and vanish: ds is the diagonal of p, du = u (f (p s + s p^T)) + (t v - u p) / s, dv = v (f (s p + p^T s)) (Giles, as above).
constexpr ref push_svd(ref y, ref a, ref t) {
  extent_table& e = *a.g->extents;
  amount const m = a.extent(a.rank() - 2), n = a.extent(a.rank() - 1);
  ref const u = rows_of(y, 0, m), s = rows_of(y, m, 1), v = rows_of(y, e.sum(m, 1), n);
  ref const tv = dot(t, v), p = dot(swap_last_two(u), tv), pt = swap_last_two(p);
  ref const across = repeat_as_rows(s, p.shape()), down = repeat_as_columns(s, p.shape()), inverse = inverse_or_zero(across);
  ref const of_difference = inverse_differences(s, p.shape()), of_sum = inverse_or_zero(across + down), right = across * of_sum, left = down * of_sum;
  ref du = dot(u, (p * right + pt * left) * of_difference);
  if (!(m == n)) du = du + dot(tv - dot(u, p), identity_matrices(p) * inverse);
  return stack_rows(stack_rows(du, diagonal_rows(p)), dot(v, (p * left + pt * right) * of_difference));
}
/// The exponential of [[a, t], [0, a]] has the derivative at its upper right (Higham, Functions of Matrices, theorem 3.6). t is brought to size 1 and back, in each matrix: it would decide how often the exponential squares, and so cost a its digits.
constexpr ref push_expm(ref a, ref t) {
  int const last = a.rank() - 1;
  amount const n = a.extent(last);
  std::uint32_t const matrix = 3u << (last - 1);
  ref const largest = reduce(primitive::max, unary(primitive::abs, t), matrix);
  ref const known = append(*a.g, primitive::copy, largest.type(), largest.shape(), largest.id, -1, -1, stops_derivative);  // the scale cancels, and so does its derivative
  ref const usable = less(full_like(known, 0), known), scale = expand_reduced(select(usable, known, full_like(known, 1)), t.shape(), matrix);
  ref const both = expm(stack_rows(concat(a, t / scale, last), concat(full_like(a, 0), a, last)));
  return slice_axis(rows_of(both, 0, n), last, n, n) * scale;
}

}  // namespace DIMITY_NAMESPACE::detail
