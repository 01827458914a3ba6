// The last pass before planning: what no output needs is dropped, copies dissolve, and what becomes equal or simpler by that is merged.
#pragma once

#include <dimity/program/close.hpp>

namespace DIMITY_NAMESPACE::detail {

/// True when finish() would change nothing: without copies and dead nodes, what is there was simplified when it was made.
constexpr bool is_finished(builder const& g) {
  if (g.controls.size() > 0) return false;
  list<unsigned char> used(g.nodes.size(), 0);
  for (int o : g.outputs) used[o] = 1;
  for (int i = g.nodes.size() - 1; i >= 0; --i) {
    node const& n = g.nodes[i];
    if (n.op == primitive::copy || is_stand_in(n) || (!used[i] && n.op != primitive::input)) return false;
    for (int k = 0; k < arity_of(n.op); ++k) used[n.arg[k]] = 1;
  }
  return true;
}

constexpr int replay_input(builder const& from, builder& to, node const& n) {
  int const id = to.input(n.type, from.shapes[n.shape]);
  if (n.arg[0] >= 0) to.nodes[id].arg[0] = static_cast<std::int32_t>(to.intern(from.pool.begin() + n.arg[0], from.shapes[n.shape].rank));
  return id;
}

/// Rewrites `from` into `to`: inputs keep their numbers, outputs their order.
constexpr void finish(builder const& from, builder& to) {
  to.error = from.error;
  to.extents = from.extents;
  if (from.controls.size() > 0) {
    closing whole(from, to, -1);
    for (int i = 0; i < from.nodes.size(); ++i)
      if (from.nodes[i].op == primitive::input) whole.moved[i] = replay_input(from, to, from.nodes[i]);
    whole.run(from.outputs);
    return;
  }
  int const count = from.nodes.size();
  list<unsigned char> live(count, 0);
  for (int o : from.outputs) live[o] = 1;
  for (int i = count - 1; i >= 0; --i) {
    if (from.nodes[i].op == primitive::input) live[i] = 1;
    if (!live[i]) continue;
    kept_operands const kept(from.nodes[i], from.on_gpu);
    for (int k = kept.begin; k < kept.end; ++k) live[from.nodes[i].arg[k]] = 1;
  }
  list<std::int32_t> moved(count, -1);
  auto const at = [&](int id) { return id < 0 ? -1 : moved[id]; };
  for (int i = 0; i < count; ++i) {
    if (!live[i]) continue;
    node const& n = from.nodes[i];
    if (n.op == primitive::input) {
      moved[i] = replay_input(from, to, n);
    } else {
      moved[i] = replay(to, from, n, at(n.arg[0]), at(n.arg[1]), at(n.arg[2])).id;
    }
  }
  for (int o : from.outputs) to.outputs.push(moved[o]);
}

}  // namespace DIMITY_NAMESPACE::detail
