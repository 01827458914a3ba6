// What fits with what. One rule, one struct over the two shapes with a bare == inside: the compilers then print both shapes and both
// numbers in one short error (docs/errors.md). After an error the caller goes on with a type that fits, so that one mistake gives one error.
#pragma once

#include <dimity/core/shape.hpp>

namespace dimity::detail {

template <class Left, class Right>
struct broadcast_check {
  static constexpr int rank = Left::rank > Right::rank ? Left::rank : Right::rank;
  static constexpr extent_t left(int i) { return i < Left::rank ? Left::at(Left::rank - 1 - i) : 1; }
  static constexpr extent_t right(int i) { return i < Right::rank ? Right::at(Right::rank - 1 - i) : 1; }
  /// The last axis, counted from the end, on which the extents differ and neither is 1; -1 if there is none.
  static constexpr int mismatch() {
    for (int i = 0; i < rank; ++i)
      if (left(i) != right(i) && left(i) != 1 && right(i) != 1) return i;
    return -1;
  }
  static constexpr bool value = mismatch() < 0;
  static constexpr extent_t left_extent = value ? 1 : left(mismatch() < 0 ? 0 : mismatch());
  static constexpr extent_t right_extent = value ? 1 : right(mismatch() < 0 ? 0 : mismatch());
};

template <class Left, class Right>
struct broadcast_shapes {
  using check = broadcast_check<Left, Right>;
  static_assert(check::left_extent == check::right_extent, "[dimity.shape.3] broadcast: extents must be equal or 1, counted from the last axis");
};

template <class Shape, int Axis>
struct axis_of_shape {
  static_assert(Axis >= -Shape::rank, "[dimity.axis.1] the axis must be in [-rank, rank)");
  static_assert(Axis < Shape::rank, "[dimity.axis.1] the axis must be in [-rank, rank)");
};

template <class Shape, extent_t Count>
struct reduced_extent {
  static_assert(Count > 0, "[dimity.shape.6] max, min, argmax and argmin of no elements have no value");
};

}  // namespace dimity::detail

namespace dimity {

/// True when two shapes broadcast by NumPy's rule; for generic code and tests.
template <class Left, class Right>
inline constexpr bool broadcastable = detail::broadcast_check<Left, Right>::value;

}  // namespace dimity
