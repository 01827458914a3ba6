// Front door two: a function runs once, at compile time, on tracers.
#pragma once

#include <dimity/core/pytree.hpp>
#include <dimity/expr/eval.hpp>

namespace dimity::detail {

/// A function given to a transform is known to the compiler only by its type.
template <class F>
struct transformable_function {
  static_assert(std::is_empty_v<F>,
                "[dimity.trace.1] a transformed function must be captureless: what it captures has no identity at compile time; pass it as an argument");
};
template <class F>
inline constexpr bool is_transformable = std::is_empty_v<F> && std::is_default_constructible_v<F>;

/// What a failed transform returns, so that one mistake gives one error.
struct no_result {};

/// The tree with expressions and views replaced by tensors: what an argument is once it has been evaluated.
template <class X>
struct tree_value {
  static constexpr auto pick() {
    if constexpr (operand<X>) return std::type_identity<typename tensor_of<element_of<X>, shape_of<X>>::type>{};
    else return std::type_identity<X>{};
  }
  using type = typename decltype(pick())::type;
};
template <class... X>
struct tree_value<std::tuple<X...>> {
  using type = std::tuple<typename tree_value<std::remove_cvref_t<X>>::type...>;
};
template <class A, class B>
struct tree_value<std::pair<A, B>> {
  using type = std::pair<typename tree_value<std::remove_cvref_t<A>>::type, typename tree_value<std::remove_cvref_t<B>>::type>;
};
template <class X, std::size_t N>
struct tree_value<std::array<X, N>> {
  using type = std::array<typename tree_value<X>::type, N>;
};
template <class X>
using tree_value_t = typename tree_value<std::remove_cvref_t<X>>::type;

/// float -> tensor<traced<float>>, net<float> -> net<traced<float>>
template <class X>
struct traced_tree {
  static constexpr auto pick() {
    if constexpr (element<X>) return std::type_identity<tensor<traced<X>>>{};
    else return std::type_identity<typename rebind_tree<X, to_traced>::type>{};
  }
  using type = typename decltype(pick())::type;
};
template <class X>
using traced_tree_t = typename traced_tree<X>::type;

/// The way back, for results.
template <class X>
struct untraced_tree {
  static constexpr auto pick() {
    if constexpr (operand<X>) return std::type_identity<typename tensor_of<element_of<X>, shape_of<X>>::type>{};
    else if constexpr (element<X>) return std::type_identity<tensor<X>>{};
    else return std::type_identity<typename rebind_tree<X, from_traced>::type>{};
  }
  using type = typename decltype(pick())::type;
};
template <class... X>
struct untraced_tree<std::tuple<X...>> {
  using type = std::tuple<typename untraced_tree<std::remove_cvref_t<X>>::type...>;
};
template <class A, class B>
struct untraced_tree<std::pair<A, B>> {
  using type = std::pair<typename untraced_tree<std::remove_cvref_t<A>>::type, typename untraced_tree<std::remove_cvref_t<B>>::type>;
};
template <class X>
using untraced_tree_t = typename untraced_tree<std::remove_cvref_t<X>>::type;

/// True when some leaf is a tracer: the call happens inside another traced function.
template <class List>
inline constexpr bool has_tracer_leaf = false;
template <class... L>
inline constexpr bool has_tracer_leaf<leaf_list<L...>> = (tracer<L> || ...);
template <class X>
inline constexpr bool is_traced_tree = has_tracer_leaf<leaves_t<X>>;

template <class List>
inline constexpr bool has_failed_leaf = false;
template <class... L>
inline constexpr bool has_failed_leaf<leaf_list<L...>> = (is_failed<L> || ...);
/// True for a result that a mistake has made worthless.
template <class X>
inline constexpr bool is_failed_tree = has_failed_leaf<leaves_t<X>>;

/// std::apply without its layers, which would stand in every error message.
template <class F, class Tuple, std::size_t... I>
constexpr auto call_with(Tuple& args, std::index_sequence<I...>) {
  return F{}(std::get<I>(args)...);
}

template <class X>
constexpr builder* program_of_tree(X const& x) {
  builder* g = nullptr;
  for_each_leaf(x, [&](auto const& leaf) {
    if constexpr (tracer<decltype(leaf)>) {
      if (builder* mine = program_of(leaf)) g = mine;
    }
  });
  return g;
}

/// A tracer leaf from a node.
template <class L>
constexpr L leaf_from(ref r) {
  if constexpr (requires { L(r); }) return L(r);
  else return L{r};
}

/// Fresh inputs for every leaf of an argument type.
template <class X>
constexpr auto input_tracers(builder& g) {
  auto make = [&]<class L>() { return leaf_from<L>(ref{&g, g.input(dtype_of<element_of<L>>, shape_value_of<shape_of<L>>::value)}); };
  return build_tree<traced_tree_t<X>>(make);
}
/// Nodes of every leaf; plain values become constants.
template <class X>
constexpr void push_leaves(builder& g, X const& x, list<ref>& out) {
  for_each_leaf(x, [&](auto const& leaf) {
    using L = std::remove_cvref_t<decltype(leaf)>;
    if constexpr (operand<L>) out.push(trace_operand(g, leaf));
    else out.push(trace_operand(g, scalar_leaf<L>{leaf}));
  });
}
/// A tree of tracers from nodes.
template <class X>
constexpr X tree_from(list<ref> const& refs, int& next) {
  auto make = [&]<class L>() { return leaf_from<L>(refs[next++]); };
  return build_tree<X>(make);
}

template <class F, class... Args>
struct traced_source {
  using result = std::remove_cvref_t<decltype(F{}(std::declval<traced_tree_t<Args>&>()...))>;
  static constexpr bool failed = is_failed_tree<result>;
  static constexpr void build(builder& g) {
    std::tuple<traced_tree_t<Args>...> args{input_tracers<Args>(g)...};
    auto const out = call_with<F>(args, std::index_sequence_for<Args...>{});
    list<ref> leaves;
    push_leaves(g, out, leaves);
    for (ref const& r : leaves) g.outputs.push(r.id);
  }
};

}  // namespace dimity::detail
