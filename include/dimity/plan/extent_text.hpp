// Extents chosen at run time, as text: by their names, or as what they are made of.
#pragma once

#include <dimity/program/extents.hpp>

#include <string>

namespace DIMITY_NAMESPACE::detail {

inline std::string amount_text(extent_symbol const* symbols, amount a);
inline std::string symbol_text(extent_symbol const* symbols, int i) {
  extent_symbol const& s = symbols[i];
  if (s.tag != dyn) return name_of_tag(s.tag).text;
  auto const both = [&](char const* between) { return "(" + amount_text(symbols, s.a) + between + amount_text(symbols, s.b) + ")"; };
  switch (s.kind) {
    case symbol_kind::sum: return both(" + ");
    case symbol_kind::quotient: return both(" / ");
    case symbol_kind::minimum: return "min" + both(", ");
    case symbol_kind::maximum: return "max" + both(", ");
    case symbol_kind::replaced: return amount_text(symbols, s.a);
    default: return "n" + std::to_string(i);
  }
}
inline std::string amount_text(extent_symbol const* symbols, amount a) {
  if (a.is_known()) return std::to_string(a.code);
  std::string s = a.coefficient() == 1 ? "" : std::to_string(a.coefficient());
  for (int i = 0; i < amount::max_factors && a.factor(i) >= 0; ++i) s += (s.empty() ? "" : " ") + symbol_text(symbols, a.factor(i));
  return s;
}

}  // namespace DIMITY_NAMESPACE::detail
