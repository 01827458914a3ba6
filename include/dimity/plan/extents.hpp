// The values of extents chosen at run time, from those of the arguments.
#pragma once

#include <dimity/plan/plan.hpp>

namespace DIMITY_NAMESPACE::detail {

/// What a plan knows of extents chosen at run time, without its type: this code exists once.
struct extent_rules {
  extent_symbol const* symbols;
  int symbol_count;
  extent_condition const* conditions;
  int condition_count;
  shape_value const* shapes;
  std::int16_t const* interface;  ///< of the inputs, then of the outputs
  int inputs;
};
/// The value of every symbol; `given` gives those that are extents of arguments.
template <class Given>
constexpr void find_extents(extent_rules const& rules, Given const& given, extent_t* values) {
  bool known[amount::max_symbols + 1] = {};
  auto const is_known = [&](amount a) {
    for (int i = 0; i < amount::max_factors && a.factor(i) >= 0; ++i)
      if (!known[a.factor(i)]) return false;
    return true;
  };
  // Nearly always one round: a symbol is made after those that it depends on, unless these were found to be equal to later ones.
  for (int left = rules.symbol_count; left > 0;)
    for (int i = 0; i < rules.symbol_count; ++i) {
      extent_symbol const& s = rules.symbols[i];
      if (known[i] || (!extent_table::is_source(s.kind) && !(is_known(s.a) && is_known(s.b)))) continue;
      extent_t const a = value_of(s.a, values), b = value_of(s.b, values);
      switch (s.kind) {
        case symbol_kind::axis: values[i] = given(s); break;
        case symbol_kind::sum: values[i] = a + b; break;
        case symbol_kind::quotient: values[i] = b == 0 ? 0 : a >= 0 ? (a + b - 1) / b : a / b; break;
        case symbol_kind::minimum: values[i] = a < b ? a : b; break;
        case symbol_kind::maximum: values[i] = a > b ? a : b; break;
        case symbol_kind::replaced: values[i] = a; break;
        case symbol_kind::unknown: values[i] = 0; break;  // of nothing that is left
      }
      known[i] = true;
      --left;
    }
}

}  // namespace DIMITY_NAMESPACE::detail
