// The last pass for programs with loops or branches: what no output needs is dropped, and each body becomes a program of its own, which the planner plans by itself.
#pragma once

#include <dimity/program/control.hpp>
#include <dimity/program/replay.hpp>

namespace DIMITY_NAMESPACE::detail {

constexpr int without_copies(builder const& g, int id) {
  while (g.nodes[id].op == primitive::copy) id = g.nodes[id].arg[0];
  return id;
}
/// An output that is what it takes the place of: it never changes.
constexpr bool is_passed_on(builder const& g, control const& c, control_input const& i) {
  return i.carried >= 0 && without_copies(g, output_node(g, c, 0, i.carried)) == i.inner;
}

/// What the bodies must compute for the outputs that are `used` (a flag for each, at control::outputs).
constexpr list<std::int32_t> roots_of(builder const& g, control const& c, list<unsigned char> const& used) {
  list<std::int32_t> roots;
  for (int k = 0; k < c.output_count; ++k)
    if (used[c.outputs + k])
      for (int b = 0; b < c.bodies; ++b) roots.push(output_node(g, c, b, k));
  if (c.kind == control_kind::while_loop) roots.push(c.head);
  return roots;
}

/// What some values need, exactly: a loop's state only if something that is needed depends on it, in this or a later iteration.
struct reach {
  list<unsigned char> nodes;    ///< per node
  list<unsigned char> outputs;  ///< per output of each control, at control::outputs
};

constexpr reach reach_from(builder const& g, int within, list<std::int32_t> const& roots) {
  reach r{list<unsigned char>(g.nodes.size(), 0), list<unsigned char>(g.control_nodes.size(), 0)};
  list<std::int32_t> edge(g.nodes.size(), 0), work;
  list<unsigned char> waiting(g.controls.size(), 0);
  if (within >= 0) {
    control const& c = g.controls[within];
    for (int j = 0; j < c.input_count; ++j) edge[g.control_inputs[c.inputs + j].inner] = j + 1;
    for (int j = 0; j < c.free_count; ++j) edge[g.control_nodes[c.frees + j]] = -1;
  }
  for (std::int32_t const id : roots) work.push(id);
  for (bool more = true; more;) {
    while (work.size() > 0) {
      int const id = work.back();
      work.pop();
      if (r.nodes[id]) continue;
      r.nodes[id] = 1;
      node const& n = g.nodes[id];
      if (edge[id] > 0) {
        control const& c = g.controls[within];
        int const carried = g.control_inputs[c.inputs + edge[id] - 1].carried;
        if (carried >= 0) work.push(output_node(g, c, 0, carried));
      } else if (edge[id] == 0 && n.op == primitive::control_result) {
        int const index = static_cast<int>(g.nodes[n.arg[0]].attribute);
        r.nodes[n.arg[0]] = 1;
        r.outputs[g.controls[index].outputs + static_cast<int>(n.attribute)] = 1;
        waiting[index] = 1;
      } else if (edge[id] == 0) {
        kept_operands const kept(n, g.on_gpu);
        for (int k = kept.begin; k < kept.end; ++k) work.push(n.arg[k]);
      }
    }
    more = false;
    for (int i = 0; i < g.controls.size() && !more; ++i) {
      if (!waiting[i]) continue;
      waiting[i] = 0;
      more = true;
      control const& c = g.controls[i];
      reach const inside = reach_from(g, i, roots_of(g, c, r.outputs));
      for (int j = 0; j < c.input_count; ++j) {
        control_input const& in = g.control_inputs[c.inputs + j];
        if (inside.nodes[in.inner] || (in.carried >= 0 && r.outputs[c.outputs + in.carried])) work.push(in.operand);
      }
      for (int j = 0; j < c.free_count; ++j)
        if (inside.nodes[g.control_nodes[c.frees + j]]) work.push(g.control_nodes[c.frees + j]);
      if (c.kind == control_kind::branches) work.push(c.head);
    }
  }
  return r;
}

struct closing {
  builder const& from;
  builder& to;
  int within = -1;  ///< the control whose body this is, -1: the program
  reach live = {};
  list<std::int32_t> moved = {}, edge = {};
  list<std::int32_t> frees = {};           ///< nodes outside that a body uses, in the order of its inputs
  list<std::int32_t> stand_in = {};        ///< per control: the one that is run for it
  list<std::int32_t> pending = {};         ///< per control: its record in `to.closed` + 1 once its bodies are programs
  list<std::int32_t> number = {}, passed = {};  ///< per output of each control: its number in the closed one, or the node that it always is

  constexpr closing(builder const& f, builder& t, int w) : from(f), to(t), within(w) {
    int const count = from.nodes.size();
    moved = list<std::int32_t>(count, -1);
    edge = list<std::int32_t>(count, 0);
    stand_in = list<std::int32_t>(from.controls.size(), -1);
    pending = list<std::int32_t>(from.controls.size(), 0);
    number = list<std::int32_t>(from.control_nodes.size(), -1);
    passed = list<std::int32_t>(from.control_nodes.size(), -1);
  }

  constexpr void run(list<std::int32_t> const& roots) { run(roots, reach_from(from, within, roots)); }
  constexpr void run(list<std::int32_t> const& roots, reach&& found) {
    live = static_cast<reach&&>(found);
    if (within >= 0) {
      control const& c = from.controls[within];
      for (int j = 0; j < c.free_count; ++j) edge[from.control_nodes[c.frees + j]] = -1;
    }
    merge();
    for (std::int32_t const r : roots) make(r);
    for (std::int32_t const r : roots) to.outputs.push(moved[r]);
  }

  /// A loop that another one extends is not run beside it, unless the other one depends on it.
  constexpr void merge() {
    for (int i = 0; i < from.controls.size(); ++i) stand_in[i] = i;
    list<std::int32_t> node_of(from.controls.size(), -1);
    for (int id = 0; id < from.nodes.size(); ++id)
      if (from.nodes[id].op == primitive::control && live.nodes[id]) node_of[static_cast<int>(from.nodes[id].attribute)] = id;
    for (int wide = from.controls.size() - 1; wide >= 0; --wide) {
      if (node_of[wide] < 0) continue;
      for (int narrow = from.controls[wide].extends; narrow >= 0; narrow = from.controls[narrow].extends) {
        if (node_of[narrow] < 0 || stand_in[narrow] != narrow || depends_on(node_of[stand_in[wide]], node_of[narrow], node_of)) continue;
        stand_in[narrow] = stand_in[wide];
        for (int k = 0; k < from.controls[narrow].output_count; ++k)
          if (live.outputs[from.controls[narrow].outputs + k]) live.outputs[from.controls[stand_in[wide]].outputs + k] = 1;
      }
    }
  }
  constexpr bool depends_on(int id, int on, list<std::int32_t> const& node_of) const {
    list<unsigned char> seen(from.nodes.size(), 0);
    list<std::int32_t> work;
    work.push(id);
    while (work.size() > 0) {
      int const next = work.back();
      work.pop();
      if (next == on) return true;
      if (seen[next]) continue;
      seen[next] = 1;
      for_each_dependency(from, from.nodes[next], [&](int d) {
        if (from.nodes[d].op == primitive::control) {
          int const other = stand_in[static_cast<int>(from.nodes[d].attribute)];
          work.push(node_of[other] >= 0 ? node_of[other] : d);
        } else {
          work.push(d);
        }
      });
    }
    return false;
  }
  constexpr int stand_in_of(int control_node) const { return stand_in[static_cast<int>(from.nodes[control_node].attribute)]; }

  constexpr void make(int root) {
    list<std::int32_t> work;
    work.push(root);
    while (work.size() > 0) {
      int const id = work.back();
      if (moved[id] >= 0) {
        work.pop();
        continue;
      }
      node const& n = from.nodes[id];
      if (edge[id] < 0) {
        moved[id] = to.input(n.type, from.shapes[n.shape]);
        frees.push(id);
        work.pop();
      } else if (n.op == primitive::control_result) {
        make_result(id, work);
      } else {
        bool ready = true;
        kept_operands const kept(n, from.on_gpu);
        for (int k = kept.begin; k < kept.end; ++k)
          if (moved[n.arg[k]] < 0) {
            work.push(n.arg[k]);
            ready = false;
          }
        if (!ready) continue;
        auto const at = [&](int k) { return k < arity_of(n.op) ? moved[n.arg[k]] : -1; };
        moved[id] = replay(to, from, n, at(0), at(1), at(2)).id;
        work.pop();
      }
    }
  }
  constexpr void make_result(int id, list<std::int32_t>& work) {
    node const& n = from.nodes[id];
    int const index = stand_in_of(n.arg[0]), k = static_cast<int>(n.attribute);
    if (pending[index] == 0) close(index);
    control const& c = from.controls[index];
    if (int const same = passed[c.outputs + k]; same >= 0) {
      if (moved[same] >= 0) moved[id] = moved[same];
      else work.push(same);
      return;
    }
    closed_control& made = to.closed[pending[index] - 1];
    if (made.node < 0) {
      // Until now its operands are those in `from`.
      bool ready = c.kind != control_kind::branches || moved[c.head] >= 0;
      if (!ready) work.push(c.head);
      for (int j = 0; j < made.operand_count; ++j)
        if (int const o = to.closed_operands[made.operands + j].node; moved[o] < 0) {
          work.push(o);
          ready = false;
        }
      if (!ready) return;
      for (int j = 0; j < made.operand_count; ++j) {
        closed_operand& o = to.closed_operands[made.operands + j];
        o.node = moved[o.node];
      }
      if (c.kind == control_kind::branches) made.head = moved[c.head];
      made.node = append(to, primitive::control, dtype::boolean, {}, -1, -1, -1, pending[index] - 1).id;
    }
    moved[id] = append(to, primitive::control_result, n.type, from.shapes[n.shape], to.closed[pending[index] - 1].node, -1, -1, number[c.outputs + k]).id;
  }

  /// Bodies first: they say what the control needs.
  constexpr void close(int index) {
    control const& c = from.controls[index];
    reach inside = reach_from(from, index, roots_of(from, c, live.outputs));
    list<unsigned char> kept(c.output_count, 0);
    for (int k = 0; k < c.output_count; ++k) kept[k] = live.outputs[c.outputs + k];
    for (int j = 0; j < c.input_count; ++j) {
      control_input const& i = from.control_inputs[c.inputs + j];
      if (i.carried < 0) continue;
      if (is_passed_on(from, c, i)) {
        kept[i.carried] = 0;
        passed[c.outputs + i.carried] = i.operand;
      } else if (inside.nodes[i.inner]) {
        kept[i.carried] = 1;
      }
    }
    closed_control made;
    made.kind = c.kind;
    made.from_end = c.from_end;
    made.trips = c.trips;
    for (int k = 0; k < c.output_count; ++k)
      if (kept[k]) number[c.outputs + k] = made.output_count++;
    list<closed_operand> operands;
    list<std::int32_t> inner;
    for (int j = 0; j < c.input_count; ++j) {
      control_input const& i = from.control_inputs[c.inputs + j];
      bool const carries = i.carried >= 0 && kept[i.carried];
      if (!inside.nodes[i.inner] && !carries) continue;
      operands.push({i.operand, carries ? number[c.outputs + i.carried] : -1, c.kind == control_kind::scan && i.carried < 0});
      inner.push(i.inner);
    }
    made.bodies = to.bodies.programs.size();
    if (c.kind == control_kind::while_loop) close_body(index, -1, kept, inner, operands, nullptr);
    // What a single body needs has just been found. Finding it again at each depth would double the work with every loop that is around another one.
    reach* const found = c.bodies == 1 && c.kind != control_kind::while_loop ? &inside : nullptr;
    for (int b = 0; b < c.bodies; ++b) close_body(index, b, kept, inner, operands, found);
    made.body_count = to.bodies.programs.size() - made.bodies;
    made.operands = to.closed_operands.size();
    made.operand_count = operands.size();
    for (closed_operand const& o : operands) to.closed_operands.push(o);
    to.closed.push(made);
    pending[index] = to.closed.size();
  }
  constexpr void close_body(int index, int body, list<unsigned char> const& kept, list<std::int32_t> const& inner, list<closed_operand>& operands, reach* found) {
    control const& c = from.controls[index];
    builder* const program = new builder;
    program->extents = to.extents;
    closing sub(from, *program, index);
    to.bodies.begin.push(to.bodies.inputs.size());
    for (int i = 0; i < inner.size(); ++i) {
      sub.moved[inner[i]] = program->input(from.type(inner[i]), from.shape(inner[i]));
      to.bodies.inputs.push(i);
    }
    list<std::int32_t> roots;
    if (body < 0) roots.push(c.head);
    else
      for (int k = 0; k < c.output_count; ++k)
        if (kept[k]) roots.push(output_node(from, c, body, k));
    if (found != nullptr) sub.run(roots, static_cast<reach&&>(*found));
    else sub.run(roots);
    for (std::int32_t const f : sub.frees) {
      int at = -1;
      for (int i = 0; i < operands.size() && at < 0; ++i)
        if (operands[i].node == f && operands[i].carried < 0 && !operands[i].entry) at = i;
      if (at < 0) {
        at = operands.size();
        operands.push({f, -1, false});
      }
      to.bodies.inputs.push(at);
    }
    to.bodies.programs.push(program);
  }
};

}  // namespace DIMITY_NAMESPACE::detail
