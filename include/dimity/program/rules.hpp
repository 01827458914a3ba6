// Custom derivative rules in a program: how they are recorded and found again.
#pragma once

#include <dimity/program/emit.hpp>

namespace DIMITY_NAMESPACE::detail {

/// The rule that a node is a result of, or -1.
constexpr int rule_of(node const& n) { return n.op == primitive::copy && n.attribute >= first_custom_rule ? static_cast<int>(n.attribute - first_custom_rule) : -1; }

/// Records a rule over `inputs` with room for its outputs; gives its index.
constexpr int add_rule(builder& g, custom_rule r, list<std::int32_t> const& inputs, int output_count) {
  r.inputs = g.rule_nodes.size();
  r.input_count = inputs.size();
  for (std::int32_t const id : inputs) g.rule_nodes.push(id);
  r.outputs = g.rule_nodes.size();
  r.output_count = output_count;
  for (int i = 0; i < output_count; ++i) g.rule_nodes.push(-1);
  g.rules.push(r);
  return g.rules.size() - 1;
}
/// y as output number `which` of a rule.
constexpr ref with_rule(builder& g, ref y, int rule, int which) {
  ref const result = append(g, primitive::copy, y.type(), y.shape(), y.id, -1, -1, first_custom_rule + rule);
  g.rule_nodes[g.rules[rule].outputs + which] = result.id;
  return result;
}
constexpr int output_of_rule(builder const& g, int rule, int id) {
  int k = 0;
  while (g.rule_nodes[g.rules[rule].outputs + k] != id) ++k;
  return k;
}
/// True for the output that was made first: at it everything that uses the others has been visited backwards, and nothing forwards.
constexpr bool is_first_output(builder const& g, int rule, int id) {
  custom_rule const& r = g.rules[rule];
  for (int k = 0; k < r.output_count; ++k)
    if (g.rule_nodes[r.outputs + k] >= 0 && g.rule_nodes[r.outputs + k] < id) return false;
  return true;
}

}  // namespace DIMITY_NAMESPACE::detail
