// while_loop and fori_loop: loops whose number of iterations is known only when the program runs, or is a plain number.
#pragma once

#include <dimity/transform/branch.hpp>

#include <tuple>
#include <utility>

namespace DIMITY_NAMESPACE {
namespace detail {

template <class Condition, class Body>
struct while_function {
  template <class X, class... Consts>
  constexpr auto operator()(X const& x, Consts const&... consts) const {
    (void)sizeof(transformable_function<Condition>);
    (void)sizeof(transformable_function<Body>);
    (void)sizeof(tree_rule<X, Consts...>);
    if constexpr (!is_transformable<Condition> || !is_transformable<Body> || !are_trees<X, Consts...>) {
      return no_result{};
    } else {
      using state = tracer_tree_t<X>;
      using going = std::remove_cvref_t<decltype(Condition{}(std::declval<state const&>(), std::declval<tracer_tree_t<Consts> const&>()...))>;
      using after = std::remove_cvref_t<decltype(Body{}(std::declval<state const&>(), std::declval<tracer_tree_t<Consts> const&>()...))>;
      (void)sizeof(loop_condition<going>);
      (void)sizeof(typename state_fit<X, after>::rule);
      if constexpr (!loop_condition<going>::value || is_failed_tree<after> || !state_fit<X, after>::value) return failed<float, shape<>>{};
      else if constexpr (is_traced_tree<X> || (is_traced_tree<Consts> || ...)) return run(x, consts...);
      else return compiled_call<while_function>::call(x, consts...);
    }
  }

 private:
  template <class X, class... Consts>
  static constexpr auto run(X const& x, Consts const&... consts) {
    using state = tracer_tree_t<X>;
    builder& g = *program_of_tree(std::tie(x, consts...));
    list<ref> operands, going, after, results;
    push_leaves(g, x, operands);
    list<std::int32_t> inner, outputs;
    auto const now = block_inputs<state>(g, shapes_of(operands), inner, presence_of(x));
    push_leaves(g, Condition{}(now, as_tracers(g, consts)...), going);
    push_like(g, now, Body{}(now, as_tracers(g, consts)...), after);
    unify_shapes(g, operands, after);
    list<control_input> inputs;
    for (int i = 0; i < operands.size(); ++i) inputs.push({inner[i], operands[i].id, i});
    for (ref const& r : after) outputs.push(r.id);
    control c;
    c.kind = control_kind::while_loop;
    c.head = as_condition(going[0]).id;
    ref const made = add_control(g, c, inputs, outputs);
    for (int k = 0; k < outputs.size(); ++k) results.push(control_result(made, k));
    int next = 0;
    return tree_from<state>(results, next, presence_of(x));
  }
};

/// The state of fori_loop: a counter, and where to stop.
struct fori_condition {
  template <class State, class... Consts>
  constexpr auto operator()(State const& s, Consts const&...) const {
    return std::get<0>(s) < std::get<1>(s);
  }
};
template <class Body>
struct fori_body {
  template <class State, class... Consts>
  constexpr auto operator()(State const& s, Consts const&... consts) const {
    auto const& [i, end, x] = s;
    return std::tuple{i + std::int32_t{1}, end, Body{}(i, x, consts...)};
  }
};
/// One iteration of a bounded loop: nothing once the end is reached.
template <class Body>
struct bounded_body {
  struct keep {
    template <class I, class X, class... Consts>
    constexpr auto operator()(I const&, X const& x, Consts const&...) const {
      return x;
    }
  };
  template <class State, class K, class... Consts>
  constexpr auto operator()(State const& s, K const& k, Consts const&... consts) const {
    auto const& [begin, end, x] = s;
    auto const i = begin + k;
    return std::tuple{std::tuple{begin, end, cond(i < end, Body{}, keep{}, i, x, consts...)}, std::tuple<>{}};
  }
};

template <class Body, extent_t Bound>
struct fori_function {
  template <class I, class J, class X, class... Consts>
  constexpr auto operator()(I const& begin, J const& end, X const& x, Consts const&... consts) const {
    (void)sizeof(transformable_function<Body>);
    (void)sizeof(tree_rule<I, J, X, Consts...>);
    if constexpr (!is_transformable<Body> || !are_trees<I, J, X, Consts...>) {
      return no_result{};
    } else {
      using after = std::remove_cvref_t<decltype(Body{}(std::declval<tensor<traced<std::int32_t>> const&>(), std::declval<tracer_tree_t<X> const&>(),
                                                        std::declval<tracer_tree_t<Consts> const&>()...))>;
      (void)sizeof(loop_condition<tree_value_t<I>>);
      (void)sizeof(loop_condition<tree_value_t<J>>);
      (void)sizeof(typename state_fit<X, after>::rule);
      if constexpr (!loop_condition<tree_value_t<I>>::value || !loop_condition<tree_value_t<J>>::value || is_failed_tree<after> || !state_fit<X, after>::value) return failed<float, shape<>>{};
      else if constexpr (!(is_traced_tree<I> || is_traced_tree<J> || is_traced_tree<X> || (is_traced_tree<Consts> || ...))) return compiled_call<fori_function>::call(begin, end, x, consts...);
      else return run(begin, end, x, consts...);
    }
  }

 private:
  template <class I, class J, class X, class... Consts>
  static constexpr auto run(I const& begin, J const& end, X const& x, Consts const&... consts) {
    builder& g = *program_of_tree(std::tie(begin, end, x, consts...));
    if constexpr (std::is_arithmetic_v<I> && std::is_arithmetic_v<J>) {
      return counted(g, begin, end, x, consts...);
    } else {
      auto const from = counter(g, begin), to = counter(g, end);
      std::tuple<tensor<traced<std::int32_t>>, tensor<traced<std::int32_t>>, tracer_tree_t<X>> const state{from, to, as_tracers(g, x)};
      if constexpr (Bound == -1) {
        return std::get<2>(while_function<fori_condition, fori_body<Body>>{}(state, consts...));
      } else {
        shape_value s;
        s.push(Bound);
        tensor<traced<std::int32_t>, Bound> const numbers(iota(g, dtype::int32, s, 0));
        return std::get<2>(std::get<0>(scan_function<bounded_body<Body>, scan_options{}>{}(state, numbers, consts...)));
      }
    }
  }
  template <class I>
  static constexpr tensor<traced<std::int32_t>> counter(builder& g, I const& i) {
    list<ref> leaf;
    push_leaves(g, i, leaf);
    return tensor<traced<std::int32_t>>(cast(leaf[0], dtype::int32));
  }
  /// Between plain numbers: the number of iterations is part of the program.
  template <class I, class J, class X, class... Consts>
  static constexpr auto counted(builder& g, I begin, J end, X const& x, Consts const&... consts) {
    using state = tracer_tree_t<X>;
    auto const own = as_tracers(g, x);
    list<ref> operands, after, results;
    push_leaves(g, own, operands);
    std::int64_t const first = static_cast<std::int64_t>(begin), trips = static_cast<std::int64_t>(end) - first;
    if (trips <= 0) return state(own);
    list<std::int32_t> inner, outputs;
    auto const now = block_inputs<state>(g, shapes_of(operands), inner, presence_of(x));
    shape_value s;
    s.push(trips);
    ref const numbers = iota(g, dtype::int32, s, 0) + integer_constant(g, dtype::int32, first);
    ref const i = block_input(g, dtype::int32, {});
    push_like(g, now, Body{}(tensor<traced<std::int32_t>>(i), now, as_tracers(g, consts)...), after);
    unify_shapes(g, operands, after);
    list<control_input> inputs;
    for (int k = 0; k < operands.size(); ++k) inputs.push({inner[k], operands[k].id, k});
    inputs.push({i.id, numbers.id, -1});
    for (ref const& r : after) outputs.push(r.id);
    control c;
    c.trips = trips;
    ref const made = add_control(g, c, inputs, outputs);
    for (int k = 0; k < outputs.size(); ++k) results.push(control_result(made, k));
    int next = 0;
    return tree_from<state>(results, next, presence_of(x));
  }
};

}  // namespace detail

/// `x = body(x, consts...)` as long as `condition(x, consts...)` holds; x is a tree that keeps its shapes and element types. Forward mode and vmap (until the last entry is done) work; reverse mode is a
/// compile error, because nobody knows how much to save: see fori_loop with a bound.
template <class Condition, class Body, class X, class... Consts>
constexpr auto while_loop(Condition const&, Body const&, X const& x, Consts const&... consts) {
  return detail::while_function<Condition, Body>{}(x, consts...);
}

/// `x = body(i, x, consts...)` for i = begin, ..., end - 1 (int32). Between plain numbers inside a traced function the number of iterations is part of the program, and reverse mode works;
/// otherwise this is a while_loop. `fori_loop<bound>(...)` makes at most `bound` iterations, and reverse mode works: it runs `bound` times, of which those beyond the end do nothing.
template <extent_t Bound = -1, class I, class J, class Body, class X, class... Consts>
constexpr auto fori_loop(I const& begin, J const& end, Body const&, X const& x, Consts const&... consts) {
  return detail::fori_function<Body, Bound>{}(begin, end, x, consts...);
}

}  // namespace DIMITY_NAMESPACE
