// Forward mode: jvp, and products with second derivatives.
#pragma once

#include <dimity/program/forward.hpp>
#include <dimity/transform/grad.hpp>
#include <dimity/transform/rules.hpp>

namespace DIMITY_NAMESPACE {
namespace detail {

template <int Primals, int Tangents>
struct tangent_count {
  static_assert(Primals == Tangents, "[dimity.grad.2] jvp: one tangent for each primal (primals, tangents)");
};

/// (primals tuple, tangents tuple) -> (value, tangent of the value)
template <class F>
struct jvp_call {
  static constexpr argument_pattern optionals_like{0, 2};
  template <class Primals, class Tangents>
  constexpr auto operator()(Primals const& primals, Tangents const& tangents) const {
    builder& g = *program_of_tree(std::tie(primals, tangents));
    list<ref> inputs, seeds, outputs;
    auto const own = with_own_identity(g, as_tracers(g, primals), inputs);
    auto const value = std::apply(F{}, own);
    if constexpr (is_failed_tree<decltype(value)>) {
      return std::tuple{value, value};
    } else {
      using V = std::remove_cvref_t<decltype(value)>;
      using T = std::remove_cvref_t<decltype(as_tracers(g, value))>;
      if (!have_one_presence(g, primals, tangents)) return std::tuple<V, T>{value, as_tracers(g, value)};
      push_leaves(g, tangents, seeds);
      unify_shapes(g, inputs, seeds);
      push_leaves(g, value, outputs);
      list<ref> const result = forward(g, inputs, seeds, outputs);
      int next = 0;
      return std::tuple<V, T>{value, tree_from<T>(result, next, presence_of(value))};
    }
  }
};

template <class F>
struct hvp_function {
  static constexpr argument_pattern optionals_like{0, 2};
  template <class X, class V, class... Rest>
  constexpr auto operator()(X const& x, V const& v, Rest const&... rest) const {
    (void)sizeof(transformable_function<F>);
    (void)sizeof(tree_rule<X, V, Rest...>);
    if constexpr (!is_transformable<F> || !are_trees<X, V, Rest...>) {
      return no_result{};
    } else if constexpr (!tangent_rule<X, V>::value) {
      (void)sizeof(typename tangent_rule<X, V>::rule);
      return no_result{};
    } else if constexpr (is_traced_tree<X> || is_traced_tree<V> || (is_traced_tree<Rest> || ...)) {
      builder& g = *program_of_tree(std::tie(x, v, rest...));
      list<ref> inputs, seeds, outputs;
      auto own = with_own_identity(g, as_tracers(g, x), inputs);
      auto const gradient = grad_function<F, 0>{}(own, rest...);
      if constexpr (is_failed_tree<decltype(gradient)>) {
        return gradient;
      } else {
        if (!have_one_presence(g, x, v)) return own;
        push_leaves(g, v, seeds);
        unify_shapes(g, inputs, seeds);
        push_leaves(g, gradient, outputs);
        list<ref> const result = forward(g, inputs, seeds, outputs);
        int next = 0;
        return tree_from<std::remove_cvref_t<decltype(own)>>(result, next, presence_of(own));
      }
    } else {
      // Here first, where an error message about the function's body has the fewest lines above it.
      using body = decltype(F{}(std::declval<traced_tree_t<tree_value_t<X>> const&>(), std::declval<traced_tree_t<tree_value_t<Rest>> const&>()...));
      (void)sizeof(scalar_rule<std::remove_cvref_t<body>>);
      return compiled_call<hvp_function>::call(x, v, rest...);
    }
  }
};

}  // namespace detail

/// The value of f at the primals and its directional derivative along the tangents: `auto [y, dy] = jvp(f, std::tuple{x}, std::tuple{dx});`. Forward mode:
/// about twice the cost of f, no memory for intermediate values.
template <class F, class... Primals, class... Tangents>
constexpr auto jvp(F const&, std::tuple<Primals...> const& primals, std::tuple<Tangents...> const& tangents) {
  (void)sizeof(detail::transformable_function<F>);
  constexpr int primal_count = static_cast<int>(sizeof...(Primals)), tangent_count = static_cast<int>(sizeof...(Tangents));
  (void)sizeof(detail::tangent_count<primal_count, tangent_count>);
  (void)sizeof(detail::tree_rule<Primals..., Tangents...>);
  if constexpr (!detail::is_transformable<F> || primal_count != tangent_count || !detail::are_trees<Primals..., Tangents...>) {
    return std::tuple<detail::no_result, detail::no_result>{};
  } else if constexpr (!detail::tangent_rule<std::tuple<Primals...>, std::tuple<Tangents...>>::value) {
    (void)sizeof(typename detail::tangent_rule<std::tuple<Primals...>, std::tuple<Tangents...>>::rule);
    return std::tuple<detail::no_result, detail::no_result>{};
  } else if constexpr (detail::is_traced_tree<std::tuple<Primals...>> || detail::is_traced_tree<std::tuple<Tangents...>>) {
    return detail::jvp_call<F>{}(primals, tangents);
  } else {
    // Here first, where an error message about the function's body has the fewest lines above it.
    using body = decltype(F{}(std::declval<detail::traced_tree_t<detail::tree_value_t<Primals>> const&>()...));
    (void)sizeof(body*);
    return detail::compiled_call<detail::jvp_call<F>>::call(primals, tangents);
  }
}

/// hvp(f)(x, v, more...): the Hessian of a scalar function with respect to its first argument, times v, without forming it. Forward over reverse.
template <class F>
constexpr detail::hvp_function<F> hvp(F const&) {
  return {};
}

}  // namespace DIMITY_NAMESPACE
