// Orthogonal factorisations: QR, symmetric eigenvalues, singular values.
#pragma once

#include <dimity/linalg/factorize.hpp>

namespace DIMITY_NAMESPACE {
namespace detail {

template <class Matrix>
struct any_matrix {
  static_assert(Matrix::rank >= 2, "[dimity.linalg.3] linalg: a matrix is needed, [.., m, n]");
};

/// Whether a has fewer rows than columns. Where that is known at run time only, it must not: that is checked at the call.
constexpr bool is_wide(builder& g, ref a) {
  amount const m = a.extent(a.rank() - 2), n = a.extent(a.rank() - 1);
  if (m.is_known() && n.is_known()) return m.number() < n.number();
  g.extents->require_at_least(m, n);
  return false;
}
/// Part 0: q, part 1: r.
template <int Part>
struct qr_operation {
  static constexpr ref emit(builder& g, ref a) {
    int const last = a.rank() - 1;
    amount const m = a.extent(last - 1), n = a.extent(last);
    if (!is_wide(g, a)) return Part == 0 ? rows_of(qr(a), 0, m) : rows_of(qr(a), m, n);
    // The first columns have q, which the others are only multiplied with.
    ref const square = qr(slice_axis(a, last, 0, m)), q = rows_of(square, 0, m);
    if (Part == 0) return q;
    return concat(rows_of(square, m, m), dot(swap_last_two(q), slice_axis(a, last, m, g.extents->difference(n, m))), last);
  }
};
/// The only row of each matrix, as a vector.
constexpr ref as_vectors(ref x) { return reshape(x, without_axes(x.shape(), 1u << (x.rank() - 2))); }
/// Part 0: eigenvalues, part 1: eigenvectors.
template <int Part>
struct eigh_operation {
  static constexpr ref emit(builder& g, ref a) {
    amount const n = g.unify(a.extent(a.rank() - 1), a.extent(a.rank() - 2));
    return Part == 0 ? as_vectors(rows_of(eigh(a), 0, 1)) : rows_of(eigh(a), 1, n);
  }
};
/// Part 0: u, part 1: s, part 2: v^T.
template <int Part>
struct svd_operation {
  static constexpr ref emit(builder& g, ref a) {
    bool const wide = is_wide(g, a);
    ref const tall = wide ? swap_last_two(a) : a, y = svd(tall);
    amount const m = tall.extent(a.rank() - 2), n = tall.extent(a.rank() - 1);
    if (Part == 1) return as_vectors(rows_of(y, m, 1));
    ref const u = rows_of(y, 0, m), v = rows_of(y, g.extents->sum(m, 1), n);
    return Part == 0 ? (wide ? v : u) : swap_last_two(wide ? u : v);
  }
};
template <template <int> class Operation, int... Part>
struct parts_of {
  constexpr auto operator()(auto const& a) const { return std::tuple{apply<Operation<Part>>(a)...}; }
};
/// The parts of a factorisation of matrices [.., m, n], or with `Square` [.., n, n].
template <bool Square, template <int> class Operation, int... Part, class A>
constexpr auto decompose(A const& a) {
  using S = shape_of<A>;
  using T = element_of<A>;
  if constexpr (S::rank < 2 || (Square && !is_square<S>) || !std::is_floating_point_v<T>) return std::tuple{(static_cast<void>(Part), failed<T, shape<>>{})...};
  else return factors_of<parts_of<Operation, Part...>>(a);
}
/// One part, as an expression.
template <bool Square, class Operation, class A>
constexpr auto one_part(A&& a) {
  using S = shape_of<A>;
  using T = element_of<A>;
  if constexpr (S::rank < 2 || (Square && !is_square<S>) || !std::is_floating_point_v<T>) return failed<T, shape<>>{};
  else return apply<Operation>(static_cast<A&&>(a));
}

}  // namespace detail

namespace linalg {

/// `auto [q, r] = qr(a)`: a = q r for matrices a, [.., m, n], with k = min(m, n): q, [.., m, k], has orthonormal columns, r, [.., k, n], is upper triangular. Reflections, 2 n^2 (m - n / 3) multiply-adds where m >= n; signs as
/// NumPy's. Derivatives need a of full rank; the first k columns of a wide one. Of extents chosen at run time there must be as many rows as columns, at least: that is checked at the call.
template <operand A>
constexpr auto qr(A const& a) {
  (void)sizeof(detail::any_matrix<detail::shape_of<A>>);
  (void)sizeof(detail::real_elements<detail::element_of<A>>);
  return detail::decompose<false, detail::qr_operation, 0, 1>(a);
}

/// `auto [w, v] = eigh(a)`: a v = v diag(w) for symmetric matrices a, [.., n, n], of which only the lower triangle is read: eigenvalues w, [.., n], ascending; eigenvectors, the columns of v, [.., n, n], orthonormal, each with a sign of
/// its own. About 4 n^3 multiply-adds. Derivatives of v do not exist where eigenvalues are equal, and are large where they nearly are. All results are nan where an element of a is not finite.
template <operand A>
constexpr auto eigh(A const& a) {
  (void)sizeof(detail::square_matrix<detail::shape_of<A>>);
  (void)sizeof(detail::real_elements<detail::element_of<A>>);
  return detail::decompose<true, detail::eigh_operation, 0, 1>(a);
}
/// Only the eigenvalues, as an expression.
template <operand A>
constexpr auto eigvalsh(A&& a) {
  (void)sizeof(detail::square_matrix<detail::shape_of<A>>);
  (void)sizeof(detail::real_elements<detail::element_of<A>>);
  return detail::one_part<true, detail::eigh_operation<0>>(static_cast<A&&>(a));
}

/// `auto [u, s, vh] = svd(a)`: a = u diag(s) vh for matrices a, [.., m, n], with k = min(m, n): u, [.., m, k], has orthonormal columns, vh, [.., k, n], orthonormal rows; singular values s, [.., k], descending. (NumPy's full_matrices=False.) One-sided
/// Jacobi rotations, which find small singular values as exactly as large ones; about 3 m n^2 multiply-adds, and 2.5 n^3 for each of 4 (n = 3) to 11 (n = 256) sweeps. Derivatives of u and vh do not exist where singular values are equal, or 0.
/// All results are nan where an element of a is not finite.
template <operand A>
constexpr auto svd(A const& a) {
  (void)sizeof(detail::any_matrix<detail::shape_of<A>>);
  (void)sizeof(detail::real_elements<detail::element_of<A>>);
  return detail::decompose<false, detail::svd_operation, 0, 1, 2>(a);
}
/// Only the singular values, as an expression.
template <operand A>
constexpr auto svdvals(A&& a) {
  (void)sizeof(detail::any_matrix<detail::shape_of<A>>);
  (void)sizeof(detail::real_elements<detail::element_of<A>>);
  return detail::one_part<false, detail::svd_operation<1>>(static_cast<A&&>(a));
}

}  // namespace linalg
}  // namespace DIMITY_NAMESPACE
