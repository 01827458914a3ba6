// What each primitive means, for tests: one definition after the other, in double, sharing nothing with the kernels.
#pragma once

#include <dimity/core/philox.hpp>
#include <dimity/program/finish.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

namespace test {

using namespace dimity;
using namespace dimity::detail;

using indices = std::vector<std::int64_t>;

/// Row-major. Integers and truth values are kept as doubles, which holds the first 53 bits of them.
struct array {
  indices shape;
  std::vector<double> elements;
};

inline std::int64_t count_elements(indices const& shape) {
  std::int64_t n = 1;
  for (std::int64_t const e : shape) n *= e;
  return n;
}
inline std::size_t offset_of(indices const& shape, indices const& at) {
  std::int64_t offset = 0;
  for (std::size_t i = 0; i < shape.size(); ++i) offset = offset * shape[i] + at[i];
  return static_cast<std::size_t>(offset);
}
inline double& element(array& x, indices const& at) { return x.elements[offset_of(x.shape, at)]; }
inline double element(array const& x, indices const& at) { return x.elements[offset_of(x.shape, at)]; }

/// Calls f(index) in row-major order.
template <class F>
void for_each_place(indices const& shape, F const& f) {
  indices at(shape.size(), 0);
  for (std::int64_t left = count_elements(shape); left > 0; --left) {
    f(at);
    for (std::size_t i = shape.size(); i-- > 0 && ++at[i] == shape[i];) at[i] = 0;
  }
}
/// The array whose element at each index is f(index).
template <class F>
array made_of(indices const& shape, F const& f) {
  array y{shape, {}};
  y.elements.reserve(static_cast<std::size_t>(count_elements(shape)));
  for_each_place(shape, [&](indices const& at) { y.elements.push_back(f(at)); });
  return y;
}
inline indices with(indices at, std::size_t axis, std::int64_t value) {
  at[axis] = value;
  return at;
}
inline indices before(indices const& at, std::size_t kept) { return indices(at.begin(), at.begin() + static_cast<std::ptrdiff_t>(kept)); }
inline indices joined(indices a, indices const& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

/// What is left of a value in an element of this type.
inline double as_type(dtype type, double value) {
  auto const integer = [&] { return static_cast<std::int64_t>(value); };
  switch (type) {
    case dtype::boolean: return value != 0;
    case dtype::int8: return static_cast<std::int8_t>(integer());
    case dtype::int16: return static_cast<std::int16_t>(integer());
    case dtype::int32: return static_cast<std::int32_t>(integer());
    case dtype::uint8: return static_cast<std::uint8_t>(integer());
    case dtype::uint16: return static_cast<std::uint16_t>(integer());
    case dtype::uint32: return static_cast<std::uint32_t>(integer());
    case dtype::int64:
    case dtype::uint64: return static_cast<double>(integer());
    case dtype::float32:  // not rounded, so that differences can be taken
    case dtype::float64: return value;
    default: throw std::runtime_error(std::string("interpreter: elements of type ") + name_of(type));
  }
}

[[noreturn]] inline void no_definition(primitive op) { throw std::runtime_error(std::string("interpreter: no definition of ") + name_of(op)); }

inline double elementwise_integer(primitive op, std::int64_t a, std::int64_t b) {
  std::int64_t const quotient = b == 0 ? 0 : static_cast<std::int64_t>(std::floor(static_cast<double>(a) / static_cast<double>(b)));
  switch (op) {
    case primitive::divide: return static_cast<double>(quotient);
    case primitive::remainder: return b == 0 ? 0 : static_cast<double>(a - quotient * b);
    case primitive::bitwise_not: return static_cast<double>(~a);
    case primitive::bitwise_and: return static_cast<double>(a & b);
    case primitive::bitwise_or: return static_cast<double>(a | b);
    case primitive::bitwise_xor: return static_cast<double>(a ^ b);
    case primitive::shift_left: return static_cast<double>(a * (std::int64_t{1} << b));
    case primitive::shift_right: return std::floor(static_cast<double>(a) / static_cast<double>(std::int64_t{1} << b));
    default: no_definition(op);
  }
}
inline double elementwise_value(primitive op, bool floating, double a, double b, double c) {
  switch (op) {
    case primitive::negative: return -a;
    case primitive::abs: return std::fabs(a);
    case primitive::sign: return a > 0 ? 1 : a < 0 ? -1 : a;
    case primitive::exp: return std::exp(a);
    case primitive::exp2: return std::exp2(a);
    case primitive::expm1: return std::expm1(a);
    case primitive::log: return std::log(a);
    case primitive::log2: return std::log2(a);
    case primitive::log10: return std::log10(a);
    case primitive::log1p: return std::log1p(a);
    case primitive::sqrt: return std::sqrt(a);
    case primitive::rsqrt: return 1 / std::sqrt(a);
    case primitive::cbrt: return std::cbrt(a);
    case primitive::square: return a * a;
    case primitive::sin: return std::sin(a);
    case primitive::cos: return std::cos(a);
    case primitive::tan: return std::tan(a);
    case primitive::asin: return std::asin(a);
    case primitive::acos: return std::acos(a);
    case primitive::atan: return std::atan(a);
    case primitive::sinh: return std::sinh(a);
    case primitive::cosh: return std::cosh(a);
    case primitive::tanh: return std::tanh(a);
    case primitive::asinh: return std::asinh(a);
    case primitive::acosh: return std::acosh(a);
    case primitive::atanh: return std::atanh(a);
    case primitive::erf: return std::erf(a);
    case primitive::erfc: return std::erfc(a);
    case primitive::sigmoid: return 1 / (1 + std::exp(-a));
    case primitive::softplus: return a > 40 ? a : std::log1p(std::exp(a));
    case primitive::relu: return a < 0 ? 0 : a;
    case primitive::floor: return std::floor(a);
    case primitive::ceil: return std::ceil(a);
    case primitive::round: return std::nearbyint(a);
    case primitive::trunc: return std::trunc(a);
    case primitive::isnan: return std::isnan(a);
    case primitive::isinf: return std::isinf(a);
    case primitive::isfinite: return std::isfinite(a);
    case primitive::logical_not: return a == 0;
    case primitive::cast:
    case primitive::copy: return a;
    case primitive::add: return a + b;
    case primitive::subtract: return a - b;
    case primitive::multiply: return a * b;
    case primitive::power: return std::pow(a, b);
    case primitive::atan2: return std::atan2(a, b);
    case primitive::hypot: return std::hypot(a, b);
    case primitive::maximum: return a != a || a > b ? a : b;
    case primitive::minimum: return a != a || a < b ? a : b;
    case primitive::less: return a < b;
    case primitive::less_equal: return a <= b;
    case primitive::equal: return a == b;
    case primitive::not_equal: return a != b;
    case primitive::select: return a != 0 ? b : c;
    case primitive::divide:
      if (floating) return a / b;
      break;
    case primitive::remainder:
      if (floating) return a - b * std::floor(a / b);
      break;
    default: break;
  }
  return elementwise_integer(op, static_cast<std::int64_t>(a), static_cast<std::int64_t>(b));
}

inline double combined(primitive op, double a, double b) {
  switch (op) {
    case primitive::sum:
    case primitive::cumulative_sum: return a + b;
    case primitive::prod:
    case primitive::cumulative_prod: return a * b;
    case primitive::max: return a != a || a > b ? a : b;
    case primitive::min: return a != a || a < b ? a : b;
    case primitive::any: return a != 0 || b != 0;
    case primitive::all: return a != 0 && b != 0;
    default: no_definition(op);
  }
}
inline array reduced(primitive op, array const& x, std::int64_t mask, indices const& shape) {
  double const nothing = op == primitive::prod || op == primitive::all ? 1 : op == primitive::max ? -std::numeric_limits<double>::infinity()
                                                                          : op == primitive::min ? std::numeric_limits<double>::infinity() : 0;
  array y = made_of(shape, [&](indices const&) { return nothing; });
  for_each_place(x.shape, [&](indices const& at) {
    indices kept;
    for (std::size_t i = 0; i < at.size(); ++i)
      if ((mask >> i & 1) == 0) kept.push_back(at[i]);
    element(y, kept) = combined(op, element(y, kept), element(x, at));
  });
  return y;
}

}  // namespace test
