// When may a result overwrite an argument? What the assignment `a = f(a)` and donated arguments ask.
#pragma once

#include <dimity/plan/plan.hpp>

namespace DIMITY_NAMESPACE::detail {

template <class Plan>
constexpr bool same_elements(Plan const& p, access const& a, access const& b, int axes) {
  (void)p;
  if (a.offset != b.offset || size_of(a.type) != size_of(b.type)) return false;
  for (int i = 0; i < axes; ++i)
    if (a.stride[i] != b.stride[i]) return false;
  return true;
}

/// A control that only continues `input` as `output`, in place.
template <class Plan, class Is>
constexpr bool continues(Plan const& p, control_step const& c, int output, int input, Is const& is) {
  int uses = 0, carried = -1;
  for (int i = c.operands.begin; i < c.operands.end; ++i) {
    if (!is(p.slots[c.slots.begin + p.ports[i].slot], residence::input, input)) continue;
    ++uses;
    carried = p.ports[i].carried;
  }
  if (uses != 1 || carried < 0) return false;
  port const& to = p.ports[c.outputs.begin + carried];
  return to.spare < 0 && is(p.slots[c.slots.begin + to.slot], residence::output, output);
}

/// True when output `output` may share memory, element for element, with input `input`: every read of an element happens
/// before, or in the same vector as, its being written. Of all steps in `steps`.
template <class Plan>
constexpr bool may_overwrite(Plan const& p, range steps, int output, int input) {
  auto const is = [&](int slot_buffer, residence where, int index) { return p.buffers[slot_buffer].where == where && p.buffers[slot_buffer].index == index; };
  bool written = false;
  for (int i = steps.begin; i < steps.end; ++i) {
    step const s = p.steps[i];
    if (s.kind == step_kind::control) {
      control_step const& c = p.controls[s.index];
      bool reads = c.head_slot >= 0 && is(p.slots[c.slots.begin + c.head_slot], residence::input, input), writes = false;
      for (int j = c.operands.begin; j < c.operands.end; ++j) reads = reads || is(p.slots[c.slots.begin + p.ports[j].slot], residence::input, input);
      for (int j = c.outputs.begin; j < c.outputs.end; ++j) writes = writes || is(p.slots[c.slots.begin + p.ports[j].slot], residence::output, output);
      if (reads && (written || (writes && !continues(p, c, output, input, is)))) return false;
      written = written || writes;
      continue;
    }
    int kernel_index = s.kind == step_kind::kernel ? s.index : p.opaques[s.index].epilogue;
    if (s.kind == step_kind::primitive) {
      opaque_step const& o = p.opaques[s.index];
      bool reads = false, writes = false;
      for (int j = 0; j < 3; ++j) reads = reads || (o.operand_slot[j] >= 0 && is(p.slots[o.slots.begin + o.operand_slot[j]], residence::input, input));
      if (o.result_slot >= 0) writes = is(p.slots[o.slots.begin + o.result_slot], residence::output, output);
      if (kernel_index >= 0) {
        kernel const& k = p.kernels[kernel_index];
        for (int st = k.stores.begin; st < k.stores.end; ++st)
          writes = writes || is(p.slots[k.slots.begin + p.accesses[k.accesses.begin + p.stores[st].access].slot], residence::output, output);
      }
      if (reads && (writes || written)) return false;
      if (o.result_slot >= 0 && is(p.slots[o.slots.begin + o.result_slot], residence::output, output)) {
        // The product itself is written beside what its epilogue makes of it, which must not read what it overwrites.
        written = true;
        if (kernel_index >= 0) {
          kernel const& k = p.kernels[kernel_index];
          for (int v = k.values.begin; v < k.values.end; ++v)
            if (p.values[v].op == primitive::input && is(p.slots[k.slots.begin + p.accesses[k.accesses.begin + p.values[v].attribute].slot], residence::input, input)) return false;
        }
      }
    }
    if (kernel_index < 0) continue;
    kernel const& k = p.kernels[kernel_index];
    for (int st = k.stores.begin; st < k.stores.end; ++st) {
      access const& to = p.accesses[k.accesses.begin + p.stores[st].access];
      if (!is(p.slots[k.slots.begin + to.slot], residence::output, output)) continue;
      written = true;
      for (int v = k.values.begin; v < k.values.end; ++v) {
        if (p.values[v].op != primitive::input) continue;
        access const& from = p.accesses[k.accesses.begin + p.values[v].attribute];
        if (!is(p.slots[k.slots.begin + from.slot], residence::input, input)) continue;
        bool const last_stage = p.stores[st].stage + 1 == k.stages;
        bool const row_value = p.values[v].at != level::lane && k.axes > 0;
        if (p.stores[st].combine != primitive::copy || !last_stage || row_value || !same_elements(p, from, to, k.axes)) return false;
      }
    }
    if (written) {
      bool writes_here = false;
      for (int st = k.stores.begin; st < k.stores.end; ++st)
        writes_here = writes_here || is(p.slots[k.slots.begin + p.accesses[k.accesses.begin + p.stores[st].access].slot], residence::output, output);
      if (!writes_here)
        for (int v = k.values.begin; v < k.values.end; ++v)
          if (p.values[v].op == primitive::input && is(p.slots[k.slots.begin + p.accesses[k.accesses.begin + p.values[v].attribute].slot], residence::input, input)) return false;
    }
  }
  return true;
}
template <plan_size N>
constexpr bool may_overwrite(plan<N> const& p, int output, int input) {
  return may_overwrite(p, range{N.first_step, N.steps}, output, input);
}

}  // namespace DIMITY_NAMESPACE::detail
