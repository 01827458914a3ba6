// Appending loops and branches whose bodies are functions of nodes: for operations that are composed of others. What users write is transform/scan.hpp and transform/branch.hpp.
#pragma once

#include <dimity/program/control.hpp>
#include <dimity/program/emit_layout.hpp>

namespace DIMITY_NAMESPACE::detail {

constexpr ref entry_of_one(ref x) { return reshape(x, without_axes(x.shape(), 1)); }
constexpr ref as_one_entry(ref x) {
  shape_value s;
  s.push(1);
  for (int i = 0; i < x.rank(); ++i) s.push(x.extent(i));
  return reshape(x, s);
}

/// `body(state, entry, next, ys)` for each of `trips` entries along axis 0 of `entries`; gives the last states and, behind them, the ys side by side. One entry needs no loop.
template <class Body>
constexpr list<ref> loop_over(builder& g, list<ref> const& states, list<ref> const& entries, amount trips, Body const& body) {
  list<ref> state, entry, next, ys, results;
  if (trips == 1) {
    for (ref const& x : states) state.push(x);
    for (ref const& x : entries) entry.push(entry_of_one(x));
    body(state, entry, next, ys);
    for (ref const& x : next) results.push(x);
    for (ref const& y : ys) results.push(as_one_entry(y));
    return results;
  }
  list<control_input> inputs;
  for (ref const& x : states) {
    state.push(block_input(g, x.type(), x.shape()));
    inputs.push({state.back().id, x.id, inputs.size()});
  }
  for (ref const& x : entries) {
    entry.push(block_input(g, x.type(), without_axes(x.shape(), 1)));
    inputs.push({entry.back().id, x.id, -1});
  }
  body(state, entry, next, ys);
  list<std::int32_t> outputs;
  for (ref const& x : next) outputs.push(x.id);
  for (ref const& y : ys) outputs.push(y.id);
  control c;
  c.trips = trips;
  ref const made = add_control(g, c, inputs, outputs);
  for (int k = 0; k < outputs.size(); ++k) results.push(k < states.size() && trips == 0 ? states[k] : control_result(made, k));
  return results;
}

/// `yes(operands, results)` where the condition holds, `no(operands, results)` where not. What a branch is to compute only when it is taken it has to compute of the operands.
template <class Yes, class No>
constexpr list<ref> branch_on(builder& g, ref condition, list<ref> const& operands, Yes const& yes, No const& no) {
  list<ref> own, taken, other, results;
  list<control_input> inputs;
  for (ref const& x : operands) {
    own.push(block_input(g, x.type(), x.shape()));
    inputs.push({own.back().id, x.id, -1});
  }
  no(own, other);
  yes(own, taken);
  list<std::int32_t> outputs;
  for (ref const& x : other) outputs.push(x.id);
  for (ref const& x : taken) outputs.push(x.id);
  control c;
  c.kind = control_kind::branches;
  c.bodies = 2;
  c.head = condition.id;
  ref const made = add_control(g, c, inputs, outputs);
  for (int k = 0; k < taken.size(); ++k) results.push(control_result(made, k));
  return results;
}

}  // namespace DIMITY_NAMESPACE::detail
