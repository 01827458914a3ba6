// Full derivatives: jacfwd, jacrev, jacobian, hessian. One pass of forward or reverse mode, batched over a basis.
#pragma once

#include <dimity/program/batching.hpp>
#include <dimity/transform/jvp.hpp>

namespace DIMITY_NAMESPACE {
namespace detail {

/// The unit vectors of a shape: [size, shape...].
constexpr ref unit_vectors(builder& g, dtype type, shape_value const& s) {
  amount const n = s.size();
  shape_value square;
  square.push(n);
  square.push(n);
  ref const eye = cast(equal(iota(g, dtype::int64, square, 0), iota(g, dtype::int64, square, 1)), type);
  return reshape(eye, batched_shape(s, n));
}
template <class Y, class X>
struct joined_shape;
template <extent_t... Y, extent_t... X>
struct joined_shape<shape<Y...>, shape<X...>> {
  using type = shape<Y..., X...>;
};
template <class Y, class X>
using jacobian_tracer = typename tracer_of<element_of<Y>, typename joined_shape<shape_of<Y>, shape_of<X>>::type>::type;

template <class X>
struct jacobian_argument {
  static_assert(operand_traits<X>::is_operand, "[dimity.grad.3] jacobian, hessian: the first argument must be one tensor; pack several into one, or use jvp, vjp and hvp");
};
template <class Y>
struct jacobian_result {
  static_assert(operand_traits<Y>::is_operand, "[dimity.grad.4] jacobian: the function must return one tensor");
};

template <class Y>
using jacobian_rule = std::conditional_t<is_failed<Y>, Y, jacobian_result<Y>>;
/// What is left when the function or its result will not do.
template <class Y, class X>
constexpr auto failed_jacobian() {
  if constexpr (operand<Y>) return failed<element_of<Y>, typename joined_shape<shape_of<Y>, shape_of<X>>::type>{};
  else return failed<element_of<X>, shape_of<X>>{};
}
/// What the function gives for arguments of these types, traced.
template <class F, class... Args>
using traced_body = std::remove_cvref_t<decltype(F{}(std::declval<traced_tree_t<tree_value_t<Args>> const&>()...))>;

template <class F>
struct jacfwd_function {
  template <class X, class... Rest>
  constexpr auto operator()(X const& x, Rest const&... rest) const {
    (void)sizeof(transformable_function<F>);
    (void)sizeof(jacobian_argument<X>);
    (void)sizeof(tree_rule<Rest...>);
    if constexpr (!is_transformable<F> || !operand<X> || !are_trees<Rest...>) {
      return no_result{};
    } else if constexpr (is_traced_tree<X> || (is_traced_tree<Rest> || ...)) {
      builder& g = *program_of_tree(std::tie(x, rest...));
      list<ref> inputs, outputs, seeds, batched_seeds;
      auto const own = with_own_identity(g, as_tracers(g, x), inputs);
      auto const y = F{}(own, rest...);
      using Y = std::remove_cvref_t<decltype(y)>;
      (void)sizeof(jacobian_rule<Y>);
      if constexpr (is_failed<Y> || !operand<Y>) {
        return failed_jacobian<Y, X>();
      } else {
        push_leaves(g, y, outputs);
        ref const in = inputs[0], zero = full_like(in, 0);
        seeds.push(append(g, primitive::copy, in.type(), in.shape(), zero.id));
        list<ref> const tangent = forward(g, inputs, seeds, outputs);
        amount const n = in.shape().size();
        batched_seeds.push(unit_vectors(g, in.type(), in.shape()));
        ref const columns = batch(g, seeds, batched_seeds, tangent, n)[0];
        // [n, y...] -> [y..., n] -> [y..., x...]
        axis_map last;
        int const rank = columns.rank();
        for (int i = 0; i + 1 < rank; ++i) last.set(i, i + 1);
        last.set(rank - 1, 0);
        shape_value s = outputs[0].shape();
        for (int i = 0; i < in.rank(); ++i) s.push(in.extent(i));
        return jacobian_tracer<decltype(y), X>(reshape(transpose(columns, last), s));
      }
    } else {
      // Here first, where an error message about the function's body has the fewest lines above it.
      (void)sizeof(jacobian_rule<traced_body<F, X, Rest...>>);
      return compiled_call<jacfwd_function>::call(x, rest...);
    }
  }
};

template <class F>
struct jacrev_function {
  template <class X, class... Rest>
  constexpr auto operator()(X const& x, Rest const&... rest) const {
    (void)sizeof(transformable_function<F>);
    (void)sizeof(jacobian_argument<X>);
    (void)sizeof(tree_rule<Rest...>);
    if constexpr (!is_transformable<F> || !operand<X> || !are_trees<Rest...>) {
      return no_result{};
    } else if constexpr (is_traced_tree<X> || (is_traced_tree<Rest> || ...)) {
      builder& g = *program_of_tree(std::tie(x, rest...));
      list<ref> inputs, outputs, seeds, batched_seeds;
      auto const own = with_own_identity(g, as_tracers(g, x), inputs);
      auto const y = F{}(own, rest...);
      using Y = std::remove_cvref_t<decltype(y)>;
      (void)sizeof(jacobian_rule<Y>);
      if constexpr (is_failed<Y> || !operand<Y>) {
        return failed_jacobian<Y, X>();
      } else {
        push_leaves(g, y, outputs);
        ref const out = outputs[0], zero = full_like(out, 0);
        seeds.push(append(g, primitive::copy, out.type(), out.shape(), zero.id));
        list<ref> const cotangent = reverse(g, outputs, seeds, inputs);
        batched_seeds.push(unit_vectors(g, out.type(), out.shape()));
        ref const rows = batch(g, seeds, batched_seeds, cotangent, out.shape().size())[0];
        shape_value s = out.shape();
        for (int i = 0; i < inputs[0].rank(); ++i) s.push(inputs[0].extent(i));
        return jacobian_tracer<decltype(y), X>(reshape(rows, s));
      }
    } else {
      // Here first, where an error message about the function's body has the fewest lines above it.
      (void)sizeof(jacobian_rule<traced_body<F, X, Rest...>>);
      return compiled_call<jacrev_function>::call(x, rest...);
    }
  }
};

}  // namespace detail

/// J[y..., x...] = d f(x)[y...] / d x[x...], by forward mode: one pass for each element of x. Further arguments are held fixed.
template <class F>
constexpr detail::jacfwd_function<F> jacfwd(F const&) {
  return {};
}
/// The same by reverse mode: one pass for each element of f(x).
template <class F>
constexpr detail::jacrev_function<F> jacrev(F const&) {
  return {};
}

namespace detail {

template <class F>
struct jacobian_function {
  template <class X, class... Rest>
  constexpr auto operator()(X const& x, Rest const&... rest) const {
    (void)sizeof(transformable_function<F>);
    (void)sizeof(jacobian_argument<X>);
    (void)sizeof(tree_rule<Rest...>);
    if constexpr (!is_transformable<F> || !operand<X> || !are_trees<Rest...>) {
      return no_result{};
    } else if constexpr (is_traced_tree<X> || (is_traced_tree<Rest> || ...)) {
      using Y = std::remove_cvref_t<decltype(F{}(as_tracers(std::declval<builder&>(), x), rest...))>;
      (void)sizeof(jacobian_rule<Y>);
      if constexpr (!operand<Y>) return failed_jacobian<Y, X>();
      else if constexpr (shape_of<Y>::size < shape_of<X>::size) return jacrev_function<F>{}(x, rest...);
      else return jacfwd_function<F>{}(x, rest...);
    } else {
      // Here first, where an error message about the function's body has the fewest lines above it.
      (void)sizeof(jacobian_rule<traced_body<F, X, Rest...>>);
      return compiled_call<jacobian_function>::call(x, rest...);
    }
  }
};

}  // namespace detail

/// The Jacobian in the mode that needs fewer passes: forward when x has no more elements than f(x), reverse otherwise.
template <class F>
constexpr detail::jacobian_function<F> jacobian(F const&) {
  return {};
}
/// H[x..., x...]: the second derivatives of a scalar function with respect to its first argument. Forward over reverse.
template <class F>
constexpr detail::jacfwd_function<grad_function<F, 0>> hessian(F const&) {
  return {};
}

}  // namespace DIMITY_NAMESPACE
