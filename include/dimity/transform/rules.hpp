// What tangents and cotangents must look like: leaf for leaf as the values that they belong to.
#pragma once

#include <dimity/expr/expression.hpp>
#include <dimity/transform/trace.hpp>

#include <type_traits>

namespace dimity::detail {

template <class Leaf>
struct leaf_form {
  using element = Leaf;
  using shape = dimity::shape<>;
};
template <operand Leaf>
struct leaf_form<Leaf> {
  using element = element_of<Leaf>;
  using shape = shape_of<Leaf>;
};
template <class A, class B>
inline constexpr bool have_one_form =
    std::is_same_v<typename leaf_form<A>::element, typename leaf_form<B>::element> && std::is_same_v<typename leaf_form<A>::shape, typename leaf_form<B>::shape>;

template <class Value, class Tangent>
struct tangent_of {
  static_assert(have_one_form<Value, Tangent>, "[dimity.grad.5] jvp, vjp, hvp: a tangent or cotangent has the shape and element type of its value (value, tangent)");
};
template <int Values, int Tangents>
struct tangent_leaves {
  static_assert(Values == Tangents, "[dimity.grad.5] jvp, vjp, hvp: tangents and cotangents have as many tensors as their values (values, tangents)");
};

/// Whether two trees match; if not, `rule` is the error for the first leaf that does not.
template <class Values, class Tangents>
struct tangent_tree {
  static constexpr bool value = Values::size == Tangents::size;
  using rule = tangent_leaves<Values::size, Tangents::size>;
};
template <class V, class T, class... Values, class... Tangents>
  requires(sizeof...(Values) == sizeof...(Tangents))
struct tangent_tree<leaf_list<V, Values...>, leaf_list<T, Tangents...>> {
  using rest = tangent_tree<leaf_list<Values...>, leaf_list<Tangents...>>;
  static constexpr bool value = have_one_form<V, T> && rest::value;
  using rule = std::conditional_t<!have_one_form<V, T>, tangent_of<V, T>, typename rest::rule>;
};
template <class Values, class Tangents>
using tangent_rule = tangent_tree<leaves_t<tree_value_t<Values>>, leaves_t<tree_value_t<Tangents>>>;

/// The error of the first of several checks that fails.
template <class... Fits>
struct first_unfit {
  using rule = std::tuple<>;
};
template <class Fit, class... Rest>
struct first_unfit<Fit, Rest...> {
  using rule = typename std::conditional_t<Fit::value, first_unfit<Rest...>, Fit>::rule;
};

}  // namespace dimity::detail
