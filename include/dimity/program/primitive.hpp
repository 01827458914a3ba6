// The closed set of primitives that every program is made of, and the facts about each that passes look up.
#pragma once

#include <cstdint>

#include <dimity/core/config.hpp>

namespace DIMITY_NAMESPACE::detail {

enum class primitive : std::uint8_t {
  // sources; block_input stands in the body of a loop or branch for what the body is given
  input, block_input, constant, iota, extent,
  // elementwise, one operand
  negative, abs, sign, exp, exp2, expm1, log, log2, log10, log1p, sqrt, rsqrt, cbrt, square, sin, cos, tan, asin, acos, atan, sinh, cosh, tanh, asinh,
  acosh, atanh, erf, erfc, sigmoid, softplus, relu, floor, ceil, round, trunc, isnan, isinf, isfinite, logical_not, bitwise_not, cast, copy,
  // elementwise, two operands
  add, subtract, multiply, divide, remainder, power, atan2, maximum, minimum, hypot, less, less_equal, equal, not_equal, bitwise_and, bitwise_or,
  bitwise_xor, shift_left, shift_right,
  // elementwise, three operands: condition, where true, where false
  select,
  // the same values at other indices
  broadcast, transpose, reshape, slice,
  // the first operand, not before the second exists: keeps what is computed again from being computed early
  after,
  // reductions over a set of axes
  sum, prod, max, min, any, all,
  // everything that is a kernel of its own
  pad, concat, argmax, argmin, cumulative_sum, cumulative_prod, dot, gather, scatter_add, random_bits, dynamic_slice, dynamic_update_slice, argsort,
  // matrices: systems of equations and factorisations (emit_linalg.hpp); fourier transforms (emit_fourier.hpp)
  solve, triangular_solve, cholesky, slogdet, qr, eigh, svd, expm, fft, rfft, irfft,
  // images (emit_convolution.hpp)
  convolution, convolution_input_gradient, convolution_kernel_gradient,
  // windows of images (emit_pooling.hpp)
  window_max, select_and_gather, select_and_scatter,
  // attention on a GPU (emit_attention.hpp), where other machines run loops; only as what stands for these
  attention, attention_sums, attention_query_gradient, attention_key_gradient,
  masked_attention, masked_attention_sums, masked_attention_query_gradient, masked_attention_key_gradient,
  // the operand; shown, or checked, when it is computed
  debug_print, check_finite,
  // loops and branches (graph.hpp: control), and one of their results
  control, control_result,
  count
};

/// How expensive one element is, which decides between keeping a value and computing it again.
enum class cost_class : std::uint8_t { cheap, costly };

enum class family : std::uint8_t { source, elementwise, relabel, view, reduction, opaque, control };

constexpr family family_of(primitive p) {
  if (p <= primitive::constant) return family::source;
  if (p <= primitive::select) return family::elementwise;
  if (p <= primitive::transpose) return family::relabel;
  if (p <= primitive::after) return family::view;
  if (p <= primitive::all) return family::reduction;
  if (p <= primitive::check_finite) return family::opaque;
  return family::control;
}

/// Operands in node::arg. A control has its own lists (for_each_dependency).
constexpr int arity_of(primitive p) {
  if (p <= primitive::extent) return 0;
  if (p <= primitive::copy) return 1;
  if (p <= primitive::shift_right) return 2;
  if (p == primitive::select) return 3;
  if (p == primitive::after) return 2;
  if (p <= primitive::all) return 1;
  switch (p) {
    case primitive::concat: case primitive::dot: case primitive::gather: case primitive::dynamic_slice: case primitive::solve: case primitive::triangular_solve:
    case primitive::convolution: case primitive::convolution_input_gradient: case primitive::convolution_kernel_gradient:
    case primitive::select_and_gather: case primitive::select_and_scatter: case primitive::attention_sums: return 2;
    case primitive::scatter_add: case primitive::dynamic_update_slice: case primitive::attention: case primitive::attention_query_gradient:
    case primitive::attention_key_gradient: case primitive::masked_attention: case primitive::masked_attention_sums: case primitive::masked_attention_query_gradient:
    case primitive::masked_attention_key_gradient: return 3;
    case primitive::control: return 0;
    default: return 1;
  }
}

/// Functions worth keeping rather than computing twice: measured 1.4 to 1.9 times from L1 to memory (DESIGN section 6).
constexpr cost_class cost_of(primitive p) {
  switch (p) {
    case primitive::exp: case primitive::exp2: case primitive::expm1: case primitive::log: case primitive::log2: case primitive::log10: case primitive::log1p:
    case primitive::cbrt: case primitive::sin: case primitive::cos: case primitive::tan: case primitive::asin: case primitive::acos: case primitive::atan:
    case primitive::sinh: case primitive::cosh: case primitive::tanh: case primitive::asinh: case primitive::acosh: case primitive::atanh: case primitive::erf:
    case primitive::erfc: case primitive::sigmoid: case primitive::softplus: case primitive::power: case primitive::atan2: case primitive::hypot:
    case primitive::remainder:
      return cost_class::costly;
    default:
      return cost_class::cheap;
  }
}

constexpr bool is_linear_algebra(primitive p) { return p >= primitive::solve && p <= primitive::expm; }
constexpr bool is_fourier(primitive p) { return p >= primitive::fft && p <= primitive::irfft; }
constexpr bool is_convolution(primitive p) { return p >= primitive::convolution && p <= primitive::convolution_kernel_gradient; }
constexpr bool is_attention(primitive p) { return p >= primitive::attention && p <= primitive::masked_attention_key_gradient; }
constexpr bool is_masked_attention(primitive p) { return p >= primitive::masked_attention && p <= primitive::masked_attention_key_gradient; }
constexpr primitive masked(primitive attention) { return static_cast<primitive>(static_cast<int>(attention) + static_cast<int>(primitive::masked_attention) - static_cast<int>(primitive::attention)); }
constexpr primitive without_mask(primitive attention) { return is_masked_attention(attention) ? static_cast<primitive>(static_cast<int>(attention) - static_cast<int>(masked(primitive::attention)) + static_cast<int>(primitive::attention)) : attention; }
constexpr bool is_window(primitive p) { return p >= primitive::window_max && p <= primitive::select_and_scatter; }
/// Whether the attribute is the index of a geometry (convolution_geometry.hpp).
constexpr bool has_geometry(primitive p) { return is_convolution(p) || is_window(p); }
/// Sums of products, on whose elements an elementwise kernel can run while they are in registers.
constexpr bool is_contraction(primitive p) { return p == primitive::dot || is_convolution(p); }
/// What only moves elements, and products (and attention's kernels), whose sums are float32: everything else is given 16-bit floats as float32.
constexpr bool takes_storage_floats(primitive p) {
  switch (p) {
    case primitive::input: case primitive::block_input: case primitive::constant: case primitive::cast: case primitive::copy: case primitive::broadcast: case primitive::transpose: case primitive::reshape:
    case primitive::slice: case primitive::after: case primitive::pad: case primitive::concat: case primitive::dot: case primitive::gather: case primitive::dynamic_slice:
    case primitive::dynamic_update_slice: case primitive::debug_print: case primitive::check_finite: case primitive::control: case primitive::control_result: return true;
    default: return is_attention(p);
  }
}
constexpr bool is_comparison(primitive p) { return p >= primitive::less && p <= primitive::not_equal; }
constexpr bool is_predicate(primitive p) { return p >= primitive::isnan && p <= primitive::isfinite; }
constexpr bool is_commutative(primitive p) {
  return p == primitive::add || p == primitive::multiply || p == primitive::equal || p == primitive::not_equal || p == primitive::bitwise_and ||
         p == primitive::bitwise_or || p == primitive::bitwise_xor || p == primitive::hypot;
}

constexpr char const* name_of(primitive p) {
  constexpr char const* names[] = {
      "input", "block_input", "constant", "iota", "extent", "negative", "abs", "sign", "exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "sqrt", "rsqrt", "cbrt", "square", "sin", "cos",
      "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh", "erf", "erfc", "sigmoid", "softplus", "relu", "floor", "ceil", "round", "trunc",
      "isnan", "isinf", "isfinite", "logical_not", "bitwise_not", "cast", "copy", "add", "subtract", "multiply", "divide", "remainder", "power", "atan2", "maximum",
      "minimum", "hypot", "less", "less_equal", "equal", "not_equal", "bitwise_and", "bitwise_or", "bitwise_xor", "shift_left", "shift_right", "select", "broadcast",
      "transpose", "reshape", "slice", "after", "sum", "prod", "max", "min", "any", "all", "pad", "concat", "argmax", "argmin", "cumulative_sum", "cumulative_prod", "dot",
      "gather", "scatter_add", "random_bits", "dynamic_slice", "dynamic_update_slice", "argsort", "solve", "triangular_solve", "cholesky", "slogdet", "qr", "eigh", "svd", "expm", "fft", "rfft", "irfft",
      "convolution", "convolution_input_gradient", "convolution_kernel_gradient", "window_max", "select_and_gather", "select_and_scatter", "attention", "attention_sums",
      "attention_query_gradient", "attention_key_gradient", "masked_attention", "masked_attention_sums", "masked_attention_query_gradient", "masked_attention_key_gradient", "debug_print", "check_finite",
      "control", "control_result"};
  static_assert(sizeof(names) / sizeof(names[0]) == static_cast<int>(primitive::count));
  return names[static_cast<int>(p)];
}

}  // namespace DIMITY_NAMESPACE::detail
