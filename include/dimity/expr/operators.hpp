// Operators on tensors, expressions and tracers alike. NumPy broadcasting; NumPy promotion between tensors; a plain scalar never widens a
// tensor of floats (core/dtype.hpp). Nothing is computed until the expression is assigned or eval()uated.
#pragma once

#include <dimity/expr/elementwise.hpp>
#include <dimity/expr/eval.hpp>

namespace DIMITY_NAMESPACE {

/// Elementwise sum; logical or of truth values. Integers wrap around.
template <class A, class B>
  requires detail::elementwise_pair<A, B>
constexpr auto operator+(A&& a, B&& b) {
  (void)sizeof(detail::broadcast_shapes<detail::shape_or_scalar<A>, detail::shape_or_scalar<B>>);
  return detail::apply_pair<detail::arithmetic_operation<detail::primitive::add>>(static_cast<A&&>(a), static_cast<B&&>(b));
}
/// Elementwise difference.
template <class A, class B>
  requires detail::elementwise_pair<A, B>
constexpr auto operator-(A&& a, B&& b) {
  (void)sizeof(detail::broadcast_shapes<detail::shape_or_scalar<A>, detail::shape_or_scalar<B>>);
  return detail::apply_pair<detail::arithmetic_operation<detail::primitive::subtract>>(static_cast<A&&>(a), static_cast<B&&>(b));
}
/// Elementwise product; logical and of truth values. matmul() is the matrix product.
template <class A, class B>
  requires detail::elementwise_pair<A, B>
constexpr auto operator*(A&& a, B&& b) {
  (void)sizeof(detail::broadcast_shapes<detail::shape_or_scalar<A>, detail::shape_or_scalar<B>>);
  return detail::apply_pair<detail::arithmetic_operation<detail::primitive::multiply>>(static_cast<A&&>(a), static_cast<B&&>(b));
}
/// Elementwise quotient. Integers are divided as float64, as in NumPy; floor_divide() is the integer quotient.
template <class A, class B>
  requires detail::elementwise_pair<A, B>
constexpr auto operator/(A&& a, B&& b) {
  (void)sizeof(detail::broadcast_shapes<detail::shape_or_scalar<A>, detail::shape_or_scalar<B>>);
  return detail::apply_pair<detail::floating_operation<detail::primitive::divide>>(static_cast<A&&>(a), static_cast<B&&>(b));
}
/// Elementwise remainder with the sign of the divisor, as in Python; 0 for integers divided by 0.
template <class A, class B>
  requires detail::elementwise_pair<A, B>
constexpr auto operator%(A&& a, B&& b) {
  (void)sizeof(detail::broadcast_shapes<detail::shape_or_scalar<A>, detail::shape_or_scalar<B>>);
  return detail::apply_pair<detail::arithmetic_operation<detail::primitive::remainder>>(static_cast<A&&>(a), static_cast<B&&>(b));
}
/// Elementwise comparisons give tensors of bool; comparisons with nan are false, except !=.
template <class A, class B>
  requires detail::elementwise_pair<A, B>
constexpr auto operator<(A&& a, B&& b) {
  (void)sizeof(detail::broadcast_shapes<detail::shape_or_scalar<A>, detail::shape_or_scalar<B>>);
  return detail::apply_pair<detail::comparison_operation<detail::primitive::less>>(static_cast<A&&>(a), static_cast<B&&>(b));
}
template <class A, class B>
  requires detail::elementwise_pair<A, B>
constexpr auto operator<=(A&& a, B&& b) {
  (void)sizeof(detail::broadcast_shapes<detail::shape_or_scalar<A>, detail::shape_or_scalar<B>>);
  return detail::apply_pair<detail::comparison_operation<detail::primitive::less_equal>>(static_cast<A&&>(a), static_cast<B&&>(b));
}
template <class A, class B>
  requires detail::elementwise_pair<A, B>
constexpr auto operator>(A&& a, B&& b) {
  (void)sizeof(detail::broadcast_shapes<detail::shape_or_scalar<A>, detail::shape_or_scalar<B>>);
  return detail::apply_pair<detail::comparison_operation<detail::primitive::less, true>>(static_cast<A&&>(a), static_cast<B&&>(b));
}
template <class A, class B>
  requires detail::elementwise_pair<A, B>
constexpr auto operator>=(A&& a, B&& b) {
  (void)sizeof(detail::broadcast_shapes<detail::shape_or_scalar<A>, detail::shape_or_scalar<B>>);
  return detail::apply_pair<detail::comparison_operation<detail::primitive::less_equal, true>>(static_cast<A&&>(a), static_cast<B&&>(b));
}
template <class A, class B>
  requires detail::elementwise_pair<A, B>
constexpr auto operator==(A&& a, B&& b) {
  (void)sizeof(detail::broadcast_shapes<detail::shape_or_scalar<A>, detail::shape_or_scalar<B>>);
  return detail::apply_pair<detail::comparison_operation<detail::primitive::equal>>(static_cast<A&&>(a), static_cast<B&&>(b));
}
template <class A, class B>
  requires detail::elementwise_pair<A, B>
constexpr auto operator!=(A&& a, B&& b) {
  (void)sizeof(detail::broadcast_shapes<detail::shape_or_scalar<A>, detail::shape_or_scalar<B>>);
  return detail::apply_pair<detail::comparison_operation<detail::primitive::not_equal>>(static_cast<A&&>(a), static_cast<B&&>(b));
}
/// Elementwise logical operators; both sides are always evaluated. Non-zero is true.
template <class A, class B>
  requires detail::elementwise_pair<A, B>
constexpr auto operator&&(A&& a, B&& b) {
  (void)sizeof(detail::broadcast_shapes<detail::shape_or_scalar<A>, detail::shape_or_scalar<B>>);
  return detail::apply_pair<detail::logical_operation<detail::primitive::bitwise_and>>(static_cast<A&&>(a), static_cast<B&&>(b));
}
template <class A, class B>
  requires detail::elementwise_pair<A, B>
constexpr auto operator||(A&& a, B&& b) {
  (void)sizeof(detail::broadcast_shapes<detail::shape_or_scalar<A>, detail::shape_or_scalar<B>>);
  return detail::apply_pair<detail::logical_operation<detail::primitive::bitwise_or>>(static_cast<A&&>(a), static_cast<B&&>(b));
}
/// Elementwise bitwise operators on integers and truth values.
template <class A, class B>
  requires detail::elementwise_pair<A, B>
constexpr auto operator&(A&& a, B&& b) {
  (void)sizeof(detail::broadcast_shapes<detail::shape_or_scalar<A>, detail::shape_or_scalar<B>>);
  return detail::apply_pair<detail::bitwise_operation<detail::primitive::bitwise_and>>(static_cast<A&&>(a), static_cast<B&&>(b));
}
template <class A, class B>
  requires detail::elementwise_pair<A, B>
constexpr auto operator|(A&& a, B&& b) {
  (void)sizeof(detail::broadcast_shapes<detail::shape_or_scalar<A>, detail::shape_or_scalar<B>>);
  return detail::apply_pair<detail::bitwise_operation<detail::primitive::bitwise_or>>(static_cast<A&&>(a), static_cast<B&&>(b));
}
template <class A, class B>
  requires detail::elementwise_pair<A, B>
constexpr auto operator^(A&& a, B&& b) {
  (void)sizeof(detail::broadcast_shapes<detail::shape_or_scalar<A>, detail::shape_or_scalar<B>>);
  return detail::apply_pair<detail::bitwise_operation<detail::primitive::bitwise_xor>>(static_cast<A&&>(a), static_cast<B&&>(b));
}
/// Elementwise shifts of integers; a shift by the width or more gives 0 (or -1 for negative numbers shifted right).
template <class A, class B>
  requires detail::elementwise_pair<A, B>
constexpr auto operator<<(A&& a, B&& b) {
  (void)sizeof(detail::broadcast_shapes<detail::shape_or_scalar<A>, detail::shape_or_scalar<B>>);
  return detail::apply_pair<detail::bitwise_operation<detail::primitive::shift_left>>(static_cast<A&&>(a), static_cast<B&&>(b));
}
template <class A, class B>
  requires detail::elementwise_pair<A, B>
constexpr auto operator>>(A&& a, B&& b) {
  (void)sizeof(detail::broadcast_shapes<detail::shape_or_scalar<A>, detail::shape_or_scalar<B>>);
  return detail::apply_pair<detail::bitwise_operation<detail::primitive::shift_right>>(static_cast<A&&>(a), static_cast<B&&>(b));
}
/// Elementwise negation.
template <operand A>
constexpr auto operator-(A&& a) {
  return detail::apply<detail::arithmetic_operation<detail::primitive::negative>>(static_cast<A&&>(a));
}
template <operand A>
constexpr auto operator+(A&& a) {
  return detail::apply<detail::arithmetic_operation<detail::primitive::copy>>(static_cast<A&&>(a));
}
template <operand A>
constexpr auto operator!(A&& a) {
  return detail::apply<detail::logical_operation<detail::primitive::logical_not>>(static_cast<A&&>(a));
}
template <operand A>
constexpr auto operator~(A&& a) {
  if constexpr (std::is_same_v<detail::element_of<A>, bool>) return detail::apply<detail::logical_operation<detail::primitive::logical_not>>(static_cast<A&&>(a));
  else return detail::apply<detail::bitwise_operation<detail::primitive::bitwise_not>>(static_cast<A&&>(a));
}

namespace detail {

template <class X>
inline constexpr bool is_view = false;
template <class T, class Shape, class Strides>
inline constexpr bool is_view<tensor_view<T, Shape, Strides>> = true;

/// What a compound assignment can write to: a variable, or a view even where it is a temporary (`row(a, 1) += x`).
template <class X>
concept assignable_operand = operand<X> && (std::is_lvalue_reference_v<X> || is_view<std::remove_cvref_t<X>>) &&
                             (tracer<X> || is_row_major_destination<std::remove_cvref_t<X>> || requires(std::remove_cvref_t<X> x) { x.data(); });

/// `a += b` is `a = a + b`: in place, in one pass, and right also when b reads a at other indices.
template <class A, class X>
constexpr void compound(A& a, X&& x) {
  if constexpr (tracer<A>) a = A(static_cast<X&&>(x));
  else if constexpr (std::is_same_v<element_of<X>, element_of<A>>) a = static_cast<X&&>(x);
  else a = apply<cast_operation<dtype_of<element_of<A>>>>(static_cast<X&&>(x));
}

}  // namespace detail

template <detail::assignable_operand A, class B>
  requires(operand<B> || detail::scalar<B>)
constexpr auto& operator+=(A&& a, B&& b) {
  using shapes = detail::broadcast_into<detail::shape_or_scalar<B>, detail::shape_of<A>>;
  (void)sizeof(detail::broadcast_to_shape<detail::shape_or_scalar<B>, detail::shape_of<A>>);
  if constexpr (shapes::value) detail::compound(a, a + static_cast<B&&>(b));
  return a;
}
template <detail::assignable_operand A, class B>
  requires(operand<B> || detail::scalar<B>)
constexpr auto& operator-=(A&& a, B&& b) {
  using shapes = detail::broadcast_into<detail::shape_or_scalar<B>, detail::shape_of<A>>;
  (void)sizeof(detail::broadcast_to_shape<detail::shape_or_scalar<B>, detail::shape_of<A>>);
  if constexpr (shapes::value) detail::compound(a, a - static_cast<B&&>(b));
  return a;
}
template <detail::assignable_operand A, class B>
  requires(operand<B> || detail::scalar<B>)
constexpr auto& operator*=(A&& a, B&& b) {
  using shapes = detail::broadcast_into<detail::shape_or_scalar<B>, detail::shape_of<A>>;
  (void)sizeof(detail::broadcast_to_shape<detail::shape_or_scalar<B>, detail::shape_of<A>>);
  if constexpr (shapes::value) detail::compound(a, a * static_cast<B&&>(b));
  return a;
}
template <detail::assignable_operand A, class B>
  requires(operand<B> || detail::scalar<B>)
constexpr auto& operator/=(A&& a, B&& b) {
  using shapes = detail::broadcast_into<detail::shape_or_scalar<B>, detail::shape_of<A>>;
  (void)sizeof(detail::broadcast_to_shape<detail::shape_or_scalar<B>, detail::shape_of<A>>);
  if constexpr (shapes::value) detail::compound(a, a / static_cast<B&&>(b));
  return a;
}
template <detail::assignable_operand A, class B>
  requires(operand<B> || detail::scalar<B>)
constexpr auto& operator%=(A&& a, B&& b) {
  using shapes = detail::broadcast_into<detail::shape_or_scalar<B>, detail::shape_of<A>>;
  (void)sizeof(detail::broadcast_to_shape<detail::shape_or_scalar<B>, detail::shape_of<A>>);
  if constexpr (shapes::value) detail::compound(a, a % static_cast<B&&>(b));
  return a;
}
template <detail::assignable_operand A, class B>
  requires(operand<B> || detail::scalar<B>)
constexpr auto& operator&=(A&& a, B&& b) {
  using shapes = detail::broadcast_into<detail::shape_or_scalar<B>, detail::shape_of<A>>;
  (void)sizeof(detail::broadcast_to_shape<detail::shape_or_scalar<B>, detail::shape_of<A>>);
  if constexpr (shapes::value) detail::compound(a, a & static_cast<B&&>(b));
  return a;
}
template <detail::assignable_operand A, class B>
  requires(operand<B> || detail::scalar<B>)
constexpr auto& operator|=(A&& a, B&& b) {
  using shapes = detail::broadcast_into<detail::shape_or_scalar<B>, detail::shape_of<A>>;
  (void)sizeof(detail::broadcast_to_shape<detail::shape_or_scalar<B>, detail::shape_of<A>>);
  if constexpr (shapes::value) detail::compound(a, a | static_cast<B&&>(b));
  return a;
}
template <detail::assignable_operand A, class B>
  requires(operand<B> || detail::scalar<B>)
constexpr auto& operator^=(A&& a, B&& b) {
  using shapes = detail::broadcast_into<detail::shape_or_scalar<B>, detail::shape_of<A>>;
  (void)sizeof(detail::broadcast_to_shape<detail::shape_or_scalar<B>, detail::shape_of<A>>);
  if constexpr (shapes::value) detail::compound(a, a ^ static_cast<B&&>(b));
  return a;
}
template <detail::assignable_operand A, class B>
  requires(operand<B> || detail::scalar<B>)
constexpr auto& operator<<=(A&& a, B&& b) {
  using shapes = detail::broadcast_into<detail::shape_or_scalar<B>, detail::shape_of<A>>;
  (void)sizeof(detail::broadcast_to_shape<detail::shape_or_scalar<B>, detail::shape_of<A>>);
  if constexpr (shapes::value) detail::compound(a, a << static_cast<B&&>(b));
  return a;
}
template <detail::assignable_operand A, class B>
  requires(operand<B> || detail::scalar<B>)
constexpr auto& operator>>=(A&& a, B&& b) {
  using shapes = detail::broadcast_into<detail::shape_or_scalar<B>, detail::shape_of<A>>;
  (void)sizeof(detail::broadcast_to_shape<detail::shape_or_scalar<B>, detail::shape_of<A>>);
  if constexpr (shapes::value) detail::compound(a, a >> static_cast<B&&>(b));
  return a;
}

}  // namespace DIMITY_NAMESPACE
