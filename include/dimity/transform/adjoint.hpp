// odeint and its adjoint: reverse mode solves another differential equation, backwards in time, instead of saving the steps.
#pragma once

#include <dimity/expr/indexing.hpp>
#include <dimity/transform/custom.hpp>
#include <dimity/transform/odeint.hpp>

namespace DIMITY_NAMESPACE {
namespace detail {

/// The floating leaves of trees as one vector, and back.
constexpr ref packed(list<ref> const& leaves) {
  ref all;
  for (ref const& x : leaves)
    if (is_floating(x.type()) && !(x.shape().size() == 0)) all = all.valid() ? concat(all, flat(x), 0) : flat(x);
  return all;
}
template <class... Leaf>
constexpr extent_t floating_size(leaf_list<Leaf...>) {
  return (extent_t{0} + ... + (is_floating(dtype_of<typename leaf_form<Leaf>::element>) ? leaf_form<Leaf>::shape::size : 0));
}
/// A vector with zeros behind it, as long as if everything were there.
constexpr ref lengthened(ref x, extent_t size) {
  extent_t const missing = size - x.extent(0).number();
  if (missing == 0) return x;
  shape_value s;
  s.push(missing);
  return concat(x, full(*x.g, x.type(), s, 0), 0);
}
template <class T, extent_t N>
constexpr auto vector_of(ref x) {
  return tensor<traced<T>, N>(x);
}

/// y, the cotangent of y, that of the time, those of the parameters, side by side: how they change with time. The cotangents by the adjoint equation a' = -a df/dy, and the integrals of -a df/dt and -a df/dp
/// (Pontryagin; Chen et al., Neural Ordinary Differential Equations, 2018).
template <class F, class Y>
struct adjoint_equation {
  static constexpr extent_t m = shape_of<Y>::size;
  template <class Z, class T, class... P>
  constexpr auto operator()(Z const& z, T const& t, P const&... p) const {
    builder& g = *program_of_tree(std::tie(z, t, p...));
    ref const all = trace_operand(g, z);
    shape_value const s = shape_value_of<shape_of<Y>>::value;
    auto const y = leaf_from<Y>(reshape(slice_axis(all, 0, 0, m), s));
    auto const a = leaf_from<Y>(reshape(slice_axis(all, 0, m, m), s));
    auto const [slope, pulled] = vjp_call<F>{}(std::tuple<Y, T, P...>(y, t, p...), a);
    list<ref> parts, cotangents;
    push_leaves(g, slope, parts);
    push_leaves(g, pulled, cotangents);
    for (ref const& c : cotangents) parts.push(is_floating(c.type()) ? -c : c);
    return Z(lengthened(packed(parts), shape_of<Z>::size));
  }
};
/// One interval backwards.
template <class F, class Y, ode_options O>
struct adjoint_interval {
  static constexpr extent_t m = shape_of<Y>::size;
  template <class State, class Entry, class... P>
  constexpr auto operator()(State const& s, Entry const& entry, P const&... p) const {
    auto const& [a, rest, h] = s;
    auto const& [y, u, begin, end] = entry;
    builder& g = *program_of_tree(std::tie(s, entry, p...));
    auto const slope_at_end = F{}(y, end, p...);
    ref const time_cotangent = reduce(primitive::sum, flat(trace_operand(g, slope_at_end) * trace_operand(g, u)), 1u);
    ref const r = trace_operand(g, rest);
    shape_value one;
    one.push(1);
    list<ref> parts;
    parts.push(trace_operand(g, y));
    parts.push(trace_operand(g, a) + trace_operand(g, u));
    parts.push(slice_axis(r, 0, 0, 1) - reshape(time_cotangent, one));
    if (r.extent(0).number() > 1) parts.push(slice_axis(r, 0, 1, r.extent(0).number() - 1));
    using element = element_of<Y>;
    constexpr extent_t size = 2 * m + shape_of<std::remove_cvref_t<decltype(rest)>>::size;
    auto const z = vector_of<element, size>(packed(parts));
    auto const after = std::get<0>(adaptive_interval<adjoint_equation<F, Y>, O>{}(std::pair{z, h}, std::pair{end, begin}, p...));
    ref const all = trace_operand(g, after.first);
    auto const next_a = leaf_from<std::remove_cvref_t<decltype(a)>>(reshape(slice_axis(all, 0, m, m), shape_value_of<shape_of<Y>>::value));
    auto const next_rest = leaf_from<std::remove_cvref_t<decltype(rest)>>(slice_axis(all, 0, 2 * m, size - 2 * m));
    return std::tuple{std::tuple{next_a, next_rest, after.second}, tensor<traced<element>>(time_cotangent)};
  }
};
/// What odeint's solutions get: they are the first argument, and their derivative is that of a solution.
struct keep_solution {
  template <class Ys, class... Args>
  constexpr auto operator()(Ys const& ys, Args const&...) const {
    return ys;
  }
};
template <class F, ode_options O>
struct ode_rule {
  template <class Arguments, class Tangents>
  static constexpr auto push(Arguments const& arguments, Tangents const& tangents) {
    return push_from(arguments, tangents, std::make_index_sequence<std::tuple_size_v<Arguments> - 1>{});
  }
  template <class Arguments, class Tangents, std::size_t... I>
  static constexpr auto push_from(Arguments const& arguments, Tangents const& tangents, std::index_sequence<I...>) {
    return std::get<1>(jvp_call<ode_solver<F, O>>{}(std::tuple{std::get<I + 1>(arguments)...}, std::tuple{std::get<I + 1>(tangents)...}));
  }

  template <class Arguments, class Cotangent>
  static constexpr auto pull(Arguments const& arguments, Cotangent const& u) {
    return std::apply([&](auto const& ys, auto const& y0, auto const& ts, auto const&... p) { return run(u, ys, y0, ts, p...); }, arguments);
  }
  template <class U, class Ys, class Y, class Ts, class... P>
  static constexpr auto run(U const& u, Ys const& ys, Y const& y0, Ts const& ts, P const&... p) {
    builder& g = *program_of_tree(std::tie(ys, y0, ts, p...));
    using element = element_of<Y>;
    constexpr extent_t n = shape_of<Ts>::size, parameters = floating_size(leaves_t<std::tuple<P...>>{});
    auto const zero = leaf_from<Y>(zeros_like(trace_operand(g, y0)));
    shape_value rest_shape;
    rest_shape.push(1 + parameters);
    auto const rest = vector_of<element, 1 + parameters>(full(g, dtype_of<element>, rest_shape, 0));
    auto const none = tensor<traced<element>>(constant(g, dtype_of<element>, 0));
    auto const [begins, ends] = intervals(ts);
    auto const entries = std::tuple{slice<0, 1, n>(ys), slice<0, 1, n>(u), begins, ends};
    auto const [last, time_cotangents] = scan_function<adjoint_interval<F, Y, O>, scan_options{.reverse = true}>{}(std::tuple{zero, rest, none}, entries, p...);
    auto const& [a, left, h] = last;
    ref const l = trace_operand(g, left);
    list<ref> cotangents;
    cotangents.push(zeros_like(trace_operand(g, ys)));
    cotangents.push(trace_operand(g, a) + trace_operand(g, pick<0>(u, std::int32_t{0})));
    cotangents.push(cast(concat(slice_axis(l, 0, 0, 1), trace_operand(g, time_cotangents), 0), trace_operand(g, ts).type()));
    list<ref> given;
    (push_leaves(g, p, given), ...);
    extent_t at = 1;
    for (ref const& x : given) {
      extent_t const size = x.shape().size().number();
      bool const has = is_floating(x.type()) && size > 0;
      cotangents.push(has ? reshape(slice_axis(l, 0, at, size), x.shape()) : zeros_like(x));
      if (has) at += size;
    }
    int next = 0;
    return tree_from<std::tuple<Ys, Y, Ts, P...>>(cotangents, next, presence_of(ys, y0, ts, p...));
  }
};
/// A rule for both modes.
template <class Rule, class Value, class... Args>
struct both_thunk {
  static constexpr void pull(builder& g, ref const* inputs, ref const* cotangents, ref* results, presence there, presence value_there) {
    put_all_leaves<Args...>(g, Rule::pull(tree_at<std::tuple<Args...>>(inputs, there), tree_at<Value>(cotangents, value_there)), results, there);
  }
  static constexpr void push(builder& g, ref const* inputs, ref const* tangents, ref* results, presence there, presence value_there) {
    put_leaves<Value>(g, Rule::push(tree_at<std::tuple<Args...>>(inputs, there), tree_at<std::tuple<Args...>>(tangents, there)), results, value_there);
  }
};

template <class F, ode_options O>
struct ode_function {
  template <class Y, class Ts, class... P>
  constexpr auto operator()(Y const& y, Ts const& ts, P const&... p) const {
    (void)sizeof(transformable_function<F>);
    (void)sizeof(root_argument<tree_value_t<Y>>);
    (void)sizeof(ode_times<Y, tree_value_t<Ts>>);
    (void)sizeof(tree_rule<P...>);
    if constexpr (!is_transformable<F> || !(operand<Y> || std::is_arithmetic_v<Y>) || !ode_times<Y, tree_value_t<Ts>>::value || !are_trees<P...>) {
      return no_result{};
    } else {
      using time = tensor<traced<element_of<tree_value_t<Ts>>>>;
      using D = std::remove_cvref_t<decltype(F{}(std::declval<tracer_tree_t<Y> const&>(), std::declval<time const&>(), std::declval<tracer_tree_t<P> const&>()...))>;
      if constexpr (is_failed<D>) {
        return D{};
      } else {
        (void)sizeof(ode_derivative<tree_value_t<Y>, tree_value_t<D>>);
        if constexpr (!have_one_form<tree_value_t<Y>, tree_value_t<D>>) return no_result{};
        else if constexpr (is_traced_tree<Y> || is_traced_tree<Ts> || (is_traced_tree<P> || ...)) return run(y, ts, p...);
        else return compiled_call<ode_function>::call(y, ts, p...);
      }
    }
  }

 private:
  template <class Y, class Ts, class... P>
  static constexpr auto run(Y const& y, Ts const& ts, P const&... p) {
    builder& g = *program_of_tree(std::tie(y, ts, p...));
    if constexpr (O.method == ode_method::rk4) {
      return ode_solver<F, O>{}(as_tracers(g, y), as_tracers(g, ts), as_tracers(g, p)...);
    } else {
      auto const ys = ode_solver<F, O>{}(stopped(g, y), stopped(g, ts), stopped(g, p)...);
      return with_own_derivative<both_thunk, keep_solution, ode_rule<F, O>>(stopped(g, ys), as_tracers(g, y), as_tracers(g, ts), as_tracers(g, p)...);
    }
  }
};

}  // namespace detail

/// The solution of dy/dt = f(y, t, parameters...) with y(ts[0]) = y0, at the times ts [n], rising or falling: [n, shape of y]. y is one tensor or a scalar (ravel() packs several), and f returns one like it; parameters are trees.
/// dormand_prince chooses its steps; reverse mode solves the adjoint equation backwards in time from each of the times, with the same tolerances, and saves nothing but the result (derivatives with respect to y0, ts and parameters);
/// forward mode goes through the steps. rk4 makes options.steps steps between two times; both modes go through them, and reverse mode saves them.
template <ode_options Options = ode_options{}, class F, class Y, class Ts, class... P>
constexpr auto odeint(F const&, Y const& y0, Ts const& ts, P const&... parameters) {
  return detail::ode_function<F, Options>{}(y0, ts, parameters...);
}

}  // namespace DIMITY_NAMESPACE
