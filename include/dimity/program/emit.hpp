// Appending to a program: values with operators, NumPy broadcasting, and the rewrites that are always worth it.
#pragma once

#include <dimity/program/graph.hpp>

namespace DIMITY_NAMESPACE::detail {

/// A value of a program under construction. Passes, derivative rules and composite functions are written with these.
struct ref {
  builder* g = nullptr;
  int id = -1;

  constexpr bool valid() const { return id >= 0; }
  // By value: appending moves the arrays that a reference would point into.
  constexpr node get() const { return g->nodes[id]; }
  constexpr shape_value shape() const { return g->shape(id); }
  constexpr int rank() const { return g->shape(id).rank; }
  constexpr amount extent(int axis) const { return g->shape(id).extent[axis]; }
  constexpr dtype type() const { return g->type(id); }
};

constexpr ref append_wide(builder& g, primitive op, dtype type, shape_value const& s, int a, int b, int c, std::int64_t attribute);

constexpr ref append(builder& g, primitive op, dtype type, shape_value const& s, int a = -1, int b = -1, int c = -1, std::int64_t attribute = 0) {
  if (!takes_storage_floats(op) && (is_storage_float(type) || (a >= 0 && is_storage_float(g.type(a))) || (c >= 0 && is_storage_float(g.type(c))))) return append_wide(g, op, type, s, a, b, c, attribute);
  node n;
  n.op = op;
  n.type = type;
  n.shape = static_cast<std::int16_t>(g.intern(s));
  n.arg[0] = a;
  n.arg[1] = b;
  n.arg[2] = c;
  n.attribute = attribute;
  return {&g, g.append(n)};
}

/// What a cast to 16 bits is, by its attribute: one that the user asked for always rounds; one that only says in which type a result is stored is not done where it is cast back.
inline constexpr std::int64_t always_rounds = 0, rounds_if_stored = 1;
constexpr ref cast(ref x, dtype type, std::int64_t rounding = rounds_if_stored);

/// A rank-0 constant; a value that a float cannot hold is rounded here, once.
constexpr ref constant(builder& g, dtype type, double value) {
  if (is_storage_float(type)) return cast(constant(g, dtype::float32, value), type);
  if (type == dtype::float32) value = static_cast<float>(value);
  return append(g, primitive::constant, type, {}, -1, -1, -1, constant_bits(type, value));
}
constexpr ref integer_constant(builder& g, dtype type, std::int64_t value) {
  if (is_floating(type)) return constant(g, type, static_cast<double>(value));
  return append(g, primitive::constant, type, {}, -1, -1, -1, value);
}

/// A number of elements, as a value: a constant where it is known, otherwise what it is at the call.
constexpr ref count_of(builder& g, dtype type, amount n) {
  if (n.is_known()) return is_floating(type) ? constant(g, type, static_cast<double>(n.code)) : integer_constant(g, type, n.code);
  return append(g, primitive::extent, type, {}, -1, -1, -1, n.code);
}

/// True, with the value, for a constant and for a constant broadcast to any shape.
constexpr bool is_constant(ref x, double& value) {
  node const* n = &x.g->nodes[x.id];
  if (n->op == primitive::broadcast) n = &x.g->nodes[n->arg[0]];
  if (n->op == primitive::cast && n->attribute == rounds_if_stored) n = &x.g->nodes[n->arg[0]];
  if (n->op != primitive::constant) return false;
  value = constant_value(*n);
  return true;
}
constexpr bool is_constant_of(ref x, double wanted) {
  double v = 0;
  return is_constant(x, v) && v == wanted;
}

/// As many elements in another shape; where that is not known it is checked at the call.
constexpr ref reshape(ref x, shape_value s) {
  if (x.shape() == s) return x;
  while (x.get().op == primitive::reshape) x.id = x.get().arg[0];
  if (x.shape() == s) return x;
  if (amount const from = x.shape().size(), to = s.size(); !(from == to)) {
    x.g->unify(from, to);
    for (int i = 0; i < s.rank; ++i) s.extent[i] = x.g->extents->canonical(s.extent[i]);
    if (x.shape() == s) return x;
  }
  if (node const n = x.get(); n.op == primitive::cast && n.attribute == rounds_if_stored) return cast(reshape(ref{x.g, n.arg[0]}, s), n.type);
  return append(*x.g, primitive::reshape, x.type(), s, x.id);
}

/// `map` gives for each result axis the operand axis it repeats, or none; mapped extents are equal and in order.
constexpr ref broadcast(ref x, shape_value const& s, axis_map map) {
  if (x.shape() == s) return x;
  node const n = x.get();
  if (n.op == primitive::broadcast) {
    axis_map through;
    axis_map const inner{static_cast<std::uint32_t>(n.attribute)};
    for (int i = 0; i < s.rank; ++i)
      if (map[i] >= 0) through.set(i, inner[map[i]]);
    return append(*x.g, primitive::broadcast, x.type(), s, n.arg[0], -1, -1, through.bits);
  }
  return append(*x.g, primitive::broadcast, x.type(), s, x.id, -1, -1, map.bits);
}

/// NumPy's rule: axes are aligned at the end, extents of 1 are repeated. The caller has checked that it fits.
constexpr ref broadcast_to(ref x, shape_value s) {
  if (x.shape() == s) return x;
  shape_value squeezed;
  axis_map map;
  int const lead = s.rank - x.rank();
  if (!s.is_known() || !x.shape().is_known()) {
    for (int i = 0; i < x.rank(); ++i)
      if (!(x.extent(i) == 1)) x.g->unify(x.extent(i), s.extent[lead + i]);
    for (int i = 0; i < s.rank; ++i) s.extent[i] = x.g->extents->canonical(s.extent[i]);
    if (x.shape() == s) return x;
  }
  for (int i = 0; i < x.rank(); ++i) {
    if (x.extent(i) == 1 && s.extent[lead + i] != 1) continue;
    map.set(lead + i, squeezed.rank);
    squeezed.push(x.extent(i));
  }
  return broadcast(reshape(x, squeezed), s, map);
}

/// Extents that are chosen at run time and meet are equal from then on.
constexpr shape_value broadcast_shape(builder& g, shape_value const& a, shape_value const& b) {
  shape_value s;
  s.rank = a.rank > b.rank ? a.rank : b.rank;
  for (int i = 0; i < s.rank; ++i) {
    int const ia = i - (s.rank - a.rank), ib = i - (s.rank - b.rank);
    amount const ea = ia >= 0 ? a.extent[ia] : amount(1), eb = ib >= 0 ? b.extent[ib] : amount(1);
    s.extent[i] = ea == 1 ? eb : eb == 1 ? ea : g.unify(ea, eb);
  }
  if (!s.is_known())
    for (int i = 0; i < s.rank; ++i) s.extent[i] = g.extents->canonical(s.extent[i]);
  return s;
}

constexpr ref full(builder& g, dtype type, shape_value const& s, double value) { return broadcast_to(constant(g, type, value), s); }
constexpr ref full_like(ref x, double value) { return full(*x.g, x.type(), x.shape(), value); }

/// Leaf for leaf of one shape: where extents are chosen at run time they are equal from now on.
constexpr void unify_shapes(builder& g, list<ref> const& a, list<ref> const& b) {
  for (int i = 0; i < a.size() && i < b.size(); ++i)
    if (a[i].valid() && b[i].valid()) g.unify(a[i].shape(), b[i].shape());
}

/// Values of a storage type that x, perhaps in another shape, is nothing but the floats of; otherwise no value.
constexpr ref before_float(ref x, dtype type) {
  node const n = x.get();
  if (n.type != dtype::float32) return {};
  if (n.op == primitive::cast) return x.g->type(n.arg[0]) == type ? ref{x.g, n.arg[0]} : ref{};
  if (n.op != primitive::reshape && n.op != primitive::broadcast) return {};
  ref const before = before_float(ref{x.g, n.arg[0]}, type);
  if (!before.valid()) return before;
  return n.op == primitive::reshape ? reshape(before, x.shape()) : broadcast(before, x.shape(), axis_map{static_cast<std::uint32_t>(n.attribute)});
}

constexpr ref cast(ref x, dtype type, std::int64_t rounding) {
  node const n = x.get();
  if (n.type == type) {
    if (is_storage_float(type) && rounding == always_rounds && n.op == primitive::cast && n.attribute == rounds_if_stored) return cast(ref{x.g, n.arg[0]}, type, always_rounds);
    return x;
  }
  if (n.op == primitive::constant && !is_dual_number(type) && type != dtype::boolean && !is_storage_float(type)) {
    if (!is_floating(n.type)) return integer_constant(*x.g, type, n.attribute);
    if (is_floating(type)) return constant(*x.g, type, constant_value(n));
  }
  if (n.op == primitive::broadcast) return broadcast(cast(ref{x.g, n.arg[0]}, type, rounding), x.shape(), axis_map{static_cast<std::uint32_t>(n.attribute)});
  if (is_storage_float(x.type())) {
    if (n.op == primitive::cast && n.attribute == rounds_if_stored && x.g->type(n.arg[0]) == dtype::float32) return cast(ref{x.g, n.arg[0]}, type, rounding);
    if (type != dtype::float32) return cast(cast(x, dtype::float32), type, rounding);
  }
  if (is_storage_float(type))
    if (ref const before = before_float(x, type); before.valid()) return before;
  if (is_storage_float(type) && x.type() != dtype::float32 && (rounding == rounds_if_stored || x.type() == dtype::boolean || is_dual_number(x.type()))) return cast(cast(x, dtype::float32), type, rounding);
  return append(*x.g, primitive::cast, type, x.shape(), x.id, -1, -1, is_storage_float(type) ? rounding : 0);
}
/// x in the type that is computed in.
constexpr ref widened(ref x) { return is_storage_float(x.type()) ? cast(x, dtype::float32) : x; }
constexpr ref append_wide(builder& g, primitive op, dtype type, shape_value const& s, int a, int b, int c, std::int64_t attribute) {
  auto const wide = [&](int id) { return id < 0 ? id : widened(ref{&g, id}).id; };
  bool const narrows = is_storage_float(type);
  int const x = wide(a), y = wide(b), z = wide(c);
  ref const r = append(g, op, narrows ? dtype::float32 : type, s, x, y, z, attribute);
  return narrows ? cast(r, type) : r;
}

constexpr ref unary(primitive op, ref x) {
  if (is_storage_float(x.type()) && op != primitive::copy) return is_predicate(op) ? unary(op, widened(x)) : cast(unary(op, widened(x)), x.type());
  node const n = x.get();
  if (op == primitive::negative) {
    if (n.op == primitive::negative) return {x.g, n.arg[0]};
    if (n.op == primitive::constant && is_floating(n.type)) return constant(*x.g, n.type, -constant_value(n));
  }
  if (op == primitive::logical_not && n.op == primitive::logical_not) return {x.g, n.arg[0]};
  if (op == primitive::relu && n.op == primitive::relu) return x;
  if (n.op == primitive::broadcast && op != primitive::copy)
    return broadcast(unary(op, ref{x.g, n.arg[0]}), x.shape(), axis_map{static_cast<std::uint32_t>(n.attribute)});
  return append(*x.g, op, is_predicate(op) ? dtype::boolean : x.type(), x.shape(), x.id);
}

constexpr bool fold(primitive op, double a, double b, double& result) {
  switch (op) {
    case primitive::add: result = a + b; return true;
    case primitive::subtract: result = a - b; return true;
    case primitive::multiply: result = a * b; return true;
    case primitive::divide: if (b == 0) return false; result = a / b; return true;
    default: return false;
  }
}

constexpr bool is_power_of_two(double x) {
  if (x < 0) x = -x;
  if (!(x > 0x1p-100 && x < 0x1p100)) return false;
  while (x > 1) x *= 0.5;
  while (x < 1) x *= 2;
  return x == 1;
}

constexpr ref binary(primitive op, ref a, ref b) {
  dtype const type = promote(a.type(), b.type());
  if (is_storage_float(type)) {
    ref const r = binary(op, cast(a, dtype::float32), cast(b, dtype::float32));
    return is_comparison(op) ? r : cast(r, type);
  }
  a = cast(a, type);
  b = cast(b, type);
  if (!(a.shape() == b.shape())) {
    shape_value const s = broadcast_shape(*a.g, a.shape(), b.shape());
    a = broadcast_to(a, s);
    b = broadcast_to(b, s);
  }
  builder& g = *a.g;
  dtype const result = is_comparison(op) ? dtype::boolean : type;
  // An operation on two values repeated alike happens before they are repeated.
  if (a.get().op == primitive::broadcast && b.get().op == primitive::broadcast) {
    node const na = a.get(), nb = b.get();
    if (na.attribute == nb.attribute && g.shape(na.arg[0]) == g.shape(nb.arg[0]))
      return broadcast(binary(op, ref{&g, na.arg[0]}, ref{&g, nb.arg[0]}), a.shape(), axis_map{static_cast<std::uint32_t>(na.attribute)});
    if (g.shape(na.arg[0]).rank == 0 || g.shape(nb.arg[0]).rank == 0) {
      bool const a_scalar = g.shape(na.arg[0]).rank == 0;
      node const wide = a_scalar ? nb : na;
      shape_value const inner = g.shape(wide.arg[0]);
      ref const ia = a_scalar ? broadcast(ref{&g, na.arg[0]}, inner, {}) : ref{&g, na.arg[0]};
      ref const ib = a_scalar ? ref{&g, nb.arg[0]} : broadcast(ref{&g, nb.arg[0]}, inner, {});
      return broadcast(binary(op, ia, ib), a.shape(), axis_map{static_cast<std::uint32_t>(wide.attribute)});
    }
  }
  double va = 0, vb = 0, folded = 0;
  bool const ca = is_constant(a, va), cb = is_constant(b, vb);
  if (is_floating(type)) {
    if (ca && cb && a.get().op == primitive::constant && fold(op, va, vb, folded)) return constant(g, type, folded);
    if (op == primitive::multiply) {
      if (cb && vb == 1) return a;
      if (ca && va == 1) return b;
      if (cb && vb == -1) return unary(primitive::negative, a);
      if (ca && va == -1) return unary(primitive::negative, b);
      if (a.id == b.id) return unary(primitive::square, a);
      // c1 * (c2 * x), which derivative rules produce: exact when one of the constants is a power of two.
      if (ca != cb) {
        double const outer = ca ? va : vb;
        node const n = ca ? b.get() : a.get();
        double inner = 0;
        if (n.op == primitive::multiply)
          for (int k = 0; k < 2; ++k)
            if (is_constant(ref{&g, n.arg[k]}, inner) && (is_power_of_two(inner) || is_power_of_two(outer)))
              return binary(primitive::multiply, full(g, type, a.shape(), inner * outer), ref{&g, n.arg[1 - k]});
      }
      // Signs move outward, where sums and differences absorb them.
      if (a.get().op == primitive::negative) return unary(primitive::negative, binary(primitive::multiply, ref{&g, a.get().arg[0]}, b));
      if (b.get().op == primitive::negative) return unary(primitive::negative, binary(primitive::multiply, a, ref{&g, b.get().arg[0]}));
    }
    if (op == primitive::divide) {
      if (cb && vb == 1) return a;
      // One reciprocal for many quotients, at the cost of one more rounding; 7 times faster (DESIGN section 6).
      node const n = b.get();
      if (!cb && n.op == primitive::broadcast && !is_dual_number(type))
        return binary(primitive::multiply, a,
                      broadcast(binary(primitive::divide, constant(g, type, 1), ref{&g, n.arg[0]}), b.shape(), axis_map{static_cast<std::uint32_t>(n.attribute)}));
    }
    if (op == primitive::subtract && cb && vb == 0) return a;
    if (op == primitive::power && cb) {
      if (vb == 1) return a;
      if (vb == 2) return unary(primitive::square, a);
      if (vb == -1) return binary(primitive::divide, full_like(a, 1), a);
      if (vb == 3) return binary(primitive::multiply, a, unary(primitive::square, a));
      if (vb == 4) return unary(primitive::square, unary(primitive::square, a));
    }
    // a + (-b) and a - (-b), which derivative rules produce.
    if (op == primitive::add && b.get().op == primitive::negative) return binary(primitive::subtract, a, ref{&g, b.get().arg[0]});
    if (op == primitive::add && a.get().op == primitive::negative) return binary(primitive::subtract, b, ref{&g, a.get().arg[0]});
    if (op == primitive::subtract && b.get().op == primitive::negative) return binary(primitive::add, a, ref{&g, b.get().arg[0]});
  }
  if ((op == primitive::maximum || op == primitive::minimum) && a.id == b.id) return a;
  if (is_commutative(op) && a.id > b.id) {
    ref const t = a;
    a = b;
    b = t;
  }
  return append(g, op, result, a.shape(), a.id, b.id);
}

constexpr ref select(ref condition, ref yes, ref no) {
  dtype const type = promote(yes.type(), no.type());
  yes = cast(yes, type);
  no = cast(no, type);
  shape_value const s = broadcast_shape(*yes.g, condition.shape(), broadcast_shape(*yes.g, yes.shape(), no.shape()));
  condition = broadcast_to(condition, s);
  yes = broadcast_to(yes, s);
  no = broadcast_to(no, s);
  if (yes.id == no.id) return yes;
  if (condition.get().op == primitive::logical_not) {
    condition.id = condition.get().arg[0];
    ref const t = yes;
    yes = no;
    no = t;
  }
  return append(*yes.g, primitive::select, type, s, condition.id, yes.id, no.id);
}

constexpr ref operator+(ref a, ref b) { return binary(primitive::add, a, b); }
constexpr ref operator-(ref a, ref b) { return binary(primitive::subtract, a, b); }
constexpr ref operator*(ref a, ref b) { return binary(primitive::multiply, a, b); }
constexpr ref operator/(ref a, ref b) { return binary(primitive::divide, a, b); }
constexpr ref operator-(ref a) { return unary(primitive::negative, a); }
constexpr ref operator+(ref a, double b) { return a + constant(*a.g, a.type(), b); }
constexpr ref operator+(double a, ref b) { return constant(*b.g, b.type(), a) + b; }
constexpr ref operator-(ref a, double b) { return a - constant(*a.g, a.type(), b); }
constexpr ref operator-(double a, ref b) { return constant(*b.g, b.type(), a) - b; }
constexpr ref operator*(ref a, double b) { return a * constant(*a.g, a.type(), b); }
constexpr ref operator*(double a, ref b) { return constant(*b.g, b.type(), a) * b; }
constexpr ref operator/(ref a, double b) { return a / constant(*a.g, a.type(), b); }
constexpr ref operator/(double a, ref b) { return constant(*b.g, b.type(), a) / b; }
constexpr ref less(ref a, ref b) { return binary(primitive::less, a, b); }
constexpr ref equal(ref a, ref b) { return binary(primitive::equal, a, b); }

constexpr ref iota(builder& g, dtype type, shape_value const& s, int axis) { return append(g, primitive::iota, type, s, -1, -1, -1, axis); }

}  // namespace DIMITY_NAMESPACE::detail
