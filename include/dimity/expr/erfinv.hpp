// The inverse error function and, through it, quantiles of the normal distribution, composed of elementwise primitives: it fuses and differentiates.
//
// float:  M. Giles, "Approximating the erfinv function", GPU Computing Gems Jade Edition, 2011: relative error below 4e-7.
// double: M. J. Wichura, "Algorithm AS 241: the percentage points of the normal distribution", Applied Statistics 37 (1988), routine PPND16:
//         relative error about 1e-16 before rounding.
// Both are made of pieces that differ in their polynomials' coefficients only, so one polynomial is evaluated, with chosen coefficients.
#pragma once

#include <dimity/expr/eval.hpp>
#include <dimity/expr/expression.hpp>

#include <limits>

namespace DIMITY_NAMESPACE {
namespace detail {

inline constexpr double sqrt_2 = 1.414213562373095048801688724209698079;
inline constexpr double sqrt_half = 0.707106781186547524400844362104849039;

/// Lowest degree first; one row for each piece.
inline constexpr double giles_coefficients[2][9] = {
    {1.50140941, 0.246640727, -0.00417768164, -0.00125372503, 0.00021858087, -4.39150654e-06, -3.5233877e-06, 3.43273939e-07, 2.81022636e-08},
    {2.83297682, 1.00167406, 0.00943887047, -0.0076224613, 0.00573950773, -0.00367342844, 0.00134934322, 0.000100950558, -0.000200214257}};
inline constexpr double wichura_numerators[3][8] = {
    {3.3871328727963666080, 1.3314166789178437745e2, 1.9715909503065514427e3, 1.3731693765509461125e4, 4.5921953931549871457e4, 6.7265770927008700853e4,
     3.3430575583588128105e4, 2.5090809287301226727e3},
    {1.42343711074968357734, 4.63033784615654529590, 5.76949722146069140550, 3.64784832476320460504, 1.27045825245236838258, 2.41780725177450611770e-1,
     2.27238449892691845833e-2, 7.74545014278341407640e-4},
    {6.65790464350110377720, 5.46378491116411436990, 1.78482653991729133580, 2.96560571828504891230e-1, 2.65321895265761230930e-2, 1.24266094738807843860e-3,
     2.71155556874348757815e-5, 2.01033439929228813265e-7}};
inline constexpr double wichura_denominators[3][8] = {
    {1, 4.2313330701600911252e1, 6.8718700749205790830e2, 5.3941960214247511077e3, 2.1213794301586595867e4, 3.9307895800092710610e4, 2.8729085735721942674e4,
     5.2264952788528545610e3},
    {1, 2.05319162663775882187, 1.67638483018380384940, 6.89767334985100004550e-1, 1.48103976427480074590e-1, 1.51986665636164571966e-2, 5.47593808499534494600e-4,
     1.05075007164441684324e-9},
    {1, 5.99832206555887937690e-1, 1.36929880922735805310e-1, 1.48753612908506148525e-2, 7.86869131145613259100e-4, 1.84631831751005468180e-5, 1.42151175831644588870e-7,
     2.04426310338993978564e-15}};

/// Horner's rule; `coefficient(i)` gives the one of x^i.
template <class F>
constexpr ref polynomial(ref x, int degree, F const& coefficient) {
  ref p = coefficient(degree);
  for (int i = degree - 1; i >= 0; --i) p = p * x + coefficient(i);
  return p;
}

/// scale * erfinv(x) for -1 < x < 1; outside, something that is not finite.
constexpr ref erfinv_inside(ref x, double scale) {
  auto const number = [&](double v) { return full_like(x, v); };
  if (x.type() == dtype::float32 || x.type() == dtype::dual32) {
    ref const w = -unary(primitive::log, (1.0 - x) * (1.0 + x));
    ref const central = less(w, number(5));
    // The maximum keeps the derivative of the root finite where the other piece is taken.
    ref const at = select(central, w - 2.5, unary(primitive::sqrt, binary(primitive::maximum, w, number(5))) - 3.0);
    return polynomial(at, 8, [&](int i) { return select(central, number(giles_coefficients[0][i]), number(giles_coefficients[1][i])); }) * (x * scale);
  }
  ref const size = unary(primitive::abs, x), half = x * 0.5;
  ref const root = unary(primitive::sqrt, -unary(primitive::log, (1.0 - size) * 0.5));
  ref const central = binary(primitive::less_equal, size, number(0.85)), middle = binary(primitive::less_equal, root, number(5));
  auto const chosen = [&](double const (&c)[3][8]) {
    return [&](int i) { return select(central, number(c[0][i]), select(middle, number(c[1][i]), number(c[2][i]))); };
  };
  ref const at = select(central, 0.180625 - unary(primitive::square, half), root - select(middle, number(1.6), number(5)));
  ref const ratio = polynomial(at, 7, chosen(wichura_numerators)) / polynomial(at, 7, chosen(wichura_denominators));
  return ratio * (select(central, half, unary(primitive::sign, x)) * (scale * sqrt_half));
}

struct erfinv_operation {
  static constexpr ref emit(builder&, ref a) {
    ref const x = cast(a, floating_result(a.type()));
    ref const end = equal(unary(primitive::abs, x), full_like(x, 1));
    // sign() has no derivative, so that infinity times zero stays out of the backward pass.
    return select(end, unary(primitive::sign, x) * std::numeric_limits<double>::infinity(), erfinv_inside(x, 1));
  }
};

}  // namespace detail

/// The inverse of erf: plus or minus infinity at plus or minus 1, nan outside [-1, 1].
template <operand X>
constexpr auto erfinv(X&& x) {
  return detail::apply<detail::erfinv_operation>(static_cast<X&&>(x));
}

}  // namespace DIMITY_NAMESPACE
