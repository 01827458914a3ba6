// Roots and fixed points: found by iteration, differentiated by what they satisfy.
#pragma once

#include <dimity/linalg/solve.hpp>
#include <dimity/transform/jacobian.hpp>
#include <dimity/transform/loops.hpp>

#include <algorithm>
#include <limits>
#include <tuple>
#include <utility>

namespace DIMITY_NAMESPACE {

/// For `find_root<root_options{.tolerance = 1e-8}>(...)` and fixed_point.
struct root_options {
  double tolerance = 1e-12;  ///< stop when no element of x changes by more than this, times 1 + the largest of |x|; at least 4 roundings
  int max_iterations = 100;  ///< stop then, converged or not
};

namespace detail {

template <class X>
struct root_argument {
  static_assert(operand<X> || std::is_arithmetic_v<X>, "[dimity.root.1] custom_root, find_root, fixed_point, odeint: the unknown must be one tensor or scalar; pack several with ravel()");
};
template <class X, class Y>
struct root_result {
  static_assert(sizeof(known_extents<(leaf_form<X>::shape::run_time_extents > 0 ? dyn : 0)>) != 0);
  static_assert(have_one_form<X, Y>, "[dimity.root.2] custom_root, find_root, fixed_point: the function must return the shape and element type of x (x, result)");
};

/// The same values, as tracers through which no derivative flows.
template <class X>
constexpr auto stopped(builder& g, X const& x) {
  list<ref> given;
  push_leaves(g, x, given);
  int next = 0;
  auto make = [&]<class L>() {
    ref const from = given[next++];
    return leaf_from<L>(append(g, primitive::copy, from.type(), from.shape(), from.id, -1, -1, stops_derivative));
  };
  return build_tree<typename tracer_tree<X>::type>(make, presence_of(x));
}

/// How far Newton's method goes from x: J^-1 f(x), of x's shape.
template <class F>
struct newton_correction {
  template <class X, class... P>
  constexpr auto operator()(X const& x, P const&... parameters) const {
    constexpr extent_t n = shape_of<X>::size;
    auto const jacobian = jacfwd_function<F>{}(x, parameters...);
    auto const value = F{}(x, parameters...);
    builder& g = *program_of_tree(std::tie(x, parameters...));
    shape_value flat, square;
    flat.push(n);
    flat.push(1);
    square.push(n);
    square.push(n);
    ref const step = solve(reshape(trace_operand(g, jacobian), square), reshape(trace_operand(g, value), flat));
    return leaf_from<X>(reshape(step, shape_value_of<shape_of<X>>::value));
  }
};
template <root_options O>
struct still_moving {
  template <class State, class... P>
  constexpr auto operator()(State const& s, P const&...) const {
    auto const& [x, moved, count] = s;
    // Less than a few roundings nothing settles to.
    constexpr double tolerance = std::max(O.tolerance, 4.0 * std::numeric_limits<element_of<decltype(x)>>::epsilon());
    return logical_and(count < std::int32_t{O.max_iterations}, moved > tolerance * (1.0 + max(abs(x))));
  }
};
template <class F>
struct newton_iteration {
  template <class State, class... P>
  constexpr auto operator()(State const& s, P const&... parameters) const {
    auto const& x = std::get<0>(s);
    auto const step = newton_correction<F>{}(x, parameters...);
    return std::tuple{x - step, max(abs(step)), std::get<2>(s) + std::int32_t{1}};
  }
};
template <class F>
struct plain_iteration {
  template <class State, class... P>
  constexpr auto operator()(State const& s, P const&... parameters) const {
    auto const& x = std::get<0>(s);
    auto const next = F{}(x, parameters...);
    return std::tuple{next, max(abs(next - x)), std::get<2>(s) + std::int32_t{1}};
  }
};
template <class F>
struct distance_to_image {
  template <class X, class... P>
  constexpr auto operator()(X const& x, P const&... parameters) const {
    return F{}(x, parameters...) - x;
  }
};

template <class F>
struct custom_root_function {
  template <class X, class... P>
  constexpr auto operator()(X const& x, P const&... parameters) const {
    (void)sizeof(transformable_function<F>);
    (void)sizeof(root_argument<tree_value_t<X>>);
    (void)sizeof(tree_rule<P...>);
    if constexpr (!is_transformable<F> || !(operand<X> || std::is_arithmetic_v<X>) || !are_trees<P...>) {
      return no_result{};
    } else {
      using Y = std::remove_cvref_t<decltype(F{}(std::declval<tracer_tree_t<X> const&>(), std::declval<tracer_tree_t<P> const&>()...))>;
      if constexpr (is_failed<Y>) {
        return Y{};
      } else {
        (void)sizeof(root_result<tree_value_t<X>, tree_value_t<Y>>);
        if constexpr (!have_one_form<tree_value_t<X>, tree_value_t<Y>>) return no_result{};
        else if constexpr (is_traced_tree<X> || (is_traced_tree<P> || ...)) return run(x, parameters...);
        else return compiled_call<custom_root_function>::call(x, parameters...);
      }
    }
  }

 private:
  /// Newton's method doubles the number of exact terms of a power series with every step: from the root itself one step has the first derivatives right, two steps those up to the third.
  template <class X, class... P>
  static constexpr auto run(X const& given, P const&... parameters) {
    builder& g = *program_of_tree(std::tie(given, parameters...));
    auto x = stopped(g, given);
    for (int i = 0; i < 2; ++i) x = x - newton_correction<F>{}(x, as_tracers(g, parameters)...);
    return x;
  }
};

template <class F, class Iteration, class Condition, root_options O>
struct iterated_root {
  template <class X, class... P>
  constexpr auto operator()(X const& start, P const&... parameters) const {
    (void)sizeof(root_argument<tree_value_t<X>>);
    (void)sizeof(tree_rule<P...>);
    if constexpr (!is_transformable<F> || !(operand<X> || std::is_arithmetic_v<X>) || !are_trees<P...>) {
      return no_result{};
    } else if constexpr (is_traced_tree<X> || (is_traced_tree<P> || ...)) {
      builder& g = *program_of_tree(std::tie(start, parameters...));
      auto const x = stopped(g, start);
      using distance = typename tracer_of<element_of<decltype(x)>, shape<>>::type;
      auto const far = distance(constant(g, dtype_of<element_of<decltype(x)>>, 1e30));
      auto const found = while_function<still_moving<O>, Iteration>{}(std::tuple{x, far, std::int32_t{0}}, stopped(g, parameters)...);
      return custom_root_function<Condition>{}(std::get<0>(found), parameters...);
    } else {
      return compiled_call<iterated_root>::call(start, parameters...);
    }
  }
};

}  // namespace detail

/// x, which somebody found, as the solution of f(x, parameters...) = 0: its derivatives with respect to the parameters are those of the solution (up to the third), in both modes and under vmap, whatever x was found by; and
/// two steps of Newton's method make it more exact. x is one tensor of n elements or a scalar, and f returns one like it. Cost: two n x n systems of equations.
template <class F, class X, class... P>
constexpr auto custom_root(F const&, X const& x, P const&... parameters) {
  return detail::custom_root_function<F>{}(x, parameters...);
}
/// A solution of f(x, parameters...) = 0 by Newton's method from `start` on, with derivatives as custom_root() gives them. It does not depend on `start`.
template <root_options Options = root_options{}, class F, class X, class... P>
constexpr auto find_root(F const&, X const& start, P const&... parameters) {
  return detail::iterated_root<F, detail::newton_iteration<F>, F, Options>{}(start, parameters...);
}
/// A fixed point x = f(x, parameters...), by iterating f from `start` on, with derivatives as custom_root() gives them: those of f's iterates in the limit, without going through them.
template <root_options Options = root_options{}, class F, class X, class... P>
constexpr auto fixed_point(F const&, X const& start, P const&... parameters) {
  return detail::iterated_root<F, detail::plain_iteration<F>, detail::distance_to_image<F>, Options>{}(start, parameters...);
}

}  // namespace DIMITY_NAMESPACE
