// Systems of linear equations.
#pragma once

#include <dimity/expr/contraction.hpp>
#include <dimity/expr/creation.hpp>
#include <dimity/program/emit_linalg.hpp>

namespace DIMITY_NAMESPACE {
namespace detail {

template <class Matrix>
struct square_matrix {
  static_assert(Matrix::rank >= 2 && may_be_equal(Matrix::at(-1), Matrix::at(-2)), "[dimity.linalg.1] linalg: a square matrix is needed, [.., n, n]");
};
template <class T>
struct real_elements {
  static_assert(std::is_floating_point_v<T>, "[dimity.linalg.2] linalg: the elements must be float or double");
};
template <class Matrix>
inline constexpr bool is_square = Matrix::rank >= 2 && may_be_equal(Matrix::at(-1), Matrix::at(-2));

/// The solution of a x = b with matrices or vectors b, whose leading axes broadcast, by `solution` of two equal batches.
template <class F>
constexpr ref system_operation(builder& g, ref a, ref b, F const& solution) {
  dtype const type = promote(a.type(), b.type());
  a = cast(a, type);
  b = cast(b, type);
  bool const vector = b.rank() == 1;
  if (vector) {
    shape_value s = b.shape();
    s.push(1);
    b = reshape(b, s);
  }
  shape_value left, right;
  for (int i = 0; i + 2 < a.rank(); ++i) left.push(a.extent(i));
  for (int i = 0; i + 2 < b.rank(); ++i) right.push(b.extent(i));
  shape_value const batch = broadcast_shape(g, left, right);
  g.unify(a.extent(a.rank() - 1), a.extent(a.rank() - 2));
  g.unify(a.extent(a.rank() - 1), b.extent(b.rank() - 2));
  amount const n = a.extent(a.rank() - 1), k = b.extent(b.rank() - 1);
  shape_value sa = batch, sb = batch, result = batch;
  sa.push(n);
  sa.push(n);
  sb.push(n);
  sb.push(k);
  result.push(n);
  ref const x = solution(broadcast_to(a, sa), broadcast_to(b, sb));
  return vector ? reshape(x, result) : x;
}
struct solve_operation {
  static constexpr ref emit(builder& g, ref a, ref b) { return system_operation(g, a, b, [](ref m, ref r) { return solve(m, r); }); }
};
/// What is asked of matrix and right-hand side, one after the other. Asked by the public functions, where the error has the fewest lines above it.
template <class A, class B>
struct system_rules {
  using matrix = shape_of<A>;
  using right = shape_of<B>;
  using element = type_of<promote(dtype_of<element_of<A>>, dtype_of<element_of<B>>)>;
  static constexpr bool has_matrix = is_square<matrix> && std::is_floating_point_v<element>;
  using shapes = std::conditional_t<has_matrix, matmul_shapes<matrix, right>, matrix>;
  using batches = std::conditional_t<has_matrix, matmul_batches<matrix, right>, matrix>;
};
/// The operation, where matrix and right-hand side fit.
template <class Operation, class A, class B>
constexpr auto apply_system(A&& a, B&& b) {
  using rules = system_rules<A, B>;
  if constexpr (!rules::has_matrix || !matmul_compatible_shapes<typename rules::matrix, typename rules::right>::value) return failed<typename rules::element, typename rules::right>{};
  else return apply<Operation>(static_cast<A&&>(a), static_cast<B&&>(b));
}

/// F of matrices whose rows are as many as their columns.
template <ref (*F)(ref)>
struct square_operation {
  static constexpr ref emit(builder& g, ref a) {
    g.unify(a.extent(a.rank() - 1), a.extent(a.rank() - 2));
    return F(a);
  }
};
constexpr ref inverse(ref a) { return solve(a, identity_matrices(a)); }
/// Of a matrix that must be square, with elements that can be divided; what stands for the result otherwise is rank 0.
template <class Operation, class A>
constexpr auto apply_to_square(A&& a) {
  using S = shape_of<A>;
  using T = element_of<A>;
  (void)sizeof(square_matrix<S>);
  (void)sizeof(real_elements<T>);
  if constexpr (!is_square<S> || !std::is_floating_point_v<T>) return failed<T, shape<>>{};
  else return apply<Operation>(static_cast<A&&>(a));
}

}  // namespace detail

namespace linalg {

/// The solution x of a x = b: a is [.., n, n], b [n] or [.., n, k], and leading axes broadcast. Elimination with partial pivoting: n^3 / 3 multiply-adds and n^2 for each column of b. A singular matrix gives inf or nan.
/// float and double; integers are not converted.
template <operand A, operand B>
constexpr auto solve(A&& a, B&& b) {
  using rules = detail::system_rules<A, B>;
  (void)sizeof(detail::square_matrix<typename rules::matrix>);
  (void)sizeof(detail::real_elements<typename rules::element>);
  (void)sizeof(typename rules::shapes);
  (void)sizeof(typename rules::batches);
  return detail::apply_system<detail::solve_operation>(static_cast<A&&>(a), static_cast<B&&>(b));
}

/// The inverse of a, [.., n, n]: solve(a, eye). To solve equations, call solve(): it is faster and more accurate.
template <operand A>
constexpr auto inv(A&& a) {
  return detail::apply_to_square<detail::square_operation<detail::inverse>>(static_cast<A&&>(a));
}

}  // namespace linalg
}  // namespace DIMITY_NAMESPACE
