// scan and map: loops over the entries of tensors, as in JAX. They stay loops in the binary, however long they are.
#pragma once

#include <dimity/program/hoist.hpp>
#include <dimity/transform/state.hpp>

#include <tuple>
#include <utility>

namespace DIMITY_NAMESPACE {

/// For `scan<scan_options{.reverse = true}>(...)`.
struct scan_options {
  bool reverse = false;  ///< begin with the last entry; results lie where their entries do
};

namespace detail {

template <class List>
struct leading_extents;
template <class... L>
struct leading_extents<leaf_list<L...>> {
  using extents = common_extent<leaf_form<L>::shape::at(0)...>;
  static constexpr extent_t entries = extents::value, other = extents::other;
  static constexpr bool fits = extents::fits && entries != no_extent;
};

/// The two parts of what a body returns; for anything else the state as it was.
template <class Result, class State>
struct scan_parts {
  static constexpr bool value = false;
  using carry = State;
};
template <class Carry, class Y, class State>
struct scan_parts<std::tuple<Carry, Y>, State> {
  static constexpr bool value = true;
  using carry = Carry;
};
template <class Carry, class Y, class State>
struct scan_parts<std::pair<Carry, Y>, State> : scan_parts<std::tuple<Carry, Y>, State> {};

/// Whether a call of scan fits together: `rule` is its first error.
template <class F, class Init, class Xs, class... Consts>
struct scan_call {
  static constexpr bool value = false;
  static constexpr extent_t entries = 0;
  using rule = typename mapping_fit<tree_value_t<Xs>, 0>::rule;
};
template <class F, class Init, class Xs, class... Consts>
  requires(mapping_fit<tree_value_t<Xs>, 0>::value)
struct scan_call<F, Init, Xs, Consts...> {
  using extents = leading_extents<leaves_t<tree_value_t<Xs>>>;
  static constexpr extent_t entries = extents::entries;
  using carry = tracer_tree_t<Init>;
  using entry = typename entry_tree<tree_value_t<Xs>, 0>::type;
  using result = std::remove_cvref_t<decltype(F{}(std::declval<carry const&>(), std::declval<entry const&>(), std::declval<tracer_tree_t<Consts> const&>()...))>;
  using parts = scan_parts<result, Init>;
  using state = state_fit<Init, typename parts::carry>;
  static constexpr bool is_even = extents::fits;
  static constexpr bool value = is_even && !is_failed_tree<result> && parts::value && state::value;
  using rule = std::conditional_t<!is_even, scan_entries<extents::entries, extents::other>,
                                  std::conditional_t<is_failed_tree<result>, result, std::conditional_t<!parts::value, loop_result<result>, typename state::rule>>>;
};
template <class F, scan_options Options>
struct scan_function {
  template <class Init, class Xs, class... Consts>
  constexpr auto operator()(Init const& init, Xs const& xs, Consts const&... consts) const {
    (void)sizeof(transformable_function<F>);
    (void)sizeof(tree_rule<Init, Xs, Consts...>);
    if constexpr (!is_transformable<F> || !are_trees<Init, Xs, Consts...>) {
      return std::tuple<no_result, no_result>{};
    } else {
      using call = scan_call<F, Init, Xs, Consts...>;
      (void)sizeof(typename call::rule);
      if constexpr (!call::value) return std::tuple<failed<float, shape<>>, failed<float, shape<>>>{};
      else if constexpr (is_traced_tree<Init> || is_traced_tree<Xs> || (is_traced_tree<Consts> || ...)) return run<call>(init, xs, consts...);
      else return compiled_call<scan_function>::call(init, xs, consts...);
    }
  }

 private:
  template <class Call, class Init, class Xs, class... Consts>
  static constexpr auto run(Init const& init, Xs const& xs, Consts const&... consts) {
    using carry_type = typename Call::carry;
    using y_type = tracer_tree_t<std::tuple_element_t<1, typename Call::result>>;
    builder& g = *program_of_tree(std::tie(init, xs, consts...));
    list<ref> operands, carried, ys, results;
    push_leaves(g, init, operands);
    int const states = operands.size();
    push_leaves(g, xs, operands);
    list<std::int32_t> inner, outputs;
    list<shape_value> shapes;
    for (int i = states; i < operands.size(); ++i) g.unify(operands[states].extent(0), operands[i].extent(0));
    for (int i = 0; i < operands.size(); ++i) shapes.push(i < states ? operands[i].shape() : entry_shape(operands[i].shape()));
    auto const carry = block_inputs<carry_type>(g, shapes, inner, presence_of(init));
    auto const entry = block_inputs<typename Call::entry>(g, shapes, inner, presence_of(xs));
    amount trips = Call::entries;
    auto const value = F{}(carry, entry, as_tracers(g, consts)...);
    push_like(g, carry, std::get<0>(value), carried);
    push_leaves(g, std::get<1>(value), ys);
    unify_shapes(g, operands, carried);
    if (operands.size() > states) trips = operands[states].extent(0);
    else if (Call::entries < 0) g.error = program_error::presence_differs, trips = 0;  // how many entries something has that is not there nobody knows
    list<control_input> inputs;
    for (int i = 0; i < operands.size(); ++i) inputs.push({inner[i], operands[i].id, i < states ? i : -1});
    hoist_products(g, inputs, states, trips);
    for (ref const& r : carried) outputs.push(r.id);
    for (ref const& r : ys) outputs.push(r.id);
    control c;
    c.trips = trips;
    c.from_end = Options.reverse;
    ref const made = add_control(g, c, inputs, outputs);
    for (int k = 0; k < outputs.size(); ++k) results.push(k < states && trips == 0 ? operands[k] : control_result(made, k));
    int next = 0;
    auto last = tree_from<carry_type>(results, next, presence_of(init));
    return std::tuple{last, tree_from<typename batched_tree<y_type, Call::entries>::type>(results, next, presence_of(std::get<1>(value)))};
  }
};

template <class F>
struct map_function {
  struct body {
    template <class X, class... Consts>
    constexpr auto operator()(std::tuple<> const& nothing, X const& x, Consts const&... consts) const {
      return std::tuple{nothing, F{}(x, consts...)};
    }
  };
  template <class Xs, class... Consts>
  constexpr auto operator()(Xs const& xs, Consts const&... consts) const {
    (void)sizeof(transformable_function<F>);
    if constexpr (!is_transformable<F>) return no_result{};
    else return std::get<1>(scan_function<body, scan_options{}>{}(std::tuple<>{}, xs, consts...));
  }
};

}  // namespace detail

/// A loop over axis 0 of xs: `auto [carry, ys] = scan(f, init, xs, consts...)` calls `f(carry, x, consts...)`, which returns std::tuple{next carry, y}, once for each entry x. The carry keeps
/// its shapes, element types and what is there of its optionals; the y lie side by side along a new axis 0. carry, xs, y and consts are trees: tensors, scalars, tuples, arrays, structs; a struct in
/// xs is passed as stacked<struct, n>, and comes back as one in ys. The body is compiled once. Products of few rows of an entry with something that does not change are one product of all entries, before the
/// loop. Reverse mode saves what it needs of each iteration ([n, ...] each), and sums
/// of matrix products over the iterations are one product after the loop; forward mode and vmap keep the loop one loop.
template <scan_options Options = scan_options{}, class F, class Init, class Xs, class... Consts>
constexpr auto scan(F const&, Init const& init, Xs const& xs, Consts const&... consts) {
  return detail::scan_function<F, Options>{}(init, xs, consts...);
}

/// `f(x, consts...)` for each entry of xs along axis 0, one after the other; the results lie side by side along a new axis 0. Like vmap(f), but with the memory of one entry.
template <class F, class Xs, class... Consts>
constexpr auto map(F const&, Xs const& xs, Consts const&... consts) {
  return detail::map_function<F>{}(xs, consts...);
}

}  // namespace DIMITY_NAMESPACE
