// Floating-point numbers as decimal text: the fewest digits that read back as the same number, or a given number of them. Independent of the locale.
#pragma once

#include <dimity/core/dtype.hpp>

#include <charconv>
#include <cmath>
#include <string>

namespace DIMITY_NAMESPACE::detail {

/// A decimal number, digits[0] . digits[1...] times ten to the exponent.
struct decimal {
  bool negative = false;
  std::string digits;
  int exponent = 0;
};
inline decimal parse_scientific(char const* begin, char const* end) {
  decimal d;
  d.negative = *begin == '-';
  char const* e = begin;
  while (e != end && *e != 'e') ++e;
  for (char const* c = begin; c != e; ++c)
    if (*c >= '0' && *c <= '9') d.digits += *c;
  if (e != end) std::from_chars(e + (e[1] == '+' ? 2 : 1), end, d.exponent);
  while (d.digits.size() > 1 && d.digits.back() == '0') d.digits.pop_back();
  return d;
}
/// The fewest digits that read back as the same number of a floating type.
inline decimal shortest_decimal(double x, dtype type) {
  char text[64];
  if (is_storage_float(type)) {
    auto const same = [&](double y) {
      switch (type) {
        case dtype::float16: return float16(y) == float16(x);
        case dtype::bfloat16: return bfloat16(y) == bfloat16(x);
        case dtype::float8_e4m3fn: return float8_e4m3fn(y) == float8_e4m3fn(x);
        default: return float8_e5m2(y) == float8_e5m2(x);
      }
    };
    for (int digits = 0;; ++digits) {
      char const* const end = std::to_chars(text, text + sizeof(text), x, std::chars_format::scientific, digits).ptr;
      double read = 0;
      std::from_chars(static_cast<char const*>(text), end, read);
      if (digits == 8 || same(read)) return parse_scientific(text, end);
    }
  }
  auto const end = type == dtype::float32 ? std::to_chars(text, text + sizeof(text), static_cast<float>(x), std::chars_format::scientific).ptr
                          : std::to_chars(text, text + sizeof(text), x, std::chars_format::scientific).ptr;
  return parse_scientific(text, end);
}

/// A number without its exponent part: the dot is between the two.
struct number_parts {
  std::string whole, fraction, exponent;
};
/// Shortest digits, rounded to `precision` of them after the dot where there are more.
inline number_parts positional_parts(double x, dtype type, int precision) {
  decimal const d = shortest_decimal(x, type);
  int const count = static_cast<int>(d.digits.size()), places = count - 1 - d.exponent;
  number_parts p;
  if (places > precision) {
    char text[512];
    char const* end = std::to_chars(text, text + sizeof(text), x, std::chars_format::fixed, precision).ptr;
    std::string const s(static_cast<char const*>(text), end);
    std::size_t const dot = s.find('.');
    p.whole = s.substr(0, dot);
    if (dot != std::string::npos) p.fraction = s.substr(dot + 1);
  } else {
    if (d.negative) p.whole = "-";
    for (int i = 0; i <= d.exponent || i == 0; ++i) p.whole += d.exponent < 0 ? '0' : i < count ? d.digits[static_cast<std::size_t>(i)] : '0';
    for (int i = 1; i <= places; ++i) {
      int const at = d.exponent + i;
      p.fraction += at < 0 ? '0' : d.digits[static_cast<std::size_t>(at)];
    }
  }
  while (!p.fraction.empty() && p.fraction.back() == '0') p.fraction.pop_back();
  return p;
}
/// The same with an exponent. `filled` asks for exactly `precision` digits after the dot, further ones of the exact value where the shortest have fewer.
inline number_parts scientific_parts(double x, dtype type, int precision, bool filled = false) {
  decimal d = shortest_decimal(x, type);
  if (filled || static_cast<int>(d.digits.size()) - 1 > precision) {
    char text[512];
    d = parse_scientific(text, std::to_chars(text, text + sizeof(text), x, std::chars_format::scientific, precision).ptr);
  }
  number_parts p;
  if (d.negative) p.whole = "-";
  p.whole += d.digits[0];
  p.fraction = d.digits.substr(1);
  if (filled) p.fraction.append(static_cast<std::size_t>(precision) - p.fraction.size(), '0');
  std::string const power = std::to_string(d.exponent < 0 ? -d.exponent : d.exponent);
  p.exponent = d.exponent < 0 ? "-" : "+";
  if (power.size() < 2) p.exponent += '0';
  p.exponent += power;
  return p;
}
/// From here on numbers are scientific, in arrays and on their own: ten to the decimal digits of the type, at most 16 of them.
constexpr double scientific_from(dtype type) { return type == dtype::float64 ? 1e16 : type == dtype::float32 ? 1e6 : 1e3; }
/// One number on its own, as str(np.float64(x)): all its digits, scientific below 1e-4.
inline std::string scalar_text(double x, dtype type) {
  if (std::isnan(x)) return "nan";
  if (std::isinf(x)) return x < 0 ? "-inf" : "inf";
  double const magnitude = std::abs(x);
  if (magnitude != 0 && (magnitude >= scientific_from(type) || magnitude < 1e-4)) {
    number_parts const p = scientific_parts(x, type, 20);
    return p.whole + (p.fraction.empty() ? "" : ".") + p.fraction + "e" + p.exponent;
  }
  number_parts const p = positional_parts(x, type, 400);
  return p.whole + "." + (p.fraction.empty() ? "0" : p.fraction);
}

}  // namespace DIMITY_NAMESPACE::detail
