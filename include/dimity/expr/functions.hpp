// Elementwise functions on tensors, expressions and tracers alike. Integers are computed as float64 where the result is not an integer, as in NumPy.
#pragma once

#include <dimity/expr/elementwise.hpp>

namespace DIMITY_NAMESPACE {

/// Absolute value.
template <operand A>
constexpr auto abs(A&& a) {
  return detail::apply<detail::arithmetic_operation<detail::primitive::abs>>(static_cast<A&&>(a));
}
/// -1, 0 or 1; nan stays nan.
template <operand A>
constexpr auto sign(A&& a) {
  return detail::apply<detail::arithmetic_operation<detail::primitive::sign>>(static_cast<A&&>(a));
}
/// x * x
template <operand A>
constexpr auto square(A&& a) {
  return detail::apply<detail::arithmetic_operation<detail::primitive::square>>(static_cast<A&&>(a));
}
/// max(x, 0); nan stays nan.
template <operand A>
constexpr auto relu(A&& a) {
  return detail::apply<detail::arithmetic_operation<detail::primitive::relu>>(static_cast<A&&>(a));
}
template <operand A>
constexpr auto floor(A&& a) {
  return detail::apply<detail::arithmetic_operation<detail::primitive::floor>>(static_cast<A&&>(a));
}
template <operand A>
constexpr auto ceil(A&& a) {
  return detail::apply<detail::arithmetic_operation<detail::primitive::ceil>>(static_cast<A&&>(a));
}
/// To the nearest integer, halves to even, as in NumPy.
template <operand A>
constexpr auto round(A&& a) {
  return detail::apply<detail::arithmetic_operation<detail::primitive::round>>(static_cast<A&&>(a));
}
/// Towards zero.
template <operand A>
constexpr auto trunc(A&& a) {
  return detail::apply<detail::arithmetic_operation<detail::primitive::trunc>>(static_cast<A&&>(a));
}
template <operand A>
constexpr auto exp(A&& a) {
  return detail::apply<detail::floating_operation<detail::primitive::exp>>(static_cast<A&&>(a));
}
/// 2 to the power x.
template <operand A>
constexpr auto exp2(A&& a) {
  return detail::apply<detail::floating_operation<detail::primitive::exp2>>(static_cast<A&&>(a));
}
/// exp(x) - 1, accurate near 0.
template <operand A>
constexpr auto expm1(A&& a) {
  return detail::apply<detail::floating_operation<detail::primitive::expm1>>(static_cast<A&&>(a));
}
/// Natural logarithm; -inf at 0, nan below.
template <operand A>
constexpr auto log(A&& a) {
  return detail::apply<detail::floating_operation<detail::primitive::log>>(static_cast<A&&>(a));
}
template <operand A>
constexpr auto log2(A&& a) {
  return detail::apply<detail::floating_operation<detail::primitive::log2>>(static_cast<A&&>(a));
}
template <operand A>
constexpr auto log10(A&& a) {
  return detail::apply<detail::floating_operation<detail::primitive::log10>>(static_cast<A&&>(a));
}
/// log(1 + x), accurate near 0.
template <operand A>
constexpr auto log1p(A&& a) {
  return detail::apply<detail::floating_operation<detail::primitive::log1p>>(static_cast<A&&>(a));
}
/// Square root; nan below 0.
template <operand A>
constexpr auto sqrt(A&& a) {
  return detail::apply<detail::floating_operation<detail::primitive::sqrt>>(static_cast<A&&>(a));
}
/// 1 / sqrt(x), correctly rounded division, not the fast approximation.
template <operand A>
constexpr auto rsqrt(A&& a) {
  return detail::apply<detail::floating_operation<detail::primitive::rsqrt>>(static_cast<A&&>(a));
}
/// Cube root.
template <operand A>
constexpr auto cbrt(A&& a) {
  return detail::apply<detail::floating_operation<detail::primitive::cbrt>>(static_cast<A&&>(a));
}
/// Angles are in radians.
template <operand A>
constexpr auto sin(A&& a) {
  return detail::apply<detail::floating_operation<detail::primitive::sin>>(static_cast<A&&>(a));
}
template <operand A>
constexpr auto cos(A&& a) {
  return detail::apply<detail::floating_operation<detail::primitive::cos>>(static_cast<A&&>(a));
}
template <operand A>
constexpr auto tan(A&& a) {
  return detail::apply<detail::floating_operation<detail::primitive::tan>>(static_cast<A&&>(a));
}
template <operand A>
constexpr auto asin(A&& a) {
  return detail::apply<detail::floating_operation<detail::primitive::asin>>(static_cast<A&&>(a));
}
template <operand A>
constexpr auto acos(A&& a) {
  return detail::apply<detail::floating_operation<detail::primitive::acos>>(static_cast<A&&>(a));
}
template <operand A>
constexpr auto atan(A&& a) {
  return detail::apply<detail::floating_operation<detail::primitive::atan>>(static_cast<A&&>(a));
}
template <operand A>
constexpr auto sinh(A&& a) {
  return detail::apply<detail::floating_operation<detail::primitive::sinh>>(static_cast<A&&>(a));
}
template <operand A>
constexpr auto cosh(A&& a) {
  return detail::apply<detail::floating_operation<detail::primitive::cosh>>(static_cast<A&&>(a));
}
template <operand A>
constexpr auto tanh(A&& a) {
  return detail::apply<detail::floating_operation<detail::primitive::tanh>>(static_cast<A&&>(a));
}
template <operand A>
constexpr auto asinh(A&& a) {
  return detail::apply<detail::floating_operation<detail::primitive::asinh>>(static_cast<A&&>(a));
}
template <operand A>
constexpr auto acosh(A&& a) {
  return detail::apply<detail::floating_operation<detail::primitive::acosh>>(static_cast<A&&>(a));
}
template <operand A>
constexpr auto atanh(A&& a) {
  return detail::apply<detail::floating_operation<detail::primitive::atanh>>(static_cast<A&&>(a));
}
/// 2/sqrt(pi) times the integral of exp(-t^2) from 0 to x.
template <operand A>
constexpr auto erf(A&& a) {
  return detail::apply<detail::floating_operation<detail::primitive::erf>>(static_cast<A&&>(a));
}
/// 1 - erf(x), accurate for large x.
template <operand A>
constexpr auto erfc(A&& a) {
  return detail::apply<detail::floating_operation<detail::primitive::erfc>>(static_cast<A&&>(a));
}
/// 1 / (1 + exp(-x))
template <operand A>
constexpr auto sigmoid(A&& a) {
  return detail::apply<detail::floating_operation<detail::primitive::sigmoid>>(static_cast<A&&>(a));
}
/// log(1 + exp(x)), without overflow.
template <operand A>
constexpr auto softplus(A&& a) {
  return detail::apply<detail::floating_operation<detail::primitive::softplus>>(static_cast<A&&>(a));
}
/// x * Phi(x) with the exact normal distribution function (Hendrycks & Gimpel 2016).
template <operand A>
constexpr auto gelu(A&& a) {
  return detail::apply<detail::gelu_operation>(static_cast<A&&>(a));
}
/// The tanh approximation of gelu, as in GPT-2.
template <operand A>
constexpr auto gelu_tanh(A&& a) {
  return detail::apply<detail::gelu_tanh_operation>(static_cast<A&&>(a));
}
/// x * sigmoid(x)
template <operand A>
constexpr auto silu(A&& a) {
  return detail::apply<detail::silu_operation>(static_cast<A&&>(a));
}
/// A tensor of bool.
template <operand A>
constexpr auto isnan(A&& a) {
  return detail::apply<detail::plain_operation<detail::primitive::isnan>>(static_cast<A&&>(a));
}
template <operand A>
constexpr auto isinf(A&& a) {
  return detail::apply<detail::plain_operation<detail::primitive::isinf>>(static_cast<A&&>(a));
}
template <operand A>
constexpr auto isfinite(A&& a) {
  return detail::apply<detail::plain_operation<detail::primitive::isfinite>>(static_cast<A&&>(a));
}
template <operand A>
constexpr auto logical_not(A&& a) {
  return detail::apply<detail::logical_operation<detail::primitive::logical_not>>(static_cast<A&&>(a));
}
/// a to the power b. Integers stay integers; negative integer exponents give 0 except for bases 1 and -1.
template <class A, class B>
  requires detail::elementwise_pair<A, B>
constexpr auto pow(A&& a, B&& b) {
  (void)sizeof(detail::broadcast_shapes<detail::shape_or_scalar<A>, detail::shape_or_scalar<B>>);
  return detail::apply_pair<detail::arithmetic_operation<detail::primitive::power>>(static_cast<A&&>(a), static_cast<B&&>(b));
}
/// The angle of the point (b, a), in (-pi, pi].
template <class A, class B>
  requires detail::elementwise_pair<A, B>
constexpr auto atan2(A&& a, B&& b) {
  (void)sizeof(detail::broadcast_shapes<detail::shape_or_scalar<A>, detail::shape_or_scalar<B>>);
  return detail::apply_pair<detail::floating_operation<detail::primitive::atan2>>(static_cast<A&&>(a), static_cast<B&&>(b));
}
/// sqrt(a^2 + b^2) without overflow.
template <class A, class B>
  requires detail::elementwise_pair<A, B>
constexpr auto hypot(A&& a, B&& b) {
  (void)sizeof(detail::broadcast_shapes<detail::shape_or_scalar<A>, detail::shape_or_scalar<B>>);
  return detail::apply_pair<detail::floating_operation<detail::primitive::hypot>>(static_cast<A&&>(a), static_cast<B&&>(b));
}
/// The larger one, elementwise; nan if either is nan.
template <class A, class B>
  requires detail::elementwise_pair<A, B>
constexpr auto maximum(A&& a, B&& b) {
  (void)sizeof(detail::broadcast_shapes<detail::shape_or_scalar<A>, detail::shape_or_scalar<B>>);
  return detail::apply_pair<detail::plain_operation<detail::primitive::maximum>>(static_cast<A&&>(a), static_cast<B&&>(b));
}
template <class A, class B>
  requires detail::elementwise_pair<A, B>
constexpr auto minimum(A&& a, B&& b) {
  (void)sizeof(detail::broadcast_shapes<detail::shape_or_scalar<A>, detail::shape_or_scalar<B>>);
  return detail::apply_pair<detail::plain_operation<detail::primitive::minimum>>(static_cast<A&&>(a), static_cast<B&&>(b));
}
/// log(exp(a) + exp(b)) without overflow.
template <class A, class B>
  requires detail::elementwise_pair<A, B>
constexpr auto logaddexp(A&& a, B&& b) {
  (void)sizeof(detail::broadcast_shapes<detail::shape_or_scalar<A>, detail::shape_or_scalar<B>>);
  return detail::apply_pair<detail::logaddexp_operation>(static_cast<A&&>(a), static_cast<B&&>(b));
}
/// floor(a / b); 0 for integers divided by 0.
template <class A, class B>
  requires detail::elementwise_pair<A, B>
constexpr auto floor_divide(A&& a, B&& b) {
  (void)sizeof(detail::broadcast_shapes<detail::shape_or_scalar<A>, detail::shape_or_scalar<B>>);
  return detail::apply_pair<detail::floor_divide_operation>(static_cast<A&&>(a), static_cast<B&&>(b));
}
template <class A, class B>
  requires detail::elementwise_pair<A, B>
constexpr auto logical_and(A&& a, B&& b) {
  (void)sizeof(detail::broadcast_shapes<detail::shape_or_scalar<A>, detail::shape_or_scalar<B>>);
  return detail::apply_pair<detail::logical_operation<detail::primitive::bitwise_and>>(static_cast<A&&>(a), static_cast<B&&>(b));
}
template <class A, class B>
  requires detail::elementwise_pair<A, B>
constexpr auto logical_or(A&& a, B&& b) {
  (void)sizeof(detail::broadcast_shapes<detail::shape_or_scalar<A>, detail::shape_or_scalar<B>>);
  return detail::apply_pair<detail::logical_operation<detail::primitive::bitwise_or>>(static_cast<A&&>(a), static_cast<B&&>(b));
}
template <class A, class B>
  requires detail::elementwise_pair<A, B>
constexpr auto logical_xor(A&& a, B&& b) {
  (void)sizeof(detail::broadcast_shapes<detail::shape_or_scalar<A>, detail::shape_or_scalar<B>>);
  return detail::apply_pair<detail::logical_operation<detail::primitive::bitwise_xor>>(static_cast<A&&>(a), static_cast<B&&>(b));
}

/// Elements converted to T with C++'s rules (truncation of floats to integers); non-zero is true for bool.
template <element T, operand A>
constexpr auto cast(A&& a) {
  return detail::apply<detail::cast_operation<dtype_of<T>>>(static_cast<A&&>(a));
}

namespace detail {

template <class Other, class X>
constexpr decltype(auto) operand_or_leaf(X&& x) {
  if constexpr (operand<X>) return static_cast<X&&>(x);
  else if constexpr (operand<Other>) return as_operand<Other>(x);
  else return scalar_leaf<std::remove_cvref_t<X>>{x};
}
/// The element type that one of the branches of where() has; either will do after a mistake.
template <class A, class B>
struct where_element {
  using type = std::remove_cvref_t<B>;
};
template <class A, operand B>
struct where_element<A, B> {
  using type = element_of<B>;
};

}  // namespace detail

/// a where the condition holds, b elsewhere; the three broadcast together. Both are computed everywhere.
template <operand C, class A, class B>
  requires((operand<A> || detail::scalar<A>) && (operand<B> || detail::scalar<B>))
constexpr auto where(C&& condition, A&& a, B&& b) {
  using shapes = detail::broadcast_three<detail::shape_of<C>, detail::shape_or_scalar<A>, detail::shape_or_scalar<B>>;
  (void)sizeof(typename shapes::rule);
  if constexpr (shapes::value)
    return detail::apply<detail::where_operation>(static_cast<C&&>(condition), detail::operand_or_leaf<B>(static_cast<A&&>(a)), detail::operand_or_leaf<A>(static_cast<B&&>(b)));
  else return detail::failed<typename detail::where_element<A, B>::type, detail::shape_of<C>>{};
}

/// x limited to [low, high]; nan stays nan.
template <operand X, class Low, class High>
  requires((operand<Low> || detail::scalar<Low>) && (operand<High> || detail::scalar<High>))
constexpr auto clip(X&& x, Low&& low, High&& high) {
  using shapes = detail::broadcast_three<detail::shape_of<X>, detail::shape_or_scalar<Low>, detail::shape_or_scalar<High>>;
  (void)sizeof(typename shapes::rule);
  if constexpr (shapes::value)
    return detail::apply<detail::clip_operation>(static_cast<X&&>(x), detail::operand_or_leaf<X>(static_cast<Low&&>(low)), detail::operand_or_leaf<X>(static_cast<High&&>(high)));
  else return detail::failed<detail::element_of<X>, detail::shape_of<X>>{};
}

/// The same value, through which no derivative flows.
template <operand A>
constexpr auto stop_gradient(A&& a) {
  return detail::apply<detail::stop_gradient_operation>(static_cast<A&&>(a));
}

}  // namespace DIMITY_NAMESPACE
