// Where a kernel is, and rows in memory at known distances.
#pragma once

#include <dimity/exec/cpu/simd.hpp>
#include <dimity/plan/plan.hpp>

namespace DIMITY_NAMESPACE::detail {

/// The indices of a row.
struct position {
  extent_t index[max_axes] = {};
};
/// Where a pass is: a row, the first lane of a vector in it, and how many of its lanes count.
struct cursor {
  void* const* slots;
  position const& at;
  extent_t i;
  int n;
};
// Keyed on numbers, not on a kernel: those that read and write alike share them.
template <class T, int Slot, extent_t Offset, extent_t Stride0, extent_t Stride1>
DIMITY_INLINE T* row_at(void* const* slots, [[maybe_unused]] position const& at) {
  return static_cast<T*>(slots[Slot]) + (Offset + at.index[0] * Stride0 + at.index[1] * Stride1);
}
template <class T, int W, bool Partial, int Slot, extent_t Offset, extent_t Stride0, extent_t Stride1, extent_t Apart>
DIMITY_INLINE vec<T, W> load_row(cursor const& c) {
  T const* from = row_at<T, Slot, Offset, Stride0, Stride1>(c.slots, c.at);
  if constexpr (Apart == 0) return broadcast_to_lanes<T, W>(*from);
  else if constexpr (Partial) return load_first<T, W>(from + c.i, c.n);
  else return load_lanes<T, W>(from + c.i);
}
template <class T, int W, bool Partial, bool Streams, int Slot, extent_t Offset, extent_t Stride0, extent_t Stride1>
DIMITY_INLINE void store_row(cursor const& c, vec<T, W> const& x) {
  T* to = row_at<T, Slot, Offset, Stride0, Stride1>(c.slots, c.at) + c.i;
  if constexpr (Partial) store_first<T, W>(to, x, c.n);
  else if constexpr (Streams) stream_lanes<T, W>(to, x);
  else store_lanes<T, W>(to, x);
}

}  // namespace DIMITY_NAMESPACE::detail
