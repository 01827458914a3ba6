// checkpoint: trades time for memory in reverse mode, as jax.checkpoint does.
#pragma once

#include <dimity/core/fixed_string.hpp>
#include <dimity/transform/custom.hpp>

namespace DIMITY_NAMESPACE {

namespace detail {

/// A number below 0 for a name (FNV-1a).
constexpr std::int64_t name_code(std::string_view name) {
  std::uint64_t h = 14695981039346656037ull;
  for (char const c : name) h = (h ^ static_cast<unsigned char>(c)) * 1099511628211ull;
  return -1 - static_cast<std::int64_t>(h >> 1);
}

}  // namespace detail

/// What checkpoint() saves nevertheless.
struct save_nothing_policy {};
struct save_contractions_policy {};
template <fixed_string... Names>
struct save_names_policy {
  static constexpr std::int64_t codes[sizeof...(Names) + 1] = {detail::name_code(Names.view())..., 0};
  static constexpr int count = static_cast<int>(sizeof...(Names));
};
/// Nothing but the arguments.
inline constexpr save_nothing_policy save_nothing{};
/// Results of matrix products: what takes long to compute again.
inline constexpr save_contractions_policy save_contractions{};
/// Values that checkpoint_name() gave one of these names.
template <fixed_string... Names>
inline constexpr save_names_policy<Names...> save_names{};

namespace detail {

template <std::int64_t Code>
struct name_operation {
  static constexpr ref emit(builder& g, ref x) { return append(g, primitive::copy, x.type(), x.shape(), x.id, -1, -1, Code); }
};
constexpr void set_policy(recomputation&, save_nothing_policy) {}
constexpr void set_policy(recomputation& r, save_contractions_policy) { r.saves_contractions = true; }
// Not by their names: nvcc deduces no strings.
template <class Names>
constexpr void set_policy(recomputation& r, Names) {
  for (int i = 0; i < Names::count; ++i) r.saved_names.push(Names::codes[i]);
}
template <class F, class Policy>
struct checkpointed {};

/// The backward function of a checkpoint: f again, not before the cotangent is known, and then its reverse.
template <class Rule, class Value, class... Args>
struct recompute;
template <class F, class Policy, class Value, class... Args>
struct recompute<checkpointed<F, Policy>, Value, Args...> {
  static constexpr void pull(builder& g, ref const* inputs, ref const* cotangents, ref* results, presence there, presence value_there) {
    list<ref> again, outputs, seeds;
    // A constant would exist from the start, and hold nothing back.
    ref token = cotangents[0];
    double value_of_constant = 0;
    for (int i = 1; i < leaves_there<Value>(value_there) && is_constant(token, value_of_constant); ++i) token = cotangents[i];
    for (int i = 0; i < leaves_there<std::tuple<Args...>>(there); ++i) again.push(append(g, primitive::after, inputs[i].type(), inputs[i].shape(), inputs[i].id, token.id));
    int next = 0, at = 0;
    std::tuple<Args...> const args{tree_from<Args>(again, next, next_presence(there, at, optional_count<Args>))...};
    recomputation now;
    now.active = !std::is_same_v<Policy, save_nothing_policy>;
    set_policy(now, Policy{});
    for (int i = 0; i < again.size(); ++i) now.set_twin(again[i].id, inputs[i].id);
    recomputation outer = static_cast<recomputation&&>(g.again);
    g.again = static_cast<recomputation&&>(now);
    auto const value = call_with<F>(args, std::index_sequence_for<Args...>{});
    push_leaves(g, value, outputs);
    g.again = static_cast<recomputation&&>(outer);
    for (int i = 0; i < outputs.size(); ++i) seeds.push(cotangents[i]);
    list<ref> const pulled = reverse(g, outputs, seeds, again);
    for (int i = 0; i < pulled.size(); ++i) results[i] = pulled[i];
  }
};

template <class F, class Policy>
struct checkpoint_function {
  template <class... Args>
  constexpr auto operator()(Args const&... args) const {
    (void)sizeof(transformable_function<F>);
    (void)sizeof(tree_rule<Args...>);
    if constexpr (!is_transformable<F> || !are_trees<Args...>) return no_result{};
    else if constexpr ((is_traced_tree<Args> || ...)) return with_own_derivative<recompute, F, checkpointed<F, Policy>>(args...);
    else return compiled_call<checkpoint_function>::call(args...);
  }
};

}  // namespace detail

/// f, whose intermediate values are not kept for reverse mode but computed again from the arguments when the derivative needs them. Values and derivatives do not change;
/// `workspace_bytes` shrinks by what is not kept, and f runs twice. `checkpoint<save_contractions>(f)` keeps the results of matrix products, `checkpoint<save_names<"a", "b">>(f)` values that
/// checkpoint_name() named. Forward mode is that of f.
template <auto Policy = save_nothing, class F>
constexpr detail::checkpoint_function<F, std::remove_cvref_t<decltype(Policy)>> checkpoint(F const&) {
  return {};
}
/// x under a name that save_names<...> can ask for.
template <fixed_string Name, operand X>
constexpr auto checkpoint_name(X&& x) {
  return detail::apply<detail::name_operation<detail::name_code(Name.view())>>(static_cast<X&&>(x));
}

}  // namespace DIMITY_NAMESPACE
