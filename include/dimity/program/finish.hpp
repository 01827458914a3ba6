// The last pass before planning: what no output needs is dropped, copies dissolve, and what becomes equal or simpler by that is merged.
#pragma once

#include <dimity/program/emit_layout.hpp>

namespace dimity::detail {

/// Appends `n` (a node of `from`) to `to` with other operands, through the same rewrites as when it was first made.
constexpr ref replay(builder& to, builder const& from, node const& n, int a, int b, int c) {
  shape_value const s = from.shapes[n.shape];
  ref const x{&to, a};
  switch (n.op) {
    case primitive::constant: return append(to, n.op, n.type, s, -1, -1, -1, n.attribute);
    case primitive::iota: return iota(to, n.type, s, static_cast<int>(n.attribute));
    case primitive::cast: return cast(x, n.type);
    case primitive::copy: return x;
    case primitive::select: return select(x, ref{&to, b}, ref{&to, c});
    case primitive::broadcast: return broadcast(x, s, axis_map{static_cast<std::uint32_t>(n.attribute)});
    case primitive::transpose: return transpose(x, axis_map{static_cast<std::uint32_t>(n.attribute)});
    case primitive::reshape: return reshape(x, s);
    case primitive::slice: {
      int const at = static_cast<int>(n.attribute);
      return slice(x, &from.pool[at], &from.pool[at + s.rank], s.extent);
    }
    case primitive::pad: {
      int const at = static_cast<int>(n.attribute);
      return pad(x, s, &from.pool[at], &from.pool[at + s.rank]);
    }
    default: break;
  }
  if (family_of(n.op) == family::elementwise) return arity_of(n.op) == 1 ? unary(n.op, x) : binary(n.op, x, ref{&to, b});
  if (family_of(n.op) == family::reduction) return reduce(n.op, x, static_cast<std::uint32_t>(n.attribute));
  return append(to, n.op, n.type, s, a, b, c, n.attribute);
}

/// True when finish() would change nothing: without copies and dead nodes, what is there was simplified when it was made.
constexpr bool is_finished(builder const& g) {
  list<unsigned char> used(g.nodes.size(), 0);
  for (int o : g.outputs) used[o] = 1;
  for (int i = g.nodes.size() - 1; i >= 0; --i) {
    node const& n = g.nodes[i];
    if (n.op == primitive::copy || (!used[i] && n.op != primitive::input)) return false;
    for (int k = 0; k < arity_of(n.op); ++k) used[n.arg[k]] = 1;
  }
  return true;
}

/// Rewrites `from` into `to`: inputs keep their numbers, outputs their order.
constexpr void finish(builder const& from, builder& to) {
  int const count = from.nodes.size();
  list<unsigned char> live(count, 0);
  for (int o : from.outputs) live[o] = 1;
  for (int i = count - 1; i >= 0; --i) {
    if (from.nodes[i].op == primitive::input) live[i] = 1;
    if (!live[i]) continue;
    for (int k = 0; k < arity_of(from.nodes[i].op); ++k) live[from.nodes[i].arg[k]] = 1;
  }
  list<std::int32_t> moved(count, -1);
  auto const at = [&](int id) { return id < 0 ? -1 : moved[id]; };
  for (int i = 0; i < count; ++i) {
    if (!live[i]) continue;
    node const& n = from.nodes[i];
    if (n.op == primitive::input) {
      moved[i] = to.input(n.type, from.shapes[n.shape]);
      if (n.arg[0] >= 0) to.nodes[moved[i]].arg[0] = static_cast<std::int32_t>(to.intern(&from.pool[n.arg[0]], from.shapes[n.shape].rank));
    } else {
      moved[i] = replay(to, from, n, at(n.arg[0]), at(n.arg[1]), at(n.arg[2])).id;
    }
  }
  for (int o : from.outputs) to.outputs.push(moved[o]);
}

}  // namespace dimity::detail
