// Derivatives of elementwise primitives: the diagonal of the Jacobian, applied to a tangent or a cotangent alike.
// Written through the result where that is possible, so that the operand need not be kept for the backward pass.
// Formulas: Abramowitz & Stegun, chapters 4 and 7.
#pragma once

#include <dimity/program/emit.hpp>

namespace DIMITY_NAMESPACE::detail {

inline constexpr double ln_2 = 0.693147180559945309417232121458176568;
inline constexpr double ln_10 = 2.302585092994045684017991454684364208;
inline constexpr double two_over_sqrt_pi = 1.128379167095512573896158903121545172;

constexpr ref zeros_like(ref x) { return full_like(x, 0); }
/// Zeros for the derivative of x, of the element type of another derivative that they meet.
constexpr ref zeros_beside(ref t, ref x) { return full(*x.g, t.type(), x.shape(), 0); }

/// Derivatives of 8-bit floats are of their type, but float until a program stores them: in 8 bits, without a scale, most of them would be lost. So rules work on what is to be rounded, and say again that it is.
template <class Rule>
constexpr ref without_8_bits(ref t, dtype type, Rule const& rule) {
  ref const r = rule(is_float8(t.type()) ? widened(t) : t);
  return r.valid() && is_float8(type) ? cast(r, type) : r;
}
constexpr ref greater(ref a, ref b) { return less(b, a); }

/// t * d(y)/d(operand k), or an invalid ref where the derivative is zero. t has y's shape.
constexpr ref scale_by_derivative(ref y, int k, ref t) {
  node const n = y.get();
  builder& g = *y.g;
  ref const a{&g, n.arg[0]}, b{&g, n.arg[1]};
  if (!is_floating(y.type()) || !is_floating(g.type(n.arg[k]))) return {};
  switch (n.op) {
    case primitive::copy: return n.attribute == stops_derivative ? ref{} : t;
    case primitive::negative: return -t;
    case primitive::abs: return t * unary(primitive::sign, a);
    case primitive::exp: return t * y;
    case primitive::exp2: return t * (y * ln_2);
    case primitive::expm1: return t * (y + 1.0);
    case primitive::log: return t / a;
    case primitive::log2: return t / (a * ln_2);
    case primitive::log10: return t / (a * ln_10);
    case primitive::log1p: return t / (a + 1.0);
    case primitive::sqrt: return t * (0.5 / y);
    case primitive::rsqrt: return t * (-0.5 * (y * unary(primitive::square, y)));
    case primitive::cbrt: return t / (3.0 * unary(primitive::square, y));
    case primitive::square: return t * (a * 2.0);
    case primitive::sin: return t * unary(primitive::cos, a);
    case primitive::cos: return -(t * unary(primitive::sin, a));
    case primitive::tan: return t * (unary(primitive::square, y) + 1.0);
    case primitive::asin: return t * unary(primitive::rsqrt, 1.0 - unary(primitive::square, a));
    case primitive::acos: return -(t * unary(primitive::rsqrt, 1.0 - unary(primitive::square, a)));
    case primitive::atan: return t / (unary(primitive::square, a) + 1.0);
    case primitive::sinh: return t * unary(primitive::cosh, a);
    case primitive::cosh: return t * unary(primitive::sinh, a);
    case primitive::tanh: return t * (1.0 - unary(primitive::square, y));
    case primitive::asinh: return t * unary(primitive::rsqrt, unary(primitive::square, a) + 1.0);
    case primitive::acosh: return t * unary(primitive::rsqrt, unary(primitive::square, a) - 1.0);
    case primitive::atanh: return t / (1.0 - unary(primitive::square, a));
    case primitive::erf: return t * (two_over_sqrt_pi * unary(primitive::exp, -unary(primitive::square, a)));
    case primitive::erfc: return t * (-two_over_sqrt_pi * unary(primitive::exp, -unary(primitive::square, a)));
    case primitive::sigmoid: return t * (y * (1.0 - y));
    case primitive::softplus: return t * unary(primitive::sigmoid, a);
    case primitive::relu: return select(greater(y, zeros_like(y)), t, zeros_like(t));
    case primitive::cast: return cast(t, a.type());
    case primitive::add: return t;
    case primitive::subtract: return k == 0 ? t : -t;
    case primitive::multiply: return t * (k == 0 ? b : a);
    case primitive::divide: return k == 0 ? t / b : -(t * (y / b));
    case primitive::remainder: return k == 0 ? t : -(t * unary(primitive::floor, a / b));
    case primitive::power: {
      double exponent = 0;
      bool const known = is_constant(b, exponent);
      if (k == 0) return t * (b * binary(primitive::power, a, known ? full_like(b, exponent - 1) : b - 1.0));
      // a ^ b does not depend on b where a is zero, and log(0) must not turn that into nan.
      ref const zero = equal(a, zeros_like(a));
      return t * (y * unary(primitive::log, select(zero, full_like(a, 1), a)));
    }
    case primitive::atan2: {
      ref const r2 = unary(primitive::square, a) + unary(primitive::square, b);
      return k == 0 ? t * (b / r2) : -(t * (a / r2));
    }
    case primitive::maximum:
    case primitive::minimum: {
      // Equal operands share the derivative, as in JAX and PyTorch.
      ref const mine = k == 0 ? a : b, other = k == 0 ? b : a;
      ref const wins = n.op == primitive::maximum ? greater(mine, other) : less(mine, other);
      ref const share = select(equal(mine, other), full_like(mine, 0.5), zeros_like(mine));
      return t * select(wins, full_like(mine, 1), share);
    }
    case primitive::hypot: return t * ((k == 0 ? a : b) / y);
    case primitive::select: {
      if (k == 0) return {};
      ref const condition = a;
      return k == 1 ? select(condition, t, zeros_like(t)) : select(condition, zeros_like(t), t);
    }
    default: return {};
  }
}

}  // namespace DIMITY_NAMESPACE::detail
