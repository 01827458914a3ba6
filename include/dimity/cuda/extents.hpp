// The extents of what is on a GPU: those of its type, or, where some are chosen at run time, beside the address of its elements.
#pragma once

#include <dimity/core/error.hpp>
#include <dimity/core/run_time_tensor.hpp>
#include <dimity/core/shape.hpp>

#include <concepts>
#include <cstddef>
#include <string>

namespace DIMITY_NAMESPACE::detail {

template <class Shape>
class extents_on_cuda {
 public:
  static constexpr std::size_t size() { return static_cast<std::size_t>(Shape::size); }
  static constexpr std::size_t extent(int axis) { return static_cast<std::size_t>(Shape::at(axis)); }

 protected:
  void reset_extents() {}
  template <class X>
  void copy_extents(X const&) {}
};

template <class Shape>
  requires(Shape::run_time_extents > 0)
class extents_on_cuda<Shape> {
 public:
  extents_on_cuda() { reset_extents(); }
  std::size_t size() const { return static_cast<std::size_t>(product(extents_, Shape::rank)); }
  /// Negative axes count from the end; 1 beyond the last axis.
  std::size_t extent(int axis) const {
    if (axis < 0) axis += Shape::rank;
    return axis >= 0 && axis < Shape::rank ? static_cast<std::size_t>(extents_[axis]) : 1;
  }
  extent_t const* extents() const { return extents_; }

 protected:
  /// Those that are chosen at run time become 0.
  void reset_extents() {
    for (int i = 0; i < Shape::rank; ++i) extents_[i] = Shape::at(i) < 0 ? 0 : Shape::at(i);
  }
  template <class X>
  void copy_extents(X const& x) {
    set_extents(x.extents());
  }
  void set_extents(extent_t const* extents) {
    for (int i = 0; i < Shape::rank; ++i) extents_[i] = extents[i];
  }
  /// In the order of their axes. Throws shape_error when one is negative.
  template <std::integral... N>
  void choose_extents(N... extents) {
    extent_t const given[] = {static_cast<extent_t>(extents)...};
    for (extent_t const n : given)
      if (n < 0) fail<shape_error>("tensor: an extent cannot be negative, it is " + std::to_string(n));
    int next = 0;
    for (int i = 0; i < Shape::rank; ++i)
      if (Shape::at(i) < 0) extents_[i] = given[next++];
  }

 private:
  extent_t extents_[Shape::rank];
};

}  // namespace DIMITY_NAMESPACE::detail
