// The plan as a constant, from what the passes left.
#pragma once

#include <dimity/plan/kernels.hpp>

namespace DIMITY_NAMESPACE::detail {

/// From what the passes left, or from another plan: `n` of each.
template <plan_size N, class From, class Extents>
constexpr void copy_plan(plan<N>& to, From const& from, Extents const& extents, plan_size const& n) {
  for (int i = 0; i < n.interface; ++i) to.interface[i] = from.interface[i];
  for (int i = 0; i < n.kernels; ++i) to.kernels[i] = from.kernels[i];
  for (int i = 0; i < n.opaques; ++i) to.opaques[i] = from.opaques[i];
  for (int i = 0; i < n.steps; ++i) to.steps[i] = from.steps[i];
  for (int i = 0; i < n.buffers; ++i) to.buffers[i] = from.buffers[i];
  for (int i = 0; i < n.values; ++i) to.values[i] = from.values[i];
  for (int i = 0; i < n.accesses; ++i) to.accesses[i] = from.accesses[i];
  for (int i = 0; i < n.stores; ++i) to.stores[i] = from.stores[i];
  for (int i = 0; i < n.slots; ++i) to.slots[i] = from.slots[i];
  for (int i = 0; i < n.lists; ++i) to.lists[i] = from.lists[i];
  for (int i = 0; i < n.list_ranges; ++i) to.list_ranges[i] = from.list_ranges[i];
  for (int i = 0; i < n.shapes; ++i) to.shapes[i] = from.shapes[i];
  for (int i = 0; i < n.pool; ++i) to.pool[i] = from.pool[i];
  for (int i = 0; i < n.controls; ++i) to.controls[i] = from.controls[i];
  for (int i = 0; i < n.ports; ++i) to.ports[i] = from.ports[i];
  for (int i = 0; i < n.blocks; ++i) to.blocks[i] = from.blocks[i];
  for (int i = 0; i < n.block_inputs; ++i) to.block_inputs[i] = from.block_inputs[i];
  for (int i = 0; i < n.regions; ++i) to.regions[i] = from.regions[i];
  for (int i = 0; i < n.symbols; ++i) to.symbols[i] = extents.symbols[i];
  for (int i = 0; i < n.conditions; ++i) to.conditions[i] = extents.conditions[i];
  to.workspace_bytes = from.workspace_bytes;
}

constexpr bool fits(plan_size const& a, plan_size const& b) {
  return a.kernels <= b.kernels && a.opaques <= b.opaques && a.steps <= b.steps && a.buffers <= b.buffers && a.values <= b.values && a.accesses <= b.accesses &&
         a.stores <= b.stores && a.slots <= b.slots && a.lists <= b.lists && a.list_ranges <= b.list_ranges && a.shapes <= b.shapes && a.pool <= b.pool &&
         a.controls <= b.controls && a.ports <= b.ports && a.blocks <= b.blocks && a.block_inputs <= b.block_inputs && a.regions <= b.regions && a.symbols <= b.symbols &&
         a.conditions <= b.conditions && a.interface <= b.interface;
}

}  // namespace DIMITY_NAMESPACE::detail
