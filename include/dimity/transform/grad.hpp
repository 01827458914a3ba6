// Derivatives as functions of functions: grad, value_and_grad, vjp. They compose with each other and with every other transform.
#pragma once

#include <dimity/program/reverse.hpp>
#include <dimity/transform/compile.hpp>
#include <dimity/transform/rules.hpp>

namespace DIMITY_NAMESPACE {
namespace detail {

template <class Result>
struct scalar_result {
  static_assert(dtype_of<Result> != dtype::none, "[dimity.grad.1] grad needs a function whose result is one scalar");
};
template <operand Result>
struct scalar_result<Result> {
  static_assert(shape_of<Result>::rank == 0, "[dimity.grad.1] grad needs a function whose result is one scalar: reduce it, for instance with sum() or mean()");
};
/// Nothing is asked of a result that a mistake has made worthless.
template <class Result>
using scalar_rule = std::conditional_t<is_failed<Result>, Result, scalar_result<Result>>;

template <int>
constexpr failed<float, shape<>> failed_argument() {
  return {};
}
template <class V>
inline constexpr bool has_scalar_shape = false;
template <operand V>
inline constexpr bool has_scalar_shape<V> = shape_of<V>::rank == 0;

/// An argument with an identity of its own, so that the derivative is with respect to it alone even when it is passed twice.
template <class X>
constexpr X with_own_identity(builder& g, X const& x, list<ref>& nodes) {
  list<ref> given;
  push_leaves(g, x, given);
  int next = 0;
  auto make = [&]<class L>() {
    ref const from = given[next++];
    ref const own = append(g, primitive::copy, from.type(), from.shape(), from.id);
    nodes.push(own);
    return leaf_from<L>(own);
  };
  return build_tree<X>(make, presence_of(x));
}
/// The same for an argument that is not traced itself (a constant): as a tracer.
template <class X>
struct tracer_tree {
  using type = traced_tree_t<tree_value_t<X>>;
};
template <class X>
  requires is_traced_tree<X>
struct tracer_tree<X> {
  using type = X;
};
template <class X>
constexpr auto as_tracers(builder& g, X const& x) {
  if constexpr (is_traced_tree<X>) {
    return x;
  } else {
    list<ref> refs;
    push_leaves(g, x, refs);
    int next = 0;
    return tree_from<typename tracer_tree<X>::type>(refs, next, presence_of(x));
  }
}

template <int... Wanted>
constexpr bool is_wanted(int i) {
  return ((i == Wanted) || ...);
}

/// f, its value and the gradient with respect to arguments `Wanted`, on tracers.
template <class F, int... Wanted>
struct gradient_of {
  template <class... Args>
  static constexpr auto run(builder& g, Args const&... args) {
    return run_indexed(g, std::make_integer_sequence<int, static_cast<int>(sizeof...(Args))>{}, args...);
  }
  template <int... I, class... Args>
  static constexpr auto run_indexed(builder& g, std::integer_sequence<int, I...>, Args const&... args) {
    list<ref> nodes[sizeof...(Args) + 1];
    auto const owned = [&]<int J>(std::integral_constant<int, J>, auto const& x) {
      if constexpr (is_wanted<Wanted...>(J)) return with_own_identity(g, as_tracers(g, x), nodes[J]);
      else return x;
    };
    // The type is spelled out: deduction would take a lone std::tuple argument for the tuple of arguments.
    std::tuple<decltype(owned(std::integral_constant<int, I>{}, args))...> const own{owned(std::integral_constant<int, I>{}, args)...};
    auto const value = call_with<F>(own, std::index_sequence_for<Args...>{});
    using V = std::remove_cvref_t<decltype(value)>;
    (void)sizeof(scalar_rule<V>);
    if constexpr (is_failed_tree<V> || !has_scalar_shape<V>) {
      if constexpr (sizeof...(Wanted) == 1) return std::tuple{failed<float, shape<>>{}, failed_argument<Wanted>()...};
      else return std::tuple{failed<float, shape<>>{}, std::tuple{failed_argument<Wanted>()...}};
    } else {
    list<ref> outputs, seeds, wanted;
    push_leaves(g, value, outputs);
    seeds.push(full_like(outputs[0], 1));
    for (int const w : {Wanted...})
      for (ref const& r : nodes[w]) wanted.push(r);
    list<ref> const gradients = reverse(g, outputs, seeds, wanted);
    int next = 0;
    auto const tree_of = [&]<int W>(std::integral_constant<int, W>) {
      using X = std::remove_cvref_t<decltype(std::get<W>(own))>;
      return tree_from<X>(gradients, next, presence_of(std::get<W>(own)));
    };
    auto const result = leaf_from<typename tracer_of<element_of<V>, shape<>>::type>(outputs[0]);
    if constexpr (sizeof...(Wanted) == 1) return std::tuple{result, tree_of(std::integral_constant<int, Wanted>{})...};
    else return std::tuple{result, std::tuple{tree_of(std::integral_constant<int, Wanted>{})...}};
    }
  }
};

}  // namespace detail

/// The function returned by value_and_grad().
template <class F, int... Wanted>
struct value_and_grad_function {
  template <class... Args>
  constexpr auto operator()(Args&&... args) const {
    (void)sizeof(detail::transformable_function<F>);
    if constexpr (!detail::is_transformable<F>) {
      return std::tuple<detail::no_result, detail::no_result>{};
    } else if constexpr (!detail::are_trees<Args...>) {
      (void)sizeof(detail::tree_rule<Args...>);
      return std::tuple<detail::no_result, detail::no_result>{};
    } else if constexpr ((detail::is_traced_tree<Args> || ...)) {
      if constexpr ((detail::is_traced_tree<Args> && ...)) (void)sizeof(detail::scalar_rule<std::remove_cvref_t<decltype(F{}(std::as_const(args)...))>>);
      detail::builder* g = nullptr;
      ((g = g ? g : detail::program_of_tree(args)), ...);
      return detail::gradient_of<F, Wanted...>::run(*g, args...);
    } else {
      // Here first, where an error message about the function's body has the fewest lines above it.
      using body = decltype(F{}(std::declval<detail::traced_tree_t<detail::tree_value_t<Args>>&>()...));
      (void)sizeof(detail::scalar_rule<std::remove_cvref_t<body>>);
      return detail::compiled_call<value_and_grad_function>::call(static_cast<Args&&>(args)...);
    }
  }
};
/// The function returned by grad().
template <class F, int... Wanted>
struct grad_function {
  template <class... Args>
  constexpr auto operator()(Args&&... args) const {
    (void)sizeof(detail::transformable_function<F>);
    if constexpr (!detail::is_transformable<F>) {
      return detail::no_result{};
    } else if constexpr (!detail::are_trees<Args...>) {
      (void)sizeof(detail::tree_rule<Args...>);
      return detail::no_result{};
    } else if constexpr ((detail::is_traced_tree<Args> || ...)) {
      if constexpr ((detail::is_traced_tree<Args> && ...)) (void)sizeof(detail::scalar_rule<std::remove_cvref_t<decltype(F{}(std::as_const(args)...))>>);
      return std::get<1>(value_and_grad_function<F, Wanted...>{}(args...));
    } else {
      // Here first, where an error message about the function's body has the fewest lines above it.
      using body = decltype(F{}(std::declval<detail::traced_tree_t<detail::tree_value_t<Args>>&>()...));
      (void)sizeof(detail::scalar_rule<std::remove_cvref_t<body>>);
      return detail::compiled_call<grad_function>::call(static_cast<Args&&>(args)...);
    }
  }
};

/// The gradient of a scalar function with respect to its first argument, or to those numbered: `grad<1, 2>(loss)(x, w, b)` is a
/// tuple of two. A gradient has the type of its argument (a model's gradient is a model). Reverse mode: a small constant times the cost of the function.
template <int... Wanted, class F>
constexpr auto grad(F const&) {
  if constexpr (sizeof...(Wanted) == 0) return grad_function<F, 0>{};
  else return grad_function<F, Wanted...>{};
}
/// The value and the gradient, as a tuple of two, in one program.
template <int... Wanted, class F>
constexpr auto value_and_grad(F const&) {
  if constexpr (sizeof...(Wanted) == 0) return value_and_grad_function<F, 0>{};
  else return value_and_grad_function<F, Wanted...>{};
}

namespace detail {

/// (primals tuple, cotangent) -> (value, cotangents of the primals)
template <class F>
struct vjp_call {
  template <class Primals, class Cotangent>
  constexpr auto operator()(Primals const& primals, Cotangent const& cotangent) const {
    builder& g = *program_of_tree(std::tie(primals, cotangent));
    list<ref> nodes;
    auto const own = with_own_identity(g, as_tracers(g, primals), nodes);
    auto const value = std::apply(F{}, own);
    using V = std::remove_cvref_t<decltype(value)>;
    if constexpr (is_failed_tree<V>) {
      return std::tuple{value, std::tuple{failed_argument<sizeof(Primals)>()}};
    } else if constexpr (!tangent_tree<leaves_t<V>, leaves_t<Cotangent>>::value) {
      (void)sizeof(typename tangent_tree<leaves_t<V>, leaves_t<Cotangent>>::rule);
      return std::tuple{failed<float, shape<>>{}, std::tuple{failed_argument<sizeof(Primals)>()}};
    } else {
      using X = std::remove_cvref_t<decltype(own)>;
      if (!have_one_presence(g, value, cotangent)) return std::tuple<V, X>{value, own};
      list<ref> outputs, seeds;
      push_leaves(g, value, outputs);
      push_leaves(g, cotangent, seeds);
      unify_shapes(g, outputs, seeds);
      list<ref> const gradients = reverse(g, outputs, seeds, nodes);
      int next = 0;
      return std::tuple<V, X>{value, tree_from<X>(gradients, next, presence_of(own))};
    }
  }
};

}  // namespace detail

/// The value of f at the primals, and the cotangent of its result pulled back to each of them: `auto [y, cotangents] = vjp(f, std::tuple{x, w}, u);`
/// with u of y's type and the cotangents a tuple of the primals' types.
template <class F, class... Primals, class Cotangent>
constexpr auto vjp(F const&, std::tuple<Primals...> const& primals, Cotangent&& cotangent) {
  (void)sizeof(detail::transformable_function<F>);
  (void)sizeof(detail::tree_rule<Primals..., Cotangent>);
  if constexpr (!detail::is_transformable<F> || !detail::are_trees<Primals..., Cotangent>) {
    return std::tuple<detail::no_result, detail::no_result>{};
  } else if constexpr (detail::is_traced_tree<std::tuple<Primals...>> || detail::is_traced_tree<Cotangent>) {
    return detail::vjp_call<F>{}(primals, cotangent);
  } else {
    // Here first, where an error message about the function's body has the fewest lines above it.
    using body = decltype(F{}(std::declval<detail::traced_tree_t<detail::tree_value_t<Primals>> const&>()...));
    using fit = detail::tangent_tree<detail::leaves_t<body>, detail::leaves_t<detail::tree_value_t<Cotangent>>>;
    if constexpr (!detail::is_failed_tree<body> && !fit::value) {
      (void)sizeof(typename fit::rule);
      return std::tuple<detail::no_result, detail::no_result>{};
    } else {
      return detail::compiled_call<detail::vjp_call<F>>::call(primals, static_cast<Cotangent&&>(cotangent));
    }
  }
}

}  // namespace DIMITY_NAMESPACE
