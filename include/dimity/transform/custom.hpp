// Functions with derivatives of their own: custom_vjp and custom_jvp, as in JAX.
#pragma once

#include <dimity/transform/jvp.hpp>

namespace DIMITY_NAMESPACE {

/// For custom_vjp: what the backward function returns for an argument that gets no derivative (labels, keys).
struct no_derivative {};

namespace detail {

template <class X>
inline constexpr bool is_std_tuple = false;
template <class... X>
inline constexpr bool is_std_tuple<std::tuple<X...>> = true;

template <int Arguments, int Cotangents>
struct backward_results {
  static_assert(Arguments == Cotangents, "[dimity.grad.6] custom_vjp: the backward function returns a tuple with one cotangent for each argument (arguments, cotangents)");
};
template <class Argument, class Cotangent>
struct cotangent_of_argument : tangent_rule<Argument, Cotangent> {};
template <class Argument>
struct cotangent_of_argument<Argument, no_derivative> {
  static constexpr bool value = true;
  using rule = no_derivative;
};
template <class Arguments, class Results>
struct backward_fit {
  static constexpr bool value = false;
  using rule = backward_results<static_cast<int>(std::tuple_size_v<Arguments>), static_cast<int>(std::tuple_size_v<Results>)>;
};
template <class... A, class... R>
  requires(sizeof...(A) == sizeof...(R))
struct backward_fit<std::tuple<A...>, std::tuple<R...>> {
  static constexpr bool value = (cotangent_of_argument<A, R>::value && ...);
  using rule = typename first_unfit<cotangent_of_argument<A, R>...>::rule;
};
/// One argument's cotangent need not be wrapped.
template <class R>
struct backward_tuple {
  using type = std::tuple<R>;
};
template <class... R>
struct backward_tuple<std::tuple<R...>> {
  using type = std::tuple<R...>;
};

/// What the program calls: rebuilds the arguments' types around nodes, and takes the results apart again.
template <class Tree>
constexpr Tree tree_at(ref const* nodes, presence there) {
  list<ref> leaves;
  for (int i = 0; i < leaves_there<Tree>(there); ++i) leaves.push(nodes[i]);
  int next = 0;
  return tree_from<Tree>(leaves, next, there);
}
template <class Tree, class Derivative>
constexpr void put_leaves(builder& g, Derivative const& d, ref*& results, presence there) {
  if constexpr (std::is_same_v<Derivative, no_derivative>) {
    results += leaves_there<Tree>(there);
  } else if (!is_one_presence<Tree, Derivative>(g, there, presence_of(d))) {
    results += leaves_there<Tree>(there);
  } else {
    list<ref> leaves;
    push_leaves(g, d, leaves);
    for (ref const& r : leaves) *results++ = r;
  }
}
/// The same of several arguments.
template <class... Args, class Derivatives>
constexpr void put_all_leaves(builder& g, Derivatives const& d, ref*& results, presence there) {
  int at = 0;
  [&]<std::size_t... I>(std::index_sequence<I...>) {
    (put_leaves<Args>(g, std::get<I>(d), results, next_presence(there, at, optional_count<Args>)), ...);
  }(std::index_sequence_for<Args...>{});
}
template <class Backward, class Value, class... Args>
struct pull_thunk {
  static constexpr void pull(builder& g, ref const* inputs, ref const* cotangents, ref* results, presence there, presence value_there) {
    auto const args = tree_at<std::tuple<Args...>>(inputs, there);
    auto const given = std::apply([&](auto const&... a) { return Backward{}(a..., tree_at<Value>(cotangents, value_there)); }, args);
    using R = std::remove_cvref_t<decltype(given)>;
    if constexpr (is_std_tuple<R>) put_all_leaves<Args...>(g, given, results, there);
    else (put_leaves<Args>(g, given, results, there), ...);
  }
};
template <class Rule, class Value, class... Args>
struct push_thunk {
  static constexpr void push(builder& g, ref const* inputs, ref const* tangents, ref* results, presence there, presence value_there) {
    auto const both = Rule{}(tree_at<std::tuple<Args...>>(inputs, there), tree_at<std::tuple<Args...>>(tangents, there));
    put_leaves<Value>(g, std::get<1>(both), results, value_there);
  }
};
template <int Optionals>
struct optionals_of_a_rule {
  static_assert(Optionals <= 8, "[dimity.tree.5] custom_vjp, custom_jvp, checkpoint: arguments and result can have at most 8 optionals together (optionals)");
};
/// A program calls a rule by its address alone: one function for each presence of arguments and value.
template <class Thunk, int Optionals, int ValueOptionals, presence There = 0>
constexpr void set_rule(custom_rule& rule, presence there) {
  if (there != There) {
    if constexpr (There + 1 < presence{1} << (Optionals + ValueOptionals)) set_rule<Thunk, Optionals, ValueOptionals, There + 1>(rule, there);
    return;
  }
  if constexpr (requires { &Thunk::pull; })
    rule.pull = [](builder& g, ref const* inputs, ref const* cotangents, ref* results) { Thunk::pull(g, inputs, cotangents, results, There, There >> Optionals); };
  if constexpr (requires { &Thunk::push; })
    rule.push = [](builder& g, ref const* inputs, ref const* tangents, ref* results) { Thunk::push(g, inputs, tangents, results, There, There >> Optionals); };
}

/// f on tracers, its results recorded as those of a rule: `Thunk<Rule, value, arguments...>` has `pull`, `push` or both.
template <template <class, class, class...> class Thunk, class F, class Rule = F, class... Args>
constexpr auto with_own_derivative(Args const&... args) {
  builder& g = *program_of_tree(std::tie(args...));
  std::tuple<decltype(as_tracers(g, args))...> const own{as_tracers(g, args)...};
  auto const value = call_with<F>(own, std::index_sequence_for<Args...>{});
  if constexpr (is_failed_tree<std::remove_cvref_t<decltype(value)>>) {
    return value;
  } else {
    using V = std::remove_cvref_t<decltype(as_tracers(g, value))>;
    using thunk = Thunk<Rule, V, std::remove_cvref_t<decltype(as_tracers(g, args))>...>;
    list<ref> inputs, outputs, results;
    push_leaves(g, own, inputs);
    push_leaves(g, value, outputs);
    list<std::int32_t> ids;
    for (ref const& x : inputs) ids.push(x.id);
    custom_rule rule;
    constexpr int optionals = optional_count<Args...>, value_optionals = optional_count<V>;
    (void)sizeof(optionals_of_a_rule<optionals + value_optionals>);
    if constexpr (optionals + value_optionals <= 8) set_rule<thunk, optionals, value_optionals>(rule, presence_of(args..., value));
    int const index = add_rule(g, rule, ids, outputs.size());
    for (int i = 0; i < outputs.size(); ++i) results.push(with_rule(g, outputs[i], index, i));
    int next = 0;
    return tree_from<V>(results, next, presence_of(value));
  }
}

template <class F, class Rule, bool Pulls>
struct custom_function {
  template <class... Args>
  constexpr auto operator()(Args const&... args) const {
    (void)sizeof(transformable_function<F>);
    (void)sizeof(transformable_function<Rule>);
    (void)sizeof(tree_rule<Args...>);
    if constexpr (!is_transformable<F> || !is_transformable<Rule> || !are_trees<Args...>) {
      return no_result{};
    } else {
      using V = std::remove_cvref_t<decltype(F{}(std::declval<traced_tree_t<tree_value_t<Args>> const&>()...))>;
      if constexpr (Pulls && !is_failed_tree<V>) {
        using R = typename backward_tuple<std::remove_cvref_t<decltype(Rule{}(std::declval<traced_tree_t<tree_value_t<Args>> const&>()..., std::declval<V const&>()))>>::type;
        using fit = backward_fit<std::tuple<traced_tree_t<tree_value_t<Args>>...>, R>;
        (void)sizeof(typename fit::rule);
        if constexpr (!fit::value) return no_result{};
        else return checked(args...);
      } else {
        return checked(args...);
      }
    }
  }

 private:
  template <class... Args>
  static constexpr auto checked(Args const&... args) {
    if constexpr (!(is_traced_tree<Args> || ...)) return compiled_call<custom_function>::call(args...);
    else if constexpr (Pulls) return with_own_derivative<pull_thunk, F, Rule>(args...);
    else return with_own_derivative<push_thunk, F, Rule>(args...);
  }
};

}  // namespace detail

/// f with its own reverse-mode derivative: `backward(arguments..., cotangent)` returns a tuple with a cotangent for each argument (a lone one need not be wrapped), of the
/// argument's shape and element type, or no_derivative{}. Reverse mode and everything made of it uses backward; forward mode differentiates f itself.
template <class F, class Backward>
constexpr detail::custom_function<F, Backward, true> custom_vjp(F const&, Backward const&) {
  return {};
}
/// f with its own derivative in both modes: `rule(arguments, tangents)`, two tuples, returns std::tuple{value, tangent}, linear in the tangents. Reverse mode uses its transpose.
template <class F, class Rule>
constexpr detail::custom_function<F, Rule, false> custom_jvp(F const&, Rule const&) {
  return {};
}

}  // namespace DIMITY_NAMESPACE
