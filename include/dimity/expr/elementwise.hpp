// The elementwise operations behind operators.hpp and functions.hpp: what each appends to a program.
#pragma once

#include <dimity/expr/expression.hpp>
#include <dimity/expr/rules.hpp>

namespace DIMITY_NAMESPACE {
namespace detail {

/// Functions that NumPy computes in floating point whatever they are given.
template <primitive P>
struct floating_operation {
  static constexpr ref emit(builder&, ref a) { return unary(P, cast(a, floating_result(a.type()))); }
  static constexpr ref emit(builder&, ref a, ref b) {
    dtype const type = floating_result(promote(a.type(), b.type()));
    return binary(P, cast(a, type), cast(b, type));
  }
};
/// Functions that keep the element type.
template <primitive P>
struct plain_operation {
  static constexpr ref emit(builder&, ref a) { return unary(P, a); }
  static constexpr ref emit(builder&, ref a, ref b) { return binary(P, a, b); }
};
/// Arithmetic: truth values count as 0 and 1 in it.
template <primitive P>
struct arithmetic_operation {
  static constexpr ref number(ref a, dtype beside = dtype::boolean) {
    return a.type() == dtype::boolean ? cast(a, beside == dtype::boolean ? dtype::int8 : beside) : a;
  }
  static constexpr ref emit(builder&, ref a) { return unary(P, number(a)); }
  static constexpr ref emit(builder&, ref a, ref b) {
    bool const both = a.type() == dtype::boolean && b.type() == dtype::boolean;
    if (both && (P == primitive::add || P == primitive::multiply))  // as NumPy: logical or, logical and
      return binary(P == primitive::add ? primitive::bitwise_or : primitive::bitwise_and, a, b);
    return binary(P, number(a, b.type()), number(b, a.type()));
  }
};
template <primitive P, bool SwapOperands = false, bool Negate = false>
struct comparison_operation {
  static constexpr ref emit(builder&, ref a, ref b) {
    ref const r = SwapOperands ? binary(P, b, a) : binary(P, a, b);
    return Negate ? unary(primitive::logical_not, r) : r;
  }
};
template <primitive P>
struct logical_operation {
  static constexpr ref emit(builder&, ref a) { return unary(P, cast(a, dtype::boolean)); }
  static constexpr ref emit(builder&, ref a, ref b) { return binary(P, cast(a, dtype::boolean), cast(b, dtype::boolean)); }
};
template <primitive P>
struct bitwise_operation {
  static constexpr ref emit(builder&, ref a) { return unary(P, a); }
  static constexpr ref emit(builder&, ref a, ref b) { return binary(P, a, b); }
};
struct stop_gradient_operation {
  static constexpr ref emit(builder& g, ref a) { return append(g, primitive::copy, a.type(), a.shape(), a.id, -1, -1, 1); }
};
/// Of floats through the exact remainder, as Python and NumPy: 1.0 // 0.1 is 9, and a == b * (a // b) + a % b.
struct floor_divide_operation {
  static constexpr ref emit(builder&, ref x, ref y) {
    dtype const type = promote(x.type(), y.type()) == dtype::boolean ? dtype::int8 : promote(x.type(), y.type());
    ref const a = cast(x, type), b = cast(y, type);
    if (!is_floating(type)) return binary(primitive::divide, a, b);
    ref const r = binary(primitive::remainder, a, b);
    ref const q = unary(primitive::round, (a - r) / b);
    // The remainder is an infinite divisor itself where the signs differ.
    return select(equal(b, full_like(b, 0)), unary(primitive::floor, a / b), select(equal(r, b), full_like(q, -1), q));
  }
};
struct where_operation {
  static constexpr ref emit(builder&, ref c, ref a, ref b) { return select(cast(c, dtype::boolean), a, b); }
};
template <dtype T>
struct cast_operation {
  static constexpr ref emit(builder&, ref a) { return cast(a, T, always_rounds); }
};
struct clip_operation {
  static constexpr ref emit(builder&, ref a, ref low, ref high) { return binary(primitive::minimum, binary(primitive::maximum, a, low), high); }
};
struct logaddexp_operation {
  static constexpr ref emit(builder&, ref x, ref y) {
    dtype const type = floating_result(promote(x.type(), y.type()));
    ref const a = cast(x, type), b = cast(y, type);
    ref const difference = a - b;
    ref const m = binary(primitive::maximum, a, b);
    ref const sum = m + unary(primitive::log1p, unary(primitive::exp, -unary(primitive::abs, difference)));
    // Equal infinities would give inf - inf.
    return select(equal(a, b), a + ln_2_of(type), sum);
  }
  static constexpr double ln_2_of(dtype) { return 0.693147180559945309417232121458176568; }
};
/// x * Phi(x), Hendrycks & Gimpel, arXiv 1606.08415; the tanh form is their approximation.
struct gelu_operation {
  static constexpr ref emit(builder&, ref a) {
    ref const x = cast(a, floating_result(a.type()));
    return x * (0.5 * (1.0 + unary(primitive::erf, x * 0.707106781186547524400844362104849039)));
  }
};
struct gelu_tanh_operation {
  static constexpr ref emit(builder&, ref a) {
    ref const x = cast(a, floating_result(a.type()));
    ref const inner = 0.797884560802865355879892119868763737 * (x + 0.044715 * (x * unary(primitive::square, x)));
    return x * (0.5 * (1.0 + unary(primitive::tanh, inner)));
  }
};
struct silu_operation {
  static constexpr ref emit(builder&, ref a) {
    ref const x = cast(a, floating_result(a.type()));
    return x * unary(primitive::sigmoid, x);
  }
};

template <class A, class B>
concept elementwise_pair = (operand<A> && (operand<B> || scalar<B>)) || (operand<B> && scalar<A>);

/// A scalar broadcasts like a tensor of rank 0. Callers of apply_pair check broadcast_shapes themselves: a level less in the error message.
template <class X>
struct shape_or_scalar_of {
  using type = shape<>;
};
template <operand X>
struct shape_or_scalar_of<X> {
  using type = shape_of<X>;
};
template <class X>
using shape_or_scalar = typename shape_or_scalar_of<X>::type;

template <class X>
inline constexpr bool is_described = !tracer<X> && !is_failed<std::remove_cvref_t<X>>;

/// Both operands as operands: scalars take the element type that promotion gives them.
template <class Operation, class A, class B>
constexpr auto apply_pair(A&& a, B&& b) {
  if constexpr (!operand<B>) {
    // Not through apply() where it makes a node: each function that a node has for itself costs compile time.
    if constexpr (is_described<A>) {
      using leaf = scalar_leaf<scalar_beside<A, std::remove_cvref_t<B>>>;
      return node_of<Operation, A, leaf>{{{stored_t<A>(static_cast<A&&>(a))}, {{static_cast<decltype(leaf::value)>(b)}}}};
    } else {
      return apply<Operation>(static_cast<A&&>(a), as_operand<A>(b));
    }
  } else if constexpr (!operand<A>) {
    if constexpr (is_described<B>) {
      using leaf = scalar_leaf<scalar_beside<B, std::remove_cvref_t<A>>>;
      return node_of<Operation, leaf, B>{{{{static_cast<decltype(leaf::value)>(a)}}, {stored_t<B>(static_cast<B&&>(b))}}};
    } else {
      return apply<Operation>(as_operand<B>(a), static_cast<B&&>(b));
    }
  } else if constexpr (!broadcastable<shape_of<A>, shape_of<B>>) {
    return failed<typename result_of<Operation, info_of<A>, operand_info<element_of<B>, shape<>>>::element, shape_of<A>>{};
  } else if constexpr (is_described<A> && is_described<B>) {
    return node_of<Operation, A, B>{{{stored_t<A>(static_cast<A&&>(a))}, {stored_t<B>(static_cast<B&&>(b))}}};
  } else {
    return apply<Operation>(static_cast<A&&>(a), static_cast<B&&>(b));
  }
}

}  // namespace detail
}  // namespace DIMITY_NAMESPACE
