// Running custom derivative rules: as they were given, batched, or transposed.
#pragma once

#include <dimity/program/batching.hpp>

namespace dimity::detail {

constexpr list<ref> reverse(builder& g, list<ref> const& outputs, list<ref> const& seeds, list<ref> const& wanted);

constexpr ref placeholder(builder& g, dtype type, shape_value const& s) { return append(g, primitive::copy, type, s, full(g, type, s, 0).id); }
constexpr shape_value entry_shape(shape_value const& s) {
  shape_value r;
  for (int i = 1; i < s.rank; ++i) r.push(s.extent[i]);
  return r;
}

/// `given` are the cotangents of a rule's outputs (pulls) or the tangents of its inputs; the result is those of its inputs or its outputs.
constexpr list<ref> run_rule(builder& g, int index, list<ref> const& inputs, list<ref> const& given, bool pulls) {
  custom_rule const rule = g.rules[index];
  list<ref> results;
  if (rule.parent >= 0) {
    // The rule of one entry, on one entry, for all of them.
    list<ref> placeholders, batched, own_inputs, own_given;
    for (ref const& x : inputs) {
      own_inputs.push(placeholder(g, x.type(), entry_shape(x.shape())));
      placeholders.push(own_inputs.back());
      batched.push(x);
    }
    for (ref const& x : given) {
      own_given.push(placeholder(g, x.type(), entry_shape(x.shape())));
      placeholders.push(own_given.back());
      batched.push(x);
    }
    list<ref> const one = run_rule(g, rule.parent, own_inputs, own_given, pulls);
    list<ref> valid;  // an argument without a derivative has no result
    for (ref const& r : one)
      if (r.valid()) valid.push(r);
    list<ref> const all = batch(g, placeholders, batched, valid, rule.batch);
    int next = 0;
    for (ref const& r : one) results.push(r.valid() ? all[next++] : ref{});
    return results;
  }
  int const count = pulls ? rule.input_count : rule.output_count;
  for (int i = 0; i < count; ++i) results.push({});
  if (pulls && rule.pull == nullptr) {
    // A rule for tangents is linear in them, so its transpose is its reverse.
    list<ref> tangents, pushed, wanted;
    for (ref const& x : inputs) tangents.push(placeholder(g, x.type(), x.shape()));
    for (int i = 0; i < rule.output_count; ++i) pushed.push({});
    rule.push(g, inputs.begin(), tangents.begin(), &pushed[0]);
    return reverse(g, pushed, given, tangents);
  }
  if (pulls) rule.pull(g, inputs.begin(), given.begin(), &results[0]);
  else rule.push(g, inputs.begin(), given.begin(), &results[0]);
  return results;
}
constexpr bool has_tangent_rule(builder const& g, int index) {
  while (g.rules[index].parent >= 0) index = g.rules[index].parent;
  return g.rules[index].push != nullptr;
}
constexpr list<ref> rule_inputs(builder& g, int index) {
  list<ref> inputs;
  for (int k = 0; k < g.rules[index].input_count; ++k) inputs.push(ref{&g, g.rule_nodes[g.rules[index].inputs + k]});
  return inputs;
}

}  // namespace dimity::detail
