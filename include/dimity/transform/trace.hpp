// Front door two: a function runs once, at compile time, on tracers.
#pragma once

#include <dimity/core/pytree.hpp>
#include <dimity/expr/eval.hpp>
#include <dimity/transform/optional_places.hpp>
#include <dimity/transform/stacked_optionals.hpp>

namespace DIMITY_NAMESPACE::detail {

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
struct tree_value<std::optional<X>> {
  using type = std::optional<typename tree_value<X>::type>;
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

/// Fresh inputs for every leaf of an argument type that is there.
template <class X>
constexpr auto input_tracers(builder& g, presence there = all_there) {
  auto make = [&]<class L>() { return leaf_from<L>(ref{&g, g.input(dtype_of<element_of<L>>, shape_value_of<shape_of<L>>::value)}); };
  return build_tree<traced_tree_t<X>>(make, there);
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
/// A tree of tracers from nodes, one for each leaf that is there.
template <class X>
constexpr X tree_from(list<ref> const& refs, int& next, presence there) {
  auto make = [&]<class L>() { return leaf_from<L>(refs[next++]); };
  return build_tree<X>(make, there);
}

/// Whether of two trees with as many leaves the same ones are there. If not, the program becomes one that throws: whether that is a mistake in the source is known only where the presence of all arguments is.
template <class A, class B>
constexpr bool is_one_presence([[maybe_unused]] builder& g, [[maybe_unused]] presence a, [[maybe_unused]] presence b) {
  if constexpr (optional_count<A, B> > 0) {
    static_assert(leaf_count<A> == leaf_count<B>);
    for (int i = 0; i < leaf_count<A>; ++i)
      if (places_of<A>.has_leaf(a, i) != places_of<B>.has_leaf(b, i)) {
        g.error = program_error::presence_differs;
        return false;
      }
  }
  return true;
}
template <class A, class B>
constexpr bool have_one_presence(builder& g, A const& a, B const& b) {
  return is_one_presence<A, B>(g, presence_of(a), presence_of(b));
}

template <class F, class... Args>
struct traced_source {
  using result = std::remove_cvref_t<decltype(F{}(std::declval<traced_tree_t<Args>&>()...))>;
  static constexpr bool failed = is_failed_tree<result>;
  /// Returns which optionals the result has.
  static constexpr presence build(builder& g, presence there = all_there) {
    int at = 0;
    std::tuple<traced_tree_t<Args>...> args{input_tracers<Args>(g, next_presence(there, at, optional_count<Args>))...};
    auto const out = call_with<F>(args, std::index_sequence_for<Args...>{});
    list<ref> leaves;
    push_leaves(g, out, leaves);
    for (ref const& r : leaves) g.outputs.push(r.id);
    return presence_of(out);
  }
};
/// The same for arguments of which not all optionals are there.
template <presence There, class F, class... Args>
struct partial_source : traced_source<F, Args...> {
  static constexpr presence build(builder& g) { return traced_source<F, Args...>::build(g, There); }
};

}  // namespace DIMITY_NAMESPACE::detail
