// Factorisations of matrices, what is solved with them, and determinants.
#pragma once

#include <dimity/linalg/solve.hpp>
#include <dimity/transform/compile.hpp>

#include <tuple>

namespace DIMITY_NAMESPACE {
namespace detail {

template <bool Upper>
struct triangular_solve_operation {
  static constexpr ref emit(builder& g, ref a, ref b) { return system_operation(g, a, b, [](ref m, ref r) { return triangular_solve(m, r, Upper); }); }
};
/// Entry 0 or 1 of slogdet's result.
template <int Part>
constexpr ref part_of_slogdet(ref a) {
  ref const both = slogdet(a);
  return reshape(slice_axis(both, both.rank() - 1, Part, 1), without_axes(both.shape(), 1u << (both.rank() - 1)));
}
constexpr ref determinant(ref a) { return part_of_slogdet<0>(a) * unary(primitive::exp, part_of_slogdet<1>(a)); }
struct slogdet_parts {
  constexpr auto operator()(auto const& a) const { return std::tuple{apply<square_operation<part_of_slogdet<0>>>(a), apply<square_operation<part_of_slogdet<1>>>(a)}; }
};
/// A tensor or a view as it is, the value of anything else.
template <class X>
constexpr decltype(auto) stored_value(X const& x) {
  if constexpr (is_stored_tensor<X>) return (x);
  else return eval(x);
}
/// All parts of one factorisation: values of the program in a traced function, otherwise tensors, so that it is computed once.
template <class Parts, class A>
constexpr auto factors_of(A const& a) {
  // What has no tensor in it may stand in a traced function, so it stays an expression.
  if constexpr (tracer<A> || is_failed<A> || !is_captured<A>) return Parts{}(a);
  else return compile(Parts{})(stored_value(a));
}
}  // namespace detail

namespace linalg {

/// The lower triangle l with a = l l^T, of symmetric positive definite matrices a, [.., n, n], of which only the lower triangle is read. n^3 / 6 multiply-adds. nan where a is not positive definite.
template <operand A>
constexpr auto cholesky(A&& a) {
  return detail::apply_to_square<detail::square_operation<detail::cholesky>>(static_cast<A&&>(a));
}

/// The solution x of a x = b where a, [.., n, n], is a lower triangle (`upper` false; what is above the diagonal is not read) or an upper one; b is [n] or [.., n, k], and leading axes broadcast. n^2 / 2 multiply-adds for each column of b.
/// With cholesky(): a^-1 b is `triangular_solve<true>(matrix_transpose(l), triangular_solve(l, b))`.
template <bool Upper = false, operand A, operand B>
constexpr auto triangular_solve(A&& a, B&& b) {
  using rules = detail::system_rules<A, B>;
  (void)sizeof(detail::square_matrix<typename rules::matrix>);
  (void)sizeof(detail::real_elements<typename rules::element>);
  (void)sizeof(typename rules::shapes);
  (void)sizeof(typename rules::batches);
  return detail::apply_system<detail::triangular_solve_operation<Upper>>(static_cast<A&&>(a), static_cast<B&&>(b));
}

/// The sign of the determinant of a, [.., n, n], and the logarithm of its absolute value, [..] each: (0, -inf) for a singular matrix. Elimination with partial pivoting, n^3 / 3 multiply-adds. The derivative is that of
/// the logarithm, a^-T.
template <operand A>
constexpr auto slogdet(A const& a) {
  using S = detail::shape_of<A>;
  using T = detail::element_of<A>;
  (void)sizeof(detail::square_matrix<S>);
  (void)sizeof(detail::real_elements<T>);
  if constexpr (detail::is_square<S> && std::is_floating_point_v<T>) return detail::factors_of<detail::slogdet_parts>(a);
  else return std::tuple{detail::failed<T, shape<>>{}, detail::failed<T, shape<>>{}};
}
/// The determinant of a, [.., n, n]: through slogdet(), which neither overflows nor underflows on the way. No derivative where it is 0.
template <operand A>
constexpr auto det(A&& a) {
  return detail::apply_to_square<detail::square_operation<detail::determinant>>(static_cast<A&&>(a));
}

}  // namespace linalg
}  // namespace DIMITY_NAMESPACE
