// What the kernels of single primitives walk: shapes and strides as numbers, known to the compiler or computed at the call.
#pragma once

#include <dimity/exec/extents.hpp>

#include <cstring>

namespace DIMITY_NAMESPACE::detail {

/// A shape at a call.
struct known_shape {
  int rank = 0;
  extent_t extent[max_rank] = {};

  constexpr extent_t size() const { return product(extent, rank); }
  constexpr void push(extent_t e) { extent[rank++] = e; }
};
constexpr known_shape known_shape_of(shape_value const& s, [[maybe_unused]] extent_t const* symbols) {
  known_shape k;
  for (int i = 0; i < s.rank; ++i) k.push(value_of(s.extent[i], symbols));
  return k;
}

/// Visits all indices of a shape, row-major.
template <class F>
inline void for_each_index(known_shape const& s, F const& f) {
  if (s.size() == 0) return;
  extent_t index[max_rank] = {};
  for (;;) {
    f(index);
    int axis = s.rank - 1;
    while (axis >= 0 && ++index[axis] == s.extent[axis]) index[axis--] = 0;
    if (axis < 0) return;
  }
}
inline extent_t offset_at(extent_t const* index, extent_t const* stride, int rank) {
  extent_t o = 0;
  for (int i = 0; i < rank; ++i) o += index[i] * stride[i];
  return o;
}

/// An operand at a call: element (i0, ...) is data[sum(i * stride)].
template <class T>
struct strided_operand {
  T const* data;
  known_shape shape;
  extent_t stride[max_rank];

  extent_t at(extent_t const* index) const { return offset_at(index, stride, shape.rank); }
  bool is_row_major() const {
    extent_t step = 1;
    for (int i = shape.rank - 1; i >= 0; --i) {
      if (shape.extent[i] != 1 && stride[i] != step) return false;
      step *= shape.extent[i];
    }
    return true;
  }
  /// Its elements, row-major. `to` may be where they are.
  void copy_to(T* to) const {
    extent_t const n = shape.size();
    if (n == 0) return;
    if (is_row_major()) return static_cast<void>(std::memmove(to, data, static_cast<std::size_t>(n) * sizeof(T)));
    for_each_index(shape, [&](extent_t const* index) { *to++ = data[at(index)]; });
  }
};

/// An index as NumPy takes it: negative ones count from the end; what is still outside is moved to the nearest element.
inline extent_t clamp_index(extent_t i, extent_t n) {
  if (i < 0) i += n;
  return i < 0 ? 0 : i >= n ? n - 1 : i;
}

/// Where the three loops of "one axis in the middle" (cumulative, concat, arg-reductions) begin and end.
struct axis_split {
  extent_t before = 1, extent = 1, after = 1;
  constexpr axis_split(known_shape const& s, int axis) {
    for (int i = 0; i < axis; ++i) before *= s.extent[i];
    extent = s.extent[axis];
    for (int i = axis + 1; i < s.rank; ++i) after *= s.extent[i];
  }
};

/// One step of a plan that is a single primitive: what its kernel looks up. Where no extent is chosen at run time everything is a constant.
template <class Plan, int Index>
struct primitive_facts {
  static constexpr opaque_step s = Plan::value.opaques[Index];
  template <int K>
  using element = type_of<s.operand_type[K]>;
  using T = type_of<s.type>;

  static extent_t const* symbols([[maybe_unused]] void* const* slots) {
    if constexpr (has_symbols<Plan>) return static_cast<extent_t const*>(slots[s.slots.size()]);
    else return nullptr;
  }
  DIMITY_INLINE static known_shape result_shape([[maybe_unused]] void* const* slots) {
    constexpr shape_value of = Plan::value.shapes[s.shape];
    if constexpr (of.is_known()) {
      constexpr known_shape k = known_shape_of(of, nullptr);
      return k;
    } else {
      return known_shape_of(of, symbols(slots));
    }
  }
  template <int K>
  DIMITY_INLINE static strided_operand<element<K>> operand(void* const* slots) {
    constexpr shape_value of = Plan::value.shapes[s.operand_shape[K]];
    strided_operand<element<K>> x{static_cast<element<K> const*>(slots[s.operand_slot[K]]) + value_of(s.operand_offset[K], symbols(slots)), {}, {}};
    if constexpr (of.is_known()) {
      constexpr known_shape k = known_shape_of(of, nullptr);
      x.shape = k;
    } else {
      x.shape = known_shape_of(of, symbols(slots));
    }
    for (int i = 0; i < of.rank; ++i) x.stride[i] = value_of(s.operand_stride[K][i], symbols(slots));
    return x;
  }
  static T* result(void* const* slots) { return static_cast<T*>(slots[s.result_slot]); }
};

}  // namespace DIMITY_NAMESPACE::detail
