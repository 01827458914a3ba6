// What loops and branches ask of the functions that they are given.
#pragma once

#include <dimity/program/control.hpp>
#include <dimity/transform/vmap.hpp>

#include <tuple>

namespace DIMITY_NAMESPACE::detail {

template <class Before, class After>
struct loop_state {
  static_assert(have_one_form<Before, After>, "[dimity.loop.2] a loop's body must keep the shape and element type of everything that it carries on (before, after)");
};
template <int Before, int After>
struct loop_state_size {
  static_assert(Before == After, "[dimity.loop.2] a loop's body must return as many tensors to carry on as it got (before, after)");
};
template <class First, class Other>
struct branch_result {
  static_assert(have_one_form<First, Other>, "[dimity.loop.5] all branches must return the same shapes and element types (one, another)");
};
template <int First, int Other>
struct branch_result_size {
  static_assert(First == Other, "[dimity.loop.5] all branches must return the same number of tensors (one, another)");
};
template <class Result>
struct loop_result {
  static_assert(!sizeof(Result), "[dimity.loop.3] scan: the function must return std::tuple{carry, y}; y may be std::tuple{}");
};
template <class Condition>
struct loop_condition {
  static constexpr bool value = [] {
    if constexpr (operand<Condition>) return shape_of<Condition>::rank == 0;
    else return std::is_arithmetic_v<Condition>;
  }();
  static_assert(value, "[dimity.loop.4] a condition or an index is one value: reduce it, for instance with all() or any()");
};
template <extent_t First, extent_t Other>
struct scan_entries {
  static_assert(First == Other, "[dimity.loop.6] scan, map: everything that is scanned needs the same number of entries along axis 0");
};

template <class Before, class After>
using state_fit = same_leaves<loop_state, loop_state_size, leaves_t<tree_value_t<Before>>, leaves_t<tree_value_t<After>>>;
template <class First, class Other>
using branch_fit = same_leaves<branch_result, branch_result_size, leaves_t<tree_value_t<First>>, leaves_t<tree_value_t<Other>>>;

/// What a traced function gets for an argument.
template <class X>
using tracer_tree_t = traced_tree_t<tree_value_t<X>>;

constexpr list<shape_value> shapes_of(list<ref> const& values) {
  list<shape_value> shapes;
  for (ref const& x : values) shapes.push(x.shape());
  return shapes;
}
/// A tree of stand-ins for what a body is given, with their nodes; `shapes` has those of all leaves, of which `nodes` are there already.
template <class Tree>
constexpr Tree block_inputs(builder& g, list<shape_value> const& shapes, list<std::int32_t>& nodes, presence there) {
  auto make = [&]<class L>() {
    ref const own = block_input(g, dtype_of<element_of<L>>, shapes[nodes.size()]);
    nodes.push(own.id);
    return leaf_from<L>(own);
  };
  return build_tree<Tree>(make, there);
}

/// The leaves of what a loop's body or a branch returns; those of `expected` if not the same are there, and then the program throws.
template <class Expected, class Given>
constexpr void push_like(builder& g, Expected const& expected, Given const& given, list<ref>& out) {
  if (have_one_presence(g, expected, given)) push_leaves(g, given, out);
  else push_leaves(g, expected, out);
}

/// A condition as a bool: numbers count as whether they are not zero.
constexpr ref as_condition(ref x) { return x.type() == dtype::boolean ? x : binary(primitive::not_equal, x, full_like(x, 0)); }

}  // namespace DIMITY_NAMESPACE::detail
