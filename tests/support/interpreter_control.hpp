// How the loops and branches of finished programs run, for the interpreter.
#pragma once

#include "interpreter_primitives.hpp"

namespace test {

using values = std::vector<array>;

/// What a body is given at first: the value, or (`entry`) the entries of it one by one; `carried` is the output that takes its place, or -1.
struct control_operand {
  array value;
  bool entry = false;
  int carried = -1;
};
struct given_control {
  control_kind kind;
  bool from_end;
  std::int64_t trips;
  double head;  ///< which of the branches
  int bodies;
  std::vector<control_operand> operands = {};
  std::vector<indices> output_shapes = {};  ///< of one iteration
};

inline array entry_of(array const& x, std::int64_t i) {
  indices const shape(x.shape.begin() + 1, x.shape.end());
  auto const n = count_elements(shape);
  return {shape, {x.elements.begin() + i * n, x.elements.begin() + (i + 1) * n}};
}
inline void set_entry(array& x, std::int64_t i, array const& entry) {
  std::copy(entry.elements.begin(), entry.elements.end(), x.elements.begin() + i * static_cast<std::int64_t>(entry.elements.size()));
}

/// body(b, given) gives the outputs of body number b; goes_on(given) is asked before each iteration of a while loop.
template <class Body, class Condition>
values run_control(given_control c, Body const& body, Condition const& goes_on) {
  values given, outputs;
  if (c.kind == control_kind::branches) {
    for (control_operand const& o : c.operands) given.push_back(o.value);
    return body(static_cast<int>(std::min(std::max(c.head, 0.0), c.bodies - 1.0)), given);
  }
  std::vector<bool> stacked;
  for (indices const& shape : c.output_shapes) {
    outputs.push_back(made_of(joined({c.trips}, shape), [](indices const&) { return 0.0; }));
    stacked.push_back(true);
  }
  for (control_operand const& o : c.operands)
    if (o.carried >= 0) {
      outputs[static_cast<std::size_t>(o.carried)] = o.value;
      stacked[static_cast<std::size_t>(o.carried)] = false;
    }
  for (std::int64_t t = 0; c.kind == control_kind::while_loop || t < c.trips; ++t) {
    if (t > 10000) throw std::runtime_error("interpreter: a while loop without an end");
    std::int64_t const row = c.from_end ? c.trips - 1 - t : t;
    given.clear();
    for (control_operand const& o : c.operands) given.push_back(o.entry ? entry_of(o.value, row) : o.value);
    if (c.kind == control_kind::while_loop && !goes_on(given)) break;
    values const made = body(0, given);
    for (std::size_t k = 0; k < made.size(); ++k) {
      if (stacked[k]) set_entry(outputs[k], row, made[k]);
      else outputs[k] = made[k];
    }
    for (control_operand& o : c.operands)
      if (o.carried >= 0) o.value = made[static_cast<std::size_t>(o.carried)];
  }
  return outputs;
}

}  // namespace test
