// Forward mode through loops and branches: tangents go through the same bodies, beside the values.
#pragma once

#include <dimity/program/reverse_control.hpp>

namespace DIMITY_NAMESPACE::detail {

constexpr list<ref> forward(builder& g, list<ref> const& inputs, list<ref> const& tangents, list<ref> const& outputs, list<unsigned char> const& given);

/// The tangents of a control's outputs, -1 where there is none. `tangent` is that of each node so far, or -1.
constexpr list<std::int32_t> forward_control(builder& g, int index, list<std::int32_t> const& tangent) {
  control const c = g.controls[index];
  list<std::int32_t> result(c.output_count, -1);
  list<unsigned char> active(g.nodes.size(), 0), flags;
  for (int i = 0; i < tangent.size(); ++i) active[i] = tangent[i] >= 0;
  list<unsigned char> const on = active_inputs(g, c, active, flags), inner = inner_nodes(g, c);
  list<control_input> inputs = inputs_of(g, c);
  list<ref> from, tangents;
  list<std::int32_t> extended(c.output_count, -1);
  int count = c.output_count;
  for (int k = 0; k < c.output_count; ++k) {
    bool any = false;
    for (int b = 0; b < c.bodies; ++b) any = any || (is_floating(g.type(output_node(g, c, b, k))) && flags[output_node(g, c, b, k)]);
    for (int j = 0; j < c.input_count; ++j) any = any || (on[j] && inputs[j].carried == k);
    if (any) extended[k] = count++;
  }
  if (count == c.output_count) return result;
  for (int j = 0; j < c.input_count; ++j) {
    if (!on[j]) continue;
    control_input const i = inputs[j];
    ref const t = block_input(g, g.type(i.inner), g.shape(i.inner));
    int const operand = tangent[i.operand] >= 0 ? tangent[i.operand] : zeros_like(ref{&g, i.operand}).id;
    inputs.push({t.id, operand, i.carried >= 0 ? extended[i.carried] : -1});
    from.push({&g, i.inner});
    tangents.push(t);
  }
  for (int j = 0; j < c.free_count; ++j)
    if (int const f = g.control_nodes[c.frees + j]; f < tangent.size() && tangent[f] >= 0) {
      from.push({&g, f});
      tangents.push({&g, tangent[f]});
    }
  list<std::int32_t> outputs;
  for (int b = 0; b < c.bodies; ++b) {
    list<ref> outs;
    for (int k = 0; k < c.output_count; ++k) {
      outputs.push(output_node(g, c, b, k));
      if (extended[k] >= 0) outs.push({&g, output_node(g, c, b, k)});
    }
    list<ref> const pushed = forward(g, from, tangents, outs, inner);
    for (ref const& t : pushed) outputs.push(t.id);
  }
  control with = c;
  with.extends = index;
  ref const made = add_control(g, with, inputs, outputs);
  for (int k = 0; k < c.output_count; ++k)
    if (extended[k] >= 0) result[k] = control_result(made, extended[k]).id;
  return result;
}

}  // namespace DIMITY_NAMESPACE::detail

// The pass that this one calls for bodies, and that calls it.
#include <dimity/program/forward.hpp>
