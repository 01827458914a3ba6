// checkpoint: trades time for memory in reverse mode, as jax.checkpoint does.
#pragma once

#include <dimity/transform/custom.hpp>

namespace dimity {
namespace detail {

/// The backward function of a checkpoint: f again, not before the cotangent is known, and then its reverse.
template <class F, class Value, class... Args>
struct recompute {
  static constexpr void pull(builder& g, ref const* inputs, ref const* cotangents, ref* results) {
    list<ref> again, outputs, seeds;
    ref const token = cotangents[0];
    for (int i = 0; i < (0 + ... + leaf_count<Args>); ++i) again.push(append(g, primitive::after, inputs[i].type(), inputs[i].shape(), inputs[i].id, token.id));
    int next = 0;
    std::tuple<Args...> const args{tree_from<Args>(again, next)...};
    auto const value = call_with<F>(args, std::index_sequence_for<Args...>{});
    push_leaves(g, value, outputs);
    for (int i = 0; i < outputs.size(); ++i) seeds.push(cotangents[i]);
    list<ref> const pulled = reverse(g, outputs, seeds, again);
    for (int i = 0; i < pulled.size(); ++i) results[i] = pulled[i];
  }
};

template <class F>
struct checkpoint_function {
  template <class... Args>
  constexpr auto operator()(Args const&... args) const {
    (void)sizeof(transformable_function<F>);
    (void)sizeof(tree_rule<Args...>);
    if constexpr (!is_transformable<F> || !are_trees<Args...>) return no_result{};
    else if constexpr ((is_traced_tree<Args> || ...)) return with_own_derivative<recompute, F>(args...);
    else return compiled_call<checkpoint_function>::call(args...);
  }
};

}  // namespace detail

/// f, whose intermediate values are not kept for reverse mode but computed again from the arguments when the derivative needs them. Values and derivatives do not change;
/// `workspace_bytes` shrinks by what is not kept, and f runs twice. Forward mode is that of f.
template <class F>
constexpr detail::checkpoint_function<F> checkpoint(F const&) {
  return {};
}

}  // namespace dimity
