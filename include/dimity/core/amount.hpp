// Numbers of elements and bytes in programs and plans: constants, or constants times extents that are chosen at run time.
#pragma once

#include <cstdint>

#include <dimity/core/config.hpp>

namespace DIMITY_NAMESPACE::detail {

/// An extent, a stride or a size: `coefficient * extent * extent * ...`, with up to four extents known at run time only (symbols, numbered from 0). A known number is itself, so that
/// the constant evaluation of programs without such extents pays for one comparison. One integer, which compares and copies at once:
/// bit 61 marks a product; then four symbols, six bits each, descending, 0 for none; then the coefficient, 36 bits, biased.
struct amount {
  std::int64_t code;

  static constexpr std::int64_t marker = std::int64_t{1} << 61, bias = std::int64_t{1} << 35;
  static constexpr int coefficient_bits = 36, symbol_bits = 6, max_factors = 4, max_symbols = (1 << symbol_bits) - 1;

  amount() = default;  // trivial: g++ 12 runs any other one again where it reads an element of a constant array that was left out because it is zero
  constexpr amount(std::int64_t number) : code(number) {}
  static constexpr amount symbol(int s) { return amount(marker | (std::int64_t{s} + 1) << coefficient_bits | (bias + 1)); }

  constexpr bool is_known() const { return code < marker; }
  /// The number that a known amount is.
  constexpr std::int64_t number() const {
    if (!is_known()) throw "an extent chosen at run time is used as a constant";
    return code;
  }
  constexpr std::int64_t coefficient() const { return is_known() ? code : (code & ((std::int64_t{1} << coefficient_bits) - 1)) - bias; }
  /// Symbol number i of the product, or -1.
  constexpr int factor(int i) const { return is_known() ? -1 : static_cast<int>(code >> (coefficient_bits + symbol_bits * i) & max_symbols) - 1; }
  /// The product without its coefficient; 0 for a known amount.
  constexpr std::int64_t monomial() const { return is_known() ? 0 : code & ~((std::int64_t{1} << coefficient_bits) - 1); }
  constexpr bool is_one_symbol() const { return !is_known() && coefficient() == 1 && factor(0) >= 0 && factor(1) < 0; }
  constexpr amount with_coefficient(std::int64_t c) const {
    if (c == 0) return 0;
    if (c >= bias || c < -bias) throw "a size with extents chosen at run time has too large a factor";
    return is_known() ? amount(c) : amount(monomial() | (c + bias));
  }

  friend constexpr bool operator==(amount, amount) = default;
  friend constexpr amount operator*(amount a, amount b) {
    if (a.is_known() && b.is_known()) return a.code * b.code;
    return product(a, b);
  }
  constexpr amount& operator*=(amount b) { return *this = *this * b; }
  constexpr amount operator-() const { return is_known() ? amount(-code) : with_coefficient(-coefficient()); }

 private:
  static constexpr amount product(amount a, amount b) {
    std::int64_t const c = a.coefficient() * b.coefficient();
    if (c == 0) return 0;
    int symbols[2 * max_factors] = {}, n = 0;
    for (int i = 0, j = 0; (i < max_factors && a.factor(i) >= 0) || (j < max_factors && b.factor(j) >= 0);) {
      int const x = i < max_factors ? a.factor(i) : -1, y = j < max_factors ? b.factor(j) : -1;
      symbols[n++] = x >= y ? x : y;
      (x >= y ? i : j) += 1;
    }
    if (n > max_factors) throw "a size is a product of more than four extents chosen at run time";
    std::int64_t code = marker;
    for (int i = 0; i < n; ++i) code |= (std::int64_t{symbols[i]} + 1) << (coefficient_bits + symbol_bits * i);
    return amount(code | bias).with_coefficient(c);
  }
};

/// a / b where that is a product again; false otherwise.
constexpr bool divide(amount a, amount b, amount& quotient) {
  if (b.coefficient() == 0 || a.coefficient() % b.coefficient() != 0) return false;
  amount q = a.coefficient() / b.coefficient();
  int j = 0;
  for (int i = 0; i < amount::max_factors && a.factor(i) >= 0; ++i) {
    if (j < amount::max_factors && b.factor(j) == a.factor(i)) ++j;
    else q *= amount::symbol(a.factor(i));
  }
  if (j < amount::max_factors && b.factor(j) >= 0) return false;
  quotient = q;
  return true;
}

/// The product at run time: `symbols` holds the value of each.
template <amount A>
constexpr std::int64_t value_of([[maybe_unused]] std::int64_t const* symbols) {
  if constexpr (A.is_known()) {
    return A.code;
  } else {
    std::int64_t v = A.coefficient();
    if constexpr (A.factor(0) >= 0) v *= symbols[A.factor(0)];
    if constexpr (A.factor(1) >= 0) v *= symbols[A.factor(1)];
    if constexpr (A.factor(2) >= 0) v *= symbols[A.factor(2)];
    if constexpr (A.factor(3) >= 0) v *= symbols[A.factor(3)];
    return v;
  }
}
constexpr std::int64_t value_of(amount a, std::int64_t const* symbols) {
  std::int64_t v = a.coefficient();
  for (int i = 0; i < amount::max_factors && a.factor(i) >= 0; ++i) v *= symbols[a.factor(i)];
  return v;
}

}  // namespace DIMITY_NAMESPACE::detail
