// Products that a loop makes of its entries alone are made for all entries at once, before the loop.
#pragma once

#include <dimity/program/batching.hpp>

namespace DIMITY_NAMESPACE::detail {

/// A product of so few rows reads its second operand for little work: for all iterations at once it is one product that reads it once. Larger ones would need much memory for all iterations. Where to draw the line is a choice, not a measurement.
inline constexpr extent_t few_rows = 8;

/// `x_t @ w`, where w is the same in every iteration and x_t does not depend on what is carried, becomes an entry of `xs @ w`. The first `states` of `inputs` are carried, the others entries.
constexpr void hoist_products(builder& g, list<control_input>& inputs, int states, amount trips) {
  int const count = g.nodes.size();
  int first = count;
  list<unsigned char> given(count, 0), carried(count, 0), entries(count, 0);
  list<ref> from, to, products;
  for (int i = 0; i < inputs.size(); ++i) {
    int const id = inputs[i].inner;
    given[id] = 1;
    (i < states ? carried : entries)[id] = 1;
    if (id < first) first = id;
    if (i < states) continue;
    from.push({&g, id});
    to.push({&g, inputs[i].operand});
  }
  if (states == 0 || from.size() == 0) return;
  // What the bodies of loops inside are given changes with their iterations.
  for (control const& c : g.controls)
    for (int j = 0; j < c.input_count; ++j)
      if (int const inner = g.control_inputs[c.inputs + j].inner; inner >= first && !given[inner]) given[inner] = carried[inner] = 1;
  propagate(g, carried, given, first, count);
  propagate(g, entries, given, first, count);
  for (int id = first; id < count; ++id) {
    node const& n = g.nodes[id];
    bool const fits = n.op == primitive::dot && g.shape(id).rank == 2 && g.shape(id).extent[0].is_known() && g.shape(id).extent[0].number() < few_rows && !is_dual_number(n.type);
    if (fits && entries[id] && !carried[id] && !entries[n.arg[1]]) products.push({&g, id});
  }
  if (products.size() == 0) return;
  list<ref> const made = batch(g, from, to, products, trips, given);
  for (int i = 0; i < products.size(); ++i) inputs.push({products[i].id, made[i].id, -1});
}

}  // namespace DIMITY_NAMESPACE::detail
