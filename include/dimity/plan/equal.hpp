// Which steps of a plan are the same code.
#pragma once

#include <dimity/plan/kernels.hpp>

namespace DIMITY_NAMESPACE::detail {

constexpr bool equal_kernels(plan_builder const& out, kernel const& a, kernel const& b) {
  if (a.axes != b.axes || a.outer != b.outer || a.stages != b.stages || a.injected != b.injected || a.values.size() != b.values.size() ||
      a.accesses.size() != b.accesses.size() || a.stores.size() != b.stores.size() || a.slots.size() != b.slots.size())
    return false;
  for (int i = 0; i < a.axes; ++i)
    if (a.extent[i] != b.extent[i]) return false;
  for (int i = 0; i < a.values.size(); ++i) {
    value const &x = out.values[a.values.begin + i], &y = out.values[b.values.begin + i];
    if (x.op != y.op || x.type != y.type || x.at != y.at || x.stage != y.stage || x.kept != y.kept || x.attribute != y.attribute) return false;
    for (int j = 0; j < 3; ++j)
      if (x.arg[j] != y.arg[j]) return false;
  }
  for (int i = 0; i < a.accesses.size(); ++i) {
    access const &x = out.accesses[a.accesses.begin + i], &y = out.accesses[b.accesses.begin + i];
    if (x.slot != y.slot || x.type != y.type || x.offset != y.offset) return false;
    for (int j = 0; j < a.axes; ++j)
      if (x.stride[j] != y.stride[j]) return false;
  }
  for (int i = 0; i < a.stores.size(); ++i) {
    store const &x = out.stores[a.stores.begin + i], &y = out.stores[b.stores.begin + i];
    if (x.value != y.value || x.access != y.access || x.stage != y.stage || x.combine != y.combine || x.fill != y.fill) return false;
  }
  return true;
}
/// The same primitive on operands that lie alike.
constexpr bool same_primitive(opaque_step const& a, opaque_step const& b) {
  if (a.op != b.op || a.type != b.type || a.shape != b.shape || a.attribute != b.attribute) return false;
  for (int k = 0; k < arity_of(a.op); ++k) {
    if (a.operand_shape[k] != b.operand_shape[k] || a.operand_type[k] != b.operand_type[k] || a.operand_offset[k] != b.operand_offset[k]) return false;
    for (int i = 0; i < max_rank; ++i)
      if (a.operand_stride[k][i] != b.operand_stride[k][i]) return false;
  }
  return true;
}
constexpr bool equal_opaques(plan_builder const& out, opaque_step const& a, opaque_step const& b) {
  if (a.result_slot != b.result_slot || a.scratch_slot != b.scratch_slot || (a.epilogue < 0) != (b.epilogue < 0) || !same_primitive(a, b)) return false;
  for (int k = 0; k < arity_of(a.op); ++k)
    if (a.operand_slot[k] != b.operand_slot[k]) return false;
  return a.epilogue < 0 || equal_kernels(out, out.kernels[a.epilogue], out.kernels[b.epilogue]);
}
/// Equal kernels (the layers of a tower) are one function in the binary.
constexpr void find_equal(plan_builder& out) {
  for (int i = 0; i < out.kernels.size(); ++i)
    for (int j = 0; j < i && out.kernels[i].same_as < 0; ++j)
      if (out.kernels[j].same_as < 0 && equal_kernels(out, out.kernels[i], out.kernels[j])) out.kernels[i].same_as = static_cast<std::int16_t>(j);
  for (int i = 0; i < out.opaques.size(); ++i)
    for (int j = 0; j < i && out.opaques[i].same_as < 0; ++j)
      if (out.opaques[j].same_as < 0 && equal_opaques(out, out.opaques[i], out.opaques[j])) out.opaques[i].same_as = static_cast<std::int16_t>(j);
}

}  // namespace DIMITY_NAMESPACE::detail
