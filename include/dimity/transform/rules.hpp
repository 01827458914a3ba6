// What tangents and cotangents must look like: leaf for leaf as the values that they belong to.
#pragma once

#include <dimity/expr/expression.hpp>
#include <dimity/transform/trace.hpp>

#include <type_traits>

namespace DIMITY_NAMESPACE::detail {

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
    std::is_same_v<typename leaf_form<A>::element, typename leaf_form<B>::element> && may_hold<typename leaf_form<A>::shape, typename leaf_form<B>::shape>;

template <class Value, class Tangent>
struct tangent_of {
  static_assert(have_one_form<Value, Tangent>, "[dimity.grad.5] jvp, vjp, hvp: a tangent or cotangent has the shape and element type of its value (value, tangent)");
};
template <int Values, int Tangents>
struct tangent_leaves {
  static_assert(Values == Tangents, "[dimity.grad.5] jvp, vjp, hvp: tangents and cotangents have as many tensors as their values (values, tangents)");
};

/// Whether two lists of leaves match; if not, `rule` is the error for the first that does not.
template <template <class, class> class Rule, template <int, int> class SizeRule, class A, class B>
struct same_leaves {
  static constexpr bool value = A::size == B::size;
  using rule = SizeRule<A::size, B::size>;
};
template <template <class, class> class Rule, template <int, int> class SizeRule, class A, class B, class... As, class... Bs>
  requires(sizeof...(As) == sizeof...(Bs))
struct same_leaves<Rule, SizeRule, leaf_list<A, As...>, leaf_list<B, Bs...>> {
  using rest = same_leaves<Rule, SizeRule, leaf_list<As...>, leaf_list<Bs...>>;
  static constexpr bool value = have_one_form<A, B> && rest::value;
  using rule = std::conditional_t<!have_one_form<A, B>, Rule<A, B>, typename rest::rule>;
};
template <class Values, class Tangents>
using tangent_tree = same_leaves<tangent_of, tangent_leaves, Values, Tangents>;
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

}  // namespace DIMITY_NAMESPACE::detail
