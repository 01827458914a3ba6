// cond and switch_: of several functions one is run, which is decided while the program runs.
#pragma once

#include <dimity/transform/scan.hpp>

#include <tuple>
#include <utility>

namespace DIMITY_NAMESPACE {
namespace detail {

/// A condition counts as false or true, an index as it is.
template <bool IsCondition, class... F>
struct branch_function {
  template <class Index, class... Args>
  constexpr auto operator()(Index const& index, Args const&... args) const {
    ((void)sizeof(transformable_function<F>), ...);
    (void)sizeof(tree_rule<Index, Args...>);
    if constexpr (!(is_transformable<F> && ...) || !are_trees<Index, Args...>) {
      return no_result{};
    } else {
      (void)sizeof(loop_condition<tree_value_t<Index>>);
      using first = first_result<Args...>;
      using fit = first_unfit<branch_fit<first, std::remove_cvref_t<decltype(F{}(std::declval<tracer_tree_t<Args> const&>()...))>>...>;
      if constexpr (!loop_condition<tree_value_t<Index>>::value || is_failed_tree<first>) {
        return failed<float, shape<>>{};
      } else {
        (void)sizeof(typename fit::rule);
        if constexpr (!std::is_same_v<typename fit::rule, std::tuple<>>) return failed<float, shape<>>{};
        else if constexpr (is_traced_tree<Index> || (is_traced_tree<Args> || ...)) return run<first>(index, args...);
        else return compiled_call<branch_function>::call(index, args...);
      }
    }
  }

 private:
  template <class... Args>
  using first_result = std::remove_cvref_t<decltype(std::tuple_element_t<0, std::tuple<F...>>{}(std::declval<tracer_tree_t<Args> const&>()...))>;

  template <class First, class Index, class... Args>
  static constexpr auto run(Index const& index, Args const&... args) {
    builder& g = *program_of_tree(std::tie(index, args...));
    list<ref> head, operands, results;
    push_leaves(g, index, head);
    (push_leaves(g, args, operands), ...);
    list<std::int32_t> inner, outputs;
    list<shape_value> const shapes = shapes_of(operands);
    list<ref> first;
    std::tuple<tracer_tree_t<Args>...> const own{block_inputs<tracer_tree_t<Args>>(g, shapes, inner, presence_of(args))...};
    std::tuple<decltype(call_with<F>(own, std::index_sequence_for<Args...>{}))...> const values{call_with<F>(own, std::index_sequence_for<Args...>{})...};
    auto const& one = std::get<0>(values);
    auto const record = [&](auto const& value) {
      list<ref> leaves;
      push_like(g, one, value, leaves);
      for (ref const& r : leaves) outputs.push(r.id);
      unify_shapes(g, first, leaves);
      if (first.size() == 0) first = static_cast<list<ref>&&>(leaves);
    };
    std::apply([&](auto const&... value) { (record(value), ...); }, values);
    list<control_input> inputs;
    for (int i = 0; i < operands.size(); ++i) inputs.push({inner[i], operands[i].id, -1});
    control c;
    c.kind = control_kind::branches;
    c.bodies = static_cast<std::int16_t>(sizeof...(F));
    c.head = (IsCondition ? as_condition(head[0]) : is_floating(head[0].type()) || head[0].type() == dtype::boolean ? cast(head[0], dtype::int32) : head[0]).id;
    ref const made = add_control(g, c, inputs, outputs);
    int const count = outputs.size() / c.bodies;
    for (int k = 0; k < count; ++k) results.push(control_result(made, k));
    int next = 0;
    return tree_from<tracer_tree_t<First>>(results, next, presence_of(one));
  }
};

}  // namespace detail

/// `yes(args...)` if the condition holds, `no(args...)` if not; only that one is run. Both return the same shapes and element types; the condition is one bool. Under vmap, with a condition of
/// its own for each entry, both are run and the right results selected. Reverse mode runs the branch taken once more instead of saving its intermediate values.
template <class Condition, class Yes, class No, class... Args>
constexpr auto cond(Condition const& condition, Yes const&, No const&, Args const&... args) {
  return detail::branch_function<true, No, Yes>{}(condition, args...);
}

/// `branches[index](args...)`, of a tuple of functions; an index that is out of range is moved to the nearest. Otherwise as cond().
template <class Index, class... F, class... Args>
constexpr auto switch_(Index const& index, std::tuple<F...> const&, Args const&... args) {
  return detail::branch_function<false, F...>{}(index, args...);
}

}  // namespace DIMITY_NAMESPACE
