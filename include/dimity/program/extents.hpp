// Extents that are chosen at run time, as a program knows them: symbols, how their values are found at a call, and what must agree then.
#pragma once

#include <dimity/core/shape.hpp>
#include <dimity/program/list.hpp>

namespace DIMITY_NAMESPACE::detail {

enum class symbol_kind : std::uint8_t {
  axis,      ///< the extent of an axis of an input
  unknown,   ///< of a shape that was asked for; what it meets says what it is
  sum,       ///< a + b
  quotient,  ///< a / b, rounded up
  minimum,
  maximum,
  replaced   ///< found to be equal to a
};
struct extent_symbol {
  symbol_kind kind = symbol_kind::axis;
  extent_t tag = dyn;
  std::int16_t input = -1, axis = -1;
  amount a = 0, b = 0;
};
/// What must hold for two extents, and is not known to: a == b, or a >= b.
struct extent_condition {
  amount a = 0, b = 0;
  bool at_least = false;
};

/// All symbols of a program and of the bodies of its loops and branches.
struct extent_table {
  list<extent_symbol> symbols;
  list<extent_condition> conditions;

  static constexpr bool is_source(symbol_kind k) { return k == symbol_kind::axis || k == symbol_kind::unknown; }
  constexpr amount add_symbol(extent_symbol const& s) {
    for (int i = 0; i < symbols.size(); ++i) {
      extent_symbol const& x = symbols[i];
      if (is_source(s.kind) && s.tag != dyn && x.tag == s.tag) {
        if (x.kind == symbol_kind::unknown) symbols[i] = s;
        return x.kind == symbol_kind::replaced ? canonical(x.a) : amount::symbol(i);
      }
      if (!is_source(s.kind) && x.kind == s.kind && x.a == s.a && x.b == s.b) return amount::symbol(i);
    }
    if (symbols.size() == amount::max_symbols) throw "a program has more than 63 extents chosen at run time";
    symbols.push(s);
    return amount::symbol(symbols.size() - 1);
  }
  /// The extent of an input's axis, from the type of its tensor: a number, `dyn`, or the code of a name.
  constexpr amount of_type(amount e, int input, int axis) {
    if (!e.is_known() || e.code >= 0) return e;
    extent_symbol s;
    s.tag = e.code;
    s.input = static_cast<std::int16_t>(input);
    s.axis = static_cast<std::int16_t>(axis);
    return add_symbol(s);
  }
  /// A shape that was asked for: names that are known are what they are.
  constexpr shape_value of_shape(shape_value s) {
    for (int i = 0; i < s.rank; ++i) {
      if (!s.extent[i].is_known() || s.extent[i].code >= 0) continue;
      extent_symbol u;
      u.kind = symbol_kind::unknown;
      u.tag = s.extent[i].code;
      s.extent[i] = add_symbol(u);
    }
    return s;
  }
  constexpr bool is_unknown(amount a) const {
    for (int i = 0; i < amount::max_factors && a.factor(i) >= 0; ++i) {
      extent_symbol const& s = symbols[a.factor(i)];
      if (s.kind == symbol_kind::unknown || (s.kind != symbol_kind::axis && (is_unknown(s.a) || is_unknown(s.b)))) return true;
    }
    return false;
  }
  /// The way back, for the type of a result: `dyn` for what has no name.
  constexpr extent_t type_of(amount e) const {
    if (e.is_known()) return e.code;
    return e.is_one_symbol() ? symbols[e.factor(0)].tag : dyn;
  }

  constexpr amount sum(amount a, amount b) {
    if (a.is_known() && b.is_known()) return a.code + b.code;
    if (a == amount(0)) return b;
    if (b == amount(0)) return a;
    if (a.monomial() == b.monomial()) return a.with_coefficient(a.coefficient() + b.coefficient());
    if (a.is_known() || (!b.is_known() && a.code > b.code)) {
      amount const t = a;
      a = b;
      b = t;
    }
    if (a.is_one_symbol() && b.is_known() && symbols[a.factor(0)].kind == symbol_kind::sum && symbols[a.factor(0)].b.is_known()) {
      extent_symbol const inner = symbols[a.factor(0)];
      return sum(inner.a, inner.b.code + b.code);
    }
    extent_symbol s;
    s.kind = symbol_kind::sum;
    s.a = a;
    s.b = b;
    return add_symbol(s);
  }
  constexpr amount difference(amount a, amount b) { return sum(a, -b); }
  /// a / b, rounded up.
  constexpr amount quotient(amount a, amount b) {
    if (a.is_known() && b.is_known()) return (a.code + b.code - 1) / b.code;
    amount q = 0;
    if (divide(a, b, q)) return q;
    extent_symbol s;
    s.kind = symbol_kind::quotient;
    s.a = a;
    s.b = b;
    return add_symbol(s);
  }
  constexpr amount minimum(amount a, amount b) { return a.is_known() && b.is_known() ? (a.code < b.code ? a : b) : extreme(symbol_kind::minimum, a, b); }
  constexpr amount maximum(amount a, amount b) { return a.is_known() && b.is_known() ? (a.code > b.code ? a : b) : extreme(symbol_kind::maximum, a, b); }
  /// max(a, 0); extents are not negative.
  constexpr amount not_negative(amount a) { return a.is_one_symbol() && symbols[a.factor(0)].kind == symbol_kind::axis ? a : maximum(a, 0); }
  /// a >= b, seen at the call where it is not known; where it is, the types have been asked.
  constexpr void require_at_least(amount a, amount b) {
    if ((a.is_known() && b.is_known()) || a == b || b == 0) return;
    require({a, b, true});
  }
  constexpr void require(extent_condition const& c) {
    for (extent_condition const& x : conditions)
      if (x.a == c.a && x.b == c.b && x.at_least == c.at_least) return;
    conditions.push(c);
  }
  constexpr bool depends_on(amount a, int symbol) const {
    for (int i = 0; i < amount::max_factors && a.factor(i) >= 0; ++i) {
      int const f = a.factor(i);
      if (f == symbol) return true;
      if (!is_source(symbols[f].kind) && (depends_on(symbols[f].a, symbol) || depends_on(symbols[f].b, symbol))) return true;
    }
    return false;
  }
  constexpr amount canonical(amount a) const {
    if (a.is_known()) return a;
    amount r = a.coefficient();
    for (int i = 0; i < amount::max_factors && a.factor(i) >= 0; ++i)
      r *= symbols[a.factor(i)].kind == symbol_kind::replaced ? canonical(symbols[a.factor(i)].a) : amount::symbol(a.factor(i));
    return r;
  }
  constexpr amount substituted(amount a, int symbol, amount by) const {
    if (a.is_known()) return a;
    amount r = a.coefficient();
    for (int i = 0; i < amount::max_factors && a.factor(i) >= 0; ++i) r *= a.factor(i) == symbol ? by : amount::symbol(a.factor(i));
    return r;
  }
  /// Of a product with one factor that was asked for, that factor; -1 otherwise.
  constexpr int unknown_factor(amount a) const {
    int found = -1;
    for (int i = 0; i < amount::max_factors && a.factor(i) >= 0; ++i) {
      if (symbols[a.factor(i)].kind != symbol_kind::unknown) continue;
      if (found >= 0) return -1;
      found = a.factor(i);
    }
    return found;
  }
  constexpr amount extreme(symbol_kind kind, amount a, amount b) {
    if (a == b) return a;
    extent_symbol s;
    s.kind = kind;
    s.a = a.code > b.code ? a : b;
    s.b = a.code > b.code ? b : a;
    return add_symbol(s);
  }
  /// Which of two extents that must be equal takes the place of the other: -1 when neither can. Known ones stay, then named ones.
  constexpr int replaceable(amount a, amount b) const {
    auto const is_free = [&](amount x, amount other) { return x.is_one_symbol() && is_source(symbols[x.factor(0)].kind) && !depends_on(other, x.factor(0)); };
    bool const fa = is_free(a, b), fb = is_free(b, a);
    if (fa && fb) {
      int const x = a.factor(0), y = b.factor(0);
      if ((symbols[x].kind == symbol_kind::unknown) != (symbols[y].kind == symbol_kind::unknown)) return symbols[x].kind == symbol_kind::unknown ? x : y;
      if ((symbols[x].tag != dyn) != (symbols[y].tag != dyn)) return symbols[x].tag != dyn ? y : x;
      return x > y ? x : y;
    }
    return fa ? a.factor(0) : fb ? b.factor(0) : -1;
  }
};

}  // namespace DIMITY_NAMESPACE::detail
