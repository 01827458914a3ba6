// What fits with what. One rule, one struct over the two shapes with a bare == inside: the compilers then print both shapes and both
// numbers in one short error (docs/errors.md). After an error the caller goes on with a type that fits, so that one mistake gives one error.
#pragma once

#include <dimity/core/shape.hpp>

#include <cstdint>
#include <type_traits>

namespace DIMITY_NAMESPACE::detail {

template <class Left, class Right>
struct broadcast_check {
  static constexpr int rank = Left::rank > Right::rank ? Left::rank : Right::rank;
  static constexpr extent_t left(int i) { return i < Left::rank ? Left::at(Left::rank - 1 - i) : 1; }
  static constexpr extent_t right(int i) { return i < Right::rank ? Right::at(Right::rank - 1 - i) : 1; }
  /// The last axis, counted from the end, on which the extents cannot be equal and neither is 1; -1 if there is none.
  static constexpr int mismatch() {
    for (int i = 0; i < rank; ++i)
      if (!may_be_equal(left(i), right(i)) && left(i) != 1 && right(i) != 1) return i;
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

/// The pair of three shapes that does not broadcast; the last pair when all do.
template <class A, class B, class C>
struct broadcast_three {
  static constexpr bool value = broadcast_check<A, B>::value && broadcast_check<A, C>::value && broadcast_check<B, C>::value;
  using rule = std::conditional_t<!broadcast_check<A, B>::value, broadcast_shapes<A, B>, std::conditional_t<!broadcast_check<A, C>::value, broadcast_shapes<A, C>, broadcast_shapes<B, C>>>;
};

/// Broadcasting in one direction only: From is repeated, To is what it must become.
template <class From, class To>
struct broadcast_into {
  static constexpr int mismatch() {
    for (int i = 1; i <= From::rank && i <= To::rank; ++i)
      if (From::at(-i) != 1 && !may_be_equal(From::at(-i), To::at(-i))) return i;
    return 0;
  }
  static constexpr extent_t from = mismatch() == 0 ? 1 : From::at(-mismatch()), to = mismatch() == 0 ? 1 : To::at(-mismatch());
  static constexpr bool value = From::rank <= To::rank && mismatch() == 0;
};
template <class From, class To>
struct broadcast_to_shape {
  using check = broadcast_into<From, To>;
  static_assert(From::rank <= To::rank, "[dimity.shape.14] broadcast_to, compound assignment: the new shape needs at least as many axes (From, To)");
  static_assert(From::rank > To::rank || check::from == check::to,
                "[dimity.shape.14] broadcast_to, compound assignment: extents must be 1 or those of the new shape, counted from the last axis (From, To)");
};

template <class Shape, int Axis>
inline constexpr bool has_axis = Axis >= -Shape::rank && Axis < Shape::rank;
template <class Shape, int Axis>
struct axis_of_shape {
  static_assert(Axis >= -Shape::rank, "[dimity.axis.1] the axis must be in [-rank, rank)");
  static_assert(Axis < Shape::rank, "[dimity.axis.1] the axis must be in [-rank, rank)");
};
template <class Shape, int... Axes>
inline constexpr bool are_distinct = [] {
  [[maybe_unused]] std::uint32_t seen = 0;
  bool ok = true;
  ((ok = ok && !(seen >> ((Axes < 0 ? Axes + Shape::rank : Axes) & 31) & 1u), seen |= 1u << ((Axes < 0 ? Axes + Shape::rank : Axes) & 31)), ...);
  return ok;
}();
template <class Shape, int... Axes>
struct distinct_axes {
  static_assert(are_distinct<Shape, Axes...>, "[dimity.axis.4] an axis is named twice (shape, axes)");
};
/// An axis of the result: where expand_dims() and stack() may put a new one.
template <class Shape, int NewAxes, int Axis>
struct axis_of_result {
  static_assert(Axis >= -(Shape::rank + NewAxes), "[dimity.axis.1] the axis must be in [-rank, rank), with the rank of the result");
  static_assert(Axis < Shape::rank + NewAxes, "[dimity.axis.1] the axis must be in [-rank, rank), with the rank of the result");
};

/// For what cannot be done along, or with, extents that are chosen at run time.
template <extent_t... Extents>
struct known_extents {
  static_assert(((Extents >= 0) && ...), "[dimity.shape.18] associative_scan, split, fixed_point, find_root, custom_root, odeint, size() and extent() of tracers and expressions: this extent must be known while compiling");
};

template <class Shape, extent_t Count>
struct reduced_extent {
  static_assert(Count > 0, "[dimity.shape.6] max, min, argmax and argmin of no elements have no value");
};

}  // namespace DIMITY_NAMESPACE::detail

namespace DIMITY_NAMESPACE {

/// True when two shapes broadcast by NumPy's rule; for generic code and tests.
template <class Left, class Right>
inline constexpr bool broadcastable = detail::broadcast_check<Left, Right>::value;

}  // namespace DIMITY_NAMESPACE
