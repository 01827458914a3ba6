// Shapes are packs of integers in types, so that every compiler prints them as they are written: shape<2, 3>.
#pragma once

#include <cstddef>
#include <cstdint>

namespace dimity {

/// An extent of a tensor. Non-negative values are extents; negative ones are kept for extents chosen at run time.
using extent_t = std::int64_t;

/// The most axes that a tensor can have.
inline constexpr int max_rank = 8;

/// The extents of a tensor, outermost first.
template <extent_t... Extents>
struct shape {
  static_assert(sizeof...(Extents) <= static_cast<std::size_t>(max_rank), "[dimity.shape.1] a tensor has at most 8 axes");
  static_assert(((Extents >= 0) && ...), "[dimity.shape.2] an extent cannot be negative");

  static constexpr int rank = static_cast<int>(sizeof...(Extents));
  static constexpr extent_t size = (extent_t{1} * ... * Extents);

  /// The extent of one axis; negative axes count from the end; 1 beyond the last axis, as broadcasting has it.
  static constexpr extent_t at(int axis) {
    extent_t const extents[] = {Extents..., 1};
    if (axis < 0) axis += rank;
    return axis >= 0 && axis < rank ? extents[axis] : 1;
  }
};

/// A set of axes, as a value to pass: `sum(x, axis<0, -1>)`. Negative axes count from the end.
template <int... Axes>
struct axis_set {};
template <int... Axes>
inline constexpr axis_set<Axes...> axis{};

/// Passed to a reduction: the reduced axes stay, with extent 1.
struct keep_dims_t {};
inline constexpr keep_dims_t keep_dims{};

namespace detail {

/// A shape as a value, for constexpr passes.
struct shape_value {
  int rank = 0;
  extent_t extent[max_rank] = {};

  constexpr extent_t size() const {
    extent_t n = 1;
    for (int i = 0; i < rank; ++i) n *= extent[i];
    return n;
  }
  constexpr bool operator==(shape_value const& other) const {
    if (rank != other.rank) return false;
    for (int i = 0; i < rank; ++i)
      if (extent[i] != other.extent[i]) return false;
    return true;
  }
  constexpr void push(extent_t e) { extent[rank++] = e; }
};

template <class Shape>
struct shape_value_of;
template <extent_t... E>
struct shape_value_of<shape<E...>> {
  static constexpr shape_value make() {
    shape_value s;
    s.rank = static_cast<int>(sizeof...(E));
    [[maybe_unused]] int i = 0;
    ((s.extent[i++] = E), ...);
    return s;
  }
  static constexpr shape_value value = make();
};

constexpr int normalize_axis(int axis, int rank) { return axis < 0 ? axis + rank : axis; }

/// Row-major strides, in elements.
template <class Shape>
struct row_major;
template <extent_t... E>
struct row_major<shape<E...>> {
  static constexpr extent_t stride(int axis) {
    extent_t const extents[] = {E..., 1};
    extent_t s = 1;
    for (int i = static_cast<int>(sizeof...(E)) - 1; i > axis; --i) s *= extents[i];
    return s;
  }
};

}  // namespace detail
}  // namespace dimity
