// linearize and the two-step vjp: the function is traced once, its derivative applied as often as needed.
#pragma once

#include <dimity/transform/jvp.hpp>

#include <array>
#include <tuple>

namespace DIMITY_NAMESPACE {
namespace detail {

template <std::size_t N>
constexpr std::array<ref, N> as_array(list<ref> const& refs) {
  std::array<ref, N> a{};
  for (int i = 0; i < refs.size(); ++i) a[static_cast<std::size_t>(i)] = refs[i];
  return a;
}
template <std::size_t N>
constexpr list<ref> as_list(std::array<ref, N> const& refs) {
  list<ref> l;
  for (ref const& r : refs)
    if (r.valid()) l.push(r);
  return l;
}

/// The derivative of a traced function at a point: nodes between which both modes go.
template <class Inputs, class Value>
struct traced_derivative {
  std::array<ref, static_cast<std::size_t>(leaf_count<Inputs>)> inputs;
  std::array<ref, static_cast<std::size_t>(leaf_count<Value>)> outputs;
  presence inputs_there, outputs_there;

  constexpr builder& program() const { return *inputs[0].g; }
  template <class Tangents>
  constexpr auto push(Tangents const& tangents) const {
    return through<Inputs, Value>(tangents, inputs_there, outputs_there, [this](list<ref> const& seeds) { return forward(program(), as_list(inputs), seeds, as_list(outputs)); });
  }
  template <class Cotangent>
  constexpr auto pull(Cotangent const& cotangent) const {
    return through<Value, Inputs>(cotangent, outputs_there, inputs_there, [this](list<ref> const& seeds) { return reverse(program(), as_list(outputs), seeds, as_list(inputs)); });
  }

 private:
  template <class To>
  constexpr auto const& own_nodes() const {
    if constexpr (std::is_same_v<To, Inputs>) return inputs;
    else return outputs;
  }
  template <class From, class To, class X, class Pass>
  constexpr auto through(X const& x, presence from, presence to, Pass const& pass) const {
    using fit = tangent_tree<leaves_t<From>, leaves_t<tree_value_t<X>>>;
    (void)sizeof(typename fit::rule);
    if constexpr (!fit::value) {
      return no_result{};
    } else {
      list<ref> seeds;
      int next = 0;
      if (!is_one_presence<From, X>(program(), from, presence_of(x))) return tree_from<To>(as_list(own_nodes<To>()), next, to);
      push_leaves(program(), x, seeds);
      list<ref> const result = pass(seeds);
      return tree_from<To>(result, next, to);
    }
  }
};
template <class Inputs, class Value>
struct traced_push {
  traced_derivative<Inputs, Value> derivative;
  template <class... Tangents>
  constexpr auto operator()(Tangents const&... tangents) const {
    return derivative.push(std::tuple<Tangents const&...>(tangents...));
  }
};
template <class Inputs, class Value>
struct traced_pull {
  traced_derivative<Inputs, Value> derivative;
  template <class Cotangent>
  constexpr auto operator()(Cotangent const& cotangent) const {
    return derivative.pull(cotangent);
  }
};
/// The same outside of traced functions, where intermediate values have no place to stay: from the arguments, each time.
template <class F, class Primals>
struct kept_push {
  Primals primals;
  template <class... Tangents>
  auto operator()(Tangents const&... tangents) const {
    return std::get<1>(jvp(F{}, primals, std::tuple<Tangents...>(tangents...)));
  }
};
template <class F, class Primals>
struct kept_pull {
  Primals primals;
  template <class Cotangent>
  auto operator()(Cotangent const& cotangent) const {
    return std::get<1>(vjp(F{}, primals, cotangent));
  }
};

template <template <class, class> class Map, template <class, class> class Kept, class F, class... Primals>
constexpr auto value_and_map(std::tuple<Primals...> const& primals) {
  (void)sizeof(transformable_function<F>);
  (void)sizeof(tree_rule<Primals...>);
  if constexpr (!is_transformable<F> || !are_trees<Primals...>) {
    return std::tuple<no_result, no_result>{};
  } else if constexpr (is_traced_tree<std::tuple<Primals...>>) {
    builder& g = *program_of_tree(primals);
    list<ref> inputs, outputs;
    auto const own = with_own_identity(g, as_tracers(g, primals), inputs);
    auto const value = std::apply(F{}, own);
    using V = std::remove_cvref_t<decltype(as_tracers(g, value))>;
    using I = std::remove_cvref_t<decltype(own)>;
    push_leaves(g, value, outputs);
    return std::tuple<V, Map<I, V>>{as_tracers(g, value), Map<I, V>{{as_array<static_cast<std::size_t>(leaf_count<I>)>(inputs), as_array<static_cast<std::size_t>(leaf_count<V>)>(outputs), presence_of(own), presence_of(value)}}};
  } else {
    using P = std::tuple<tree_value_t<Primals>...>;
    P const values(primals);
    auto value = std::apply([](auto const&... p) { return compile(F{})(p...); }, values);
    return std::tuple<decltype(value), Kept<F, P>>{value, Kept<F, P>{values}};
  }
}

}  // namespace detail

/// The value of f and its derivative there as a function of tangents: `auto [y, push] = linearize(f, x, w); auto dy = push(dx, dw);`, as often as wanted. Inside a traced function all calls
/// share what f computed; outside, each call runs jvp.
template <class F, class... Primals>
constexpr auto linearize(F const&, Primals const&... primals) {
  return detail::value_and_map<detail::traced_push, detail::kept_push, F>(std::tuple<Primals...>(primals...));
}
/// The value of f and its derivative there as a function of cotangents: `auto [y, pull] = vjp(f, std::tuple{x, w}); auto [gx, gw] = pull(u);`, as often as wanted. Inside a traced function all
/// calls share what f computed; outside, each call runs vjp from the start.
template <class F, class... Primals>
constexpr auto vjp(F const&, std::tuple<Primals...> const& primals) {
  return detail::value_and_map<detail::traced_pull, detail::kept_pull, F>(primals);
}

}  // namespace DIMITY_NAMESPACE
