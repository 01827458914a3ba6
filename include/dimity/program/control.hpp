// Loops and branches in a program: how they are recorded, and what they depend on.
#pragma once

#include <dimity/program/rules.hpp>

namespace DIMITY_NAMESPACE::detail {

/// Everything that a node needs first: its operands; for a result of a custom rule what the rule is told, for a control what its bodies use of the nodes outside.
template <class F>
constexpr void for_each_dependency(builder const& g, node const& n, F const& f) {
  if (n.op != primitive::control) {
    for (int k = 0; k < arity_of(n.op); ++k) f(n.arg[k]);
    if (int const rule = rule_of(n); rule >= 0)
      for (int k = 0; k < g.rules[rule].input_count; ++k) f(g.rule_nodes[g.rules[rule].inputs + k]);
    return;
  }
  control const& c = g.controls[static_cast<int>(n.attribute)];
  for (int j = 0; j < c.input_count; ++j) f(g.control_inputs[c.inputs + j].operand);
  for (int j = 0; j < c.free_count; ++j) f(g.control_nodes[c.frees + j]);
  if (c.kind == control_kind::branches) f(c.head);
}

/// Flags in [first, last) every node that depends on a flagged one; not those that are `given`.
constexpr void propagate(builder const& g, list<unsigned char>& flags, list<unsigned char> const& given, int first, int last) {
  for (int i = first; i < last; ++i) {
    if (flags[i] || given[i]) continue;
    bool any = false;
    for_each_dependency(g, g.nodes[i], [&](int d) { any = any || flags[d]; });
    flags[i] = any;
  }
}

/// The nodes from the first of `inputs` up to the last of these and of `outputs`: all that a pass between them has to look at.
struct node_span {
  int begin, end = 0;
};
constexpr node_span span_between(builder const& g, list<ref> const& inputs, list<ref> const& outputs) {
  node_span s{g.nodes.size()};
  for (ref const& x : inputs) {
    if (x.id < s.begin) s.begin = x.id;
    if (x.id >= s.end) s.end = x.id + 1;
  }
  for (ref const& o : outputs)
    if (o.id >= s.end) s.end = o.id + 1;
  return s;
}

/// Flags what `outputs` need in [first, last), up to values that are `given`.
constexpr list<unsigned char> needed_nodes(builder const& g, list<ref> const& outputs, list<unsigned char> const& given, int first, int last) {
  list<unsigned char> needed(last, 0);
  for (ref const& o : outputs) needed[o.id] = 1;
  for (int i = last - 1; i >= first; --i) {
    if (!needed[i] || given[i]) continue;
    for_each_dependency(g, g.nodes[i], [&](int d) { needed[d] = 1; });
    int const rule = rule_of(g.nodes[i]);
    if (rule < 0) continue;
    // A rule is run with all of its outputs, so they stay together.
    int again = i;
    for (int k = 0; k < g.rules[rule].output_count; ++k) {
      int const output = g.rule_nodes[g.rules[rule].outputs + k];
      if (output < 0 || output >= last || needed[output]) continue;
      needed[output] = 1;
      if (output > again) again = output + 1;
    }
    if (again > i) i = again;
  }
  return needed;
}

/// What stands for something that a body is given.
constexpr ref block_input(builder& g, dtype type, shape_value const& s) { return append(g, primitive::block_input, type, s, -1, -1, -1, g.block_inputs++); }

/// Made of nothing but literals: computed wherever it is needed.
constexpr bool is_literal(builder const& g, int id) {
  node const* n = &g.nodes[id];
  while (family_of(n->op) == family::relabel || n->op == primitive::reshape || n->op == primitive::slice) n = &g.nodes[n->arg[0]];
  return n->op == primitive::constant || n->op == primitive::iota;
}

constexpr int output_node(builder const& g, control const& c, int body, int k) { return g.control_nodes[c.outputs + body * c.output_count + k]; }
constexpr bool is_carried(builder const& g, control const& c, int k) {
  for (int j = 0; j < c.input_count; ++j)
    if (g.control_inputs[c.inputs + j].carried == k) return true;
  return false;
}
constexpr list<control_input> inputs_of(builder const& g, control const& c) {
  list<control_input> inputs;
  for (int j = 0; j < c.input_count; ++j) inputs.push(g.control_inputs[c.inputs + j]);
  return inputs;
}
/// Marks (1) what a control's bodies are given.
constexpr list<unsigned char> inner_nodes(builder const& g, control const& c) {
  list<unsigned char> inner(g.nodes.size(), 0);
  for (int j = 0; j < c.input_count; ++j) inner[g.control_inputs[c.inputs + j].inner] = 1;
  return inner;
}
constexpr int first_inner(builder const& g, control const& c) {
  int first = g.nodes.size();
  for (int j = 0; j < c.input_count; ++j)
    if (g.control_inputs[c.inputs + j].inner < first) first = g.control_inputs[c.inputs + j].inner;
  return first;
}

/// A control over `inputs`, with the outputs of all bodies one after the other. What its bodies use of the nodes outside is found here.
constexpr ref add_control(builder& g, control c, list<control_input> const& inputs, list<std::int32_t> const& outputs) {
  c.inputs = g.control_inputs.size();
  c.input_count = inputs.size();
  for (control_input const& i : inputs) g.control_inputs.push(i);
  c.outputs = g.control_nodes.size();
  c.output_count = outputs.size() / c.bodies;
  for (std::int32_t const o : outputs) g.control_nodes.push(o);
  list<unsigned char> const inner = inner_nodes(g, c);
  list<unsigned char> varies = inner_nodes(g, c), seen(g.nodes.size(), 0);
  propagate(g, varies, inner, first_inner(g, c), g.nodes.size());
  list<std::int32_t> work;
  for (std::int32_t const o : outputs) work.push(o);
  if (c.kind == control_kind::while_loop) work.push(c.head);
  c.frees = g.control_nodes.size();
  while (work.size() > 0) {
    int const id = work.back();
    work.pop();
    if (seen[id] || inner[id]) continue;
    seen[id] = 1;
    if (varies[id]) {
      for_each_dependency(g, g.nodes[id], [&](int d) { work.push(d); });
    } else if (!is_literal(g, id)) {
      g.control_nodes.push(id);
    }
  }
  c.free_count = g.control_nodes.size() - c.frees;
  g.controls.push(c);
  return append(g, primitive::control, dtype::boolean, {}, -1, -1, -1, g.controls.size() - 1);
}

/// Output k after the last iteration, or of all iterations along a new axis 0.
constexpr ref control_result(ref made, int k) {
  builder& g = *made.g;
  control const& c = g.controls[static_cast<int>(made.get().attribute)];
  int const of = output_node(g, c, 0, k);
  shape_value s;
  if (c.kind == control_kind::scan && !is_carried(g, c, k)) s.push(c.trips);
  for (int i = 0; i < g.shape(of).rank; ++i) s.push(g.shape(of).extent[i]);
  return append(g, primitive::control_result, g.type(of), s, made.id, -1, -1, k);
}

}  // namespace DIMITY_NAMESPACE::detail
