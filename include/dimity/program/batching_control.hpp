// Batching of loops and branches. What a branch or the end of a loop is decided by may differ from entry to entry: then all branches are
// computed and the right one is selected, and a loop runs until its last entry is done.
#pragma once

#include <dimity/program/control.hpp>
#include <dimity/program/derivative.hpp>
#include <dimity/program/emit_layout.hpp>

namespace DIMITY_NAMESPACE::detail {

constexpr list<ref> batch(builder& g, list<ref> const& inputs, list<ref> const& batched, list<ref> const& outputs, amount size, list<unsigned char> const& given);
constexpr ref with_batch(ref x, bool has_batch, amount n);
constexpr shape_value batched_shape(shape_value const& s, amount n);

constexpr ref swap_first_two(ref x) {
  axis_map order = axis_map::identity(x.rank());
  order.set(0, 1);
  order.set(1, 0);
  return transpose(x, order);
}
/// One truth value for each entry, for all elements of the entry.
constexpr ref for_entries(ref condition, shape_value const& s) {
  axis_map map;
  map.set(0, 0);
  return broadcast(condition, s, map);
}

/// All branches of each entry, of which the entry's index picks one.
constexpr list<ref> select_branches(builder& g, control const& c, list<std::int32_t> const& moved, amount size) {
  list<ref> from, to, result;
  for (int j = 0; j < c.input_count; ++j) {
    control_input const i = g.control_inputs[c.inputs + j];
    bool const has = moved[i.operand] >= 0;
    from.push({&g, i.inner});
    to.push(with_batch(ref{&g, has ? moved[i.operand] : i.operand}, has, size));
  }
  for (int j = 0; j < c.free_count; ++j)
    if (int const f = g.control_nodes[c.frees + j]; moved[f] >= 0) {
      from.push({&g, f});
      to.push({&g, moved[f]});
    }
  list<unsigned char> const inner = inner_nodes(g, c);
  ref const head{&g, moved[c.head]};
  for (int b = c.bodies - 1; b >= 0; --b) {
    list<ref> outs;
    for (int k = 0; k < c.output_count; ++k) outs.push({&g, output_node(g, c, b, k)});
    list<ref> const values = batch(g, from, to, outs, size, inner);
    for (int k = 0; k < c.output_count; ++k) {
      if (b == c.bodies - 1) {
        result.push(values[k]);
        continue;
      }
      // Below 0 is branch 0, as everything beyond the last is the last.
      ref const here = head.type() == dtype::boolean ? unary(primitive::logical_not, head)
                                                     : binary(primitive::less_equal, head, full(g, head.type(), head.shape(), b));
      result[k] = select(for_entries(here, values[k].shape()), values[k], result[k]);
    }
  }
  return result;
}

/// The outputs of a control for all entries; invalid where they do not depend on the batch. `moved` is each node's batched form, or -1.
constexpr list<ref> batch_control(builder& g, int index, list<std::int32_t> const& moved, amount size) {
  control const c = g.controls[index];
  if (c.kind == control_kind::branches && moved[c.head] >= 0) return select_branches(g, c, moved, size);
  list<unsigned char> const inner = inner_nodes(g, c);
  list<unsigned char> on(c.input_count, 0), flags;
  for (int j = 0; j < c.input_count; ++j) on[j] = moved[g.control_inputs[c.inputs + j].operand] >= 0;
  bool until_last = false;  // the loop ends at different times for different entries
  for (bool changed = true; changed;) {
    changed = false;
    flags = list<unsigned char>(g.nodes.size(), 0);
    for (int j = 0; j < c.free_count; ++j)
      if (int const f = g.control_nodes[c.frees + j]; moved[f] >= 0) flags[f] = 1;
    for (int j = 0; j < c.input_count; ++j)
      if (on[j]) flags[g.control_inputs[c.inputs + j].inner] = 1;
    propagate(g, flags, inner, first_inner(g, c), g.nodes.size());
    until_last = c.kind == control_kind::while_loop && flags[c.head];
    for (int j = 0; j < c.input_count; ++j) {
      control_input const& i = g.control_inputs[c.inputs + j];
      if (on[j] || i.carried < 0 || !(flags[output_node(g, c, 0, i.carried)] || until_last)) continue;
      on[j] = 1;
      changed = true;
    }
  }
  list<unsigned char> batched_output(c.output_count, 0);
  for (int k = 0; k < c.output_count; ++k)
    for (int b = 0; b < c.bodies; ++b) batched_output[k] = batched_output[k] || flags[output_node(g, c, b, k)];
  list<control_input> inputs;
  list<ref> from, to;
  list<std::int32_t> before(c.output_count, -1);  // what a carried output takes the place of
  for (int j = 0; j < c.input_count; ++j) {
    control_input i = g.control_inputs[c.inputs + j];
    if (on[j]) {
      bool const has = moved[i.operand] >= 0;
      ref const stand_in = block_input(g, g.type(i.inner), batched_shape(g.shape(i.inner), size));
      ref operand = with_batch(ref{&g, has ? moved[i.operand] : i.operand}, has, size);
      if (c.kind == control_kind::scan && i.carried < 0) operand = swap_first_two(operand);
      from.push({&g, i.inner});
      to.push(stand_in);
      if (i.carried >= 0) {
        batched_output[i.carried] = 1;
        before[i.carried] = stand_in.id;
      }
      i.inner = stand_in.id;
      i.operand = operand.id;
    }
    inputs.push(i);
  }
  for (int j = 0; j < c.free_count; ++j)
    if (int const f = g.control_nodes[c.frees + j]; moved[f] >= 0) {
      from.push({&g, f});
      to.push({&g, moved[f]});
    }
  control with = c;
  with.extends = -1;
  ref running;
  if (until_last) {
    list<ref> condition;
    condition.push({&g, c.head});
    running = batch(g, from, to, condition, size, inner)[0];
    with.head = reduce(primitive::any, running, 1u).id;
  }
  list<std::int32_t> outputs;
  for (int b = 0; b < c.bodies; ++b) {
    list<ref> outs;
    for (int k = 0; k < c.output_count; ++k)
      if (batched_output[k]) outs.push({&g, output_node(g, c, b, k)});
    list<ref> const values = batch(g, from, to, outs, size, inner);
    int next = 0;
    for (int k = 0; k < c.output_count; ++k) {
      if (!batched_output[k]) {
        outputs.push(output_node(g, c, b, k));
        continue;
      }
      ref y = values[next++];
      if (until_last) y = select(for_entries(running, y.shape()), y, ref{&g, before[k]});
      outputs.push(y.id);
    }
  }
  ref const made = add_control(g, with, inputs, outputs);
  list<ref> result;
  for (int k = 0; k < c.output_count; ++k) {
    ref const y = control_result(made, k);
    bool const stacked = c.kind == control_kind::scan && !is_carried(g, g.controls[static_cast<int>(made.get().attribute)], k);
    result.push(!batched_output[k] ? ref{} : stacked ? swap_first_two(y) : y);
  }
  return result;
}

}  // namespace DIMITY_NAMESPACE::detail

// The pass that this one calls for bodies, and that calls it.
#include <dimity/program/batching.hpp>
