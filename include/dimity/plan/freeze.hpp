// The plan as a constant, from what the passes left.
#pragma once

#include <dimity/plan/kernels.hpp>

namespace dimity::detail {

template <plan_size N>
constexpr void copy_plan(plan<N>& to, plan_builder const& from, extent_table const& extents) {
  for (int i = 0; i < from.regions.size(); ++i) to.regions[i] = from.regions[i];
  for (int i = 0; i < extents.symbols.size(); ++i) to.symbols[i] = extents.symbols[i];
  for (int i = 0; i < extents.conditions.size(); ++i) to.conditions[i] = extents.conditions[i];
  for (int i = 0; i < from.interface.size(); ++i) to.interface[i] = from.interface[i];
  for (int i = 0; i < from.kernels.size(); ++i) to.kernels[i] = from.kernels[i];
  for (int i = 0; i < from.opaques.size(); ++i) to.opaques[i] = from.opaques[i];
  for (int i = 0; i < from.steps.size(); ++i) to.steps[i] = from.steps[i];
  for (int i = 0; i < from.buffers.size(); ++i) to.buffers[i] = from.buffers[i];
  for (int i = 0; i < from.values.size(); ++i) to.values[i] = from.values[i];
  for (int i = 0; i < from.accesses.size(); ++i) to.accesses[i] = from.accesses[i];
  for (int i = 0; i < from.stores.size(); ++i) to.stores[i] = from.stores[i];
  for (int i = 0; i < from.slots.size(); ++i) to.slots[i] = from.slots[i];
  for (int i = 0; i < from.lists.size(); ++i) to.lists[i] = from.lists[i];
  for (int i = 0; i < from.list_ranges.size(); ++i) to.list_ranges[i] = from.list_ranges[i];
  for (int i = 0; i < from.shapes.size(); ++i) to.shapes[i] = from.shapes[i];
  for (int i = 0; i < from.pool.size(); ++i) to.pool[i] = from.pool[i];
  for (int i = 0; i < from.controls.size(); ++i) to.controls[i] = from.controls[i];
  for (int i = 0; i < from.ports.size(); ++i) to.ports[i] = from.ports[i];
  for (int i = 0; i < from.blocks.size(); ++i) to.blocks[i] = from.blocks[i];
  for (int i = 0; i < from.block_inputs.size(); ++i) to.block_inputs[i] = from.block_inputs[i];
  to.workspace_bytes = from.workspace_bytes;
}
template <plan_size N>
constexpr plan<N> to_plan(plan_builder const& from, extent_table const& extents) {
  plan<N> to;
  copy_plan(to, from, extents);
  return to;
}

constexpr bool fits(plan_size const& a, plan_size const& b) {
  return a.kernels <= b.kernels && a.opaques <= b.opaques && a.steps <= b.steps && a.buffers <= b.buffers && a.values <= b.values && a.accesses <= b.accesses &&
         a.stores <= b.stores && a.slots <= b.slots && a.lists <= b.lists && a.list_ranges <= b.list_ranges && a.shapes <= b.shapes && a.pool <= b.pool && a.controls == 0 && a.symbols == 0;
}

}  // namespace dimity::detail
