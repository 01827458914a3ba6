// vmap: a function of one example becomes a function of many, as in JAX. The batch is an axis of the program, not a loop around it.
#pragma once

#include <dimity/core/stacked.hpp>
#include <dimity/expr/rules.hpp>
#include <dimity/program/batching.hpp>
#include <dimity/transform/jvp.hpp>

#include <array>
#include <optional>
#include <tuple>
#include <utility>

namespace DIMITY_NAMESPACE {

/// Passed to vmap(): the argument is the same for all entries.
struct whole_t {};
inline constexpr whole_t whole{};
/// Passed to vmap(): the entries lie along the first axis, the same as `axis<0>`.
inline constexpr axis_set<0> mapped{};

namespace detail {

template <class In>
inline constexpr int mapped_axis = -1;
template <int A>
inline constexpr int mapped_axis<axis_set<A>> = A;
template <class In>
inline constexpr bool is_mapping = std::is_same_v<In, whole_t>;
template <int A>
inline constexpr bool is_mapping<axis_set<A>> = true;

inline constexpr extent_t no_extent = INT64_MIN;
/// What several extents have in common, leaving out those that are no_extent: a number, then a name, then `dyn`. `other` is the first that does not fit.
template <extent_t... N>
struct common_extent {
  static constexpr extent_t all[sizeof...(N) + 1] = {N..., no_extent};
  static constexpr extent_t pick() {
    extent_t best = no_extent;
    for (extent_t const e : all)
      if (e != no_extent && (best == no_extent || best == dyn)) best = e;
    return best;
  }
  static constexpr extent_t value = pick();
  static constexpr extent_t find_other() {
    for (extent_t const e : all)
      if (e != no_extent && !may_be_equal(e, value)) return e;
    return value;
  }
  static constexpr extent_t other = find_other();
  static constexpr bool fits = other == value;
};

template <class Shape, int Axis>
struct shape_without;
template <extent_t... E, int Axis>
struct shape_without<shape<E...>, Axis> {
  static constexpr int axis = normalize_axis(Axis, static_cast<int>(sizeof...(E)));
  static constexpr extent_t extents[] = {E..., 0};
  template <int... I>
  static auto make(std::integer_sequence<int, I...>) -> shape<extents[I < axis ? I : I + 1]...>;
  using type = decltype(make(std::make_integer_sequence<int, static_cast<int>(sizeof...(E)) - 1>{}));
  static constexpr extent_t extent = extents[axis];
};

template <class X>
inline constexpr bool is_stacked = false;
template <class X, extent_t N>
inline constexpr bool is_stacked<stacked<X, N>> = true;

template <class X>
inline constexpr bool has_axes = false;
template <operand X>
inline constexpr bool has_axes<X> = true;
template <class X>
struct vmap_argument {
  static_assert(has_axes<X>, "[dimity.vmap.1] vmap: a struct has no axis to map; pass stacked<struct, n>, a tensor or a tuple of them, or mark the argument `whole`");
};
template <class X, int Axis>
struct vmap_axis {
  static_assert(Axis == 0, "[dimity.vmap.2] vmap: the entries of stacked<...> lie along axis 0");
};

/// Whether a tree can be mapped; if not, `rule` is the error for the first part that cannot.
template <class X, int Axis>
struct mapping_fit {
  static constexpr bool value = operand<X> ? has_axis<typename leaf_form<X>::shape, Axis> : is_stacked<X> && Axis == 0;
  using rule = std::conditional_t<operand<X>, axis_of_shape<typename leaf_form<X>::shape, Axis>, std::conditional_t<is_stacked<X>, vmap_axis<X, Axis>, vmap_argument<X>>>;
};
template <int Axis>
struct mapping_fit<std::tuple<>, Axis> {
  static constexpr bool value = true;
  using rule = std::tuple<>;
};
template <class X, class... Rest, int Axis>
struct mapping_fit<std::tuple<X, Rest...>, Axis> {
  using first = mapping_fit<std::remove_cvref_t<X>, Axis>;
  using rest = mapping_fit<std::tuple<Rest...>, Axis>;
  static constexpr bool value = first::value && rest::value;
  using rule = typename std::conditional_t<first::value, rest, first>::rule;
};
template <class A, class B, int Axis>
struct mapping_fit<std::pair<A, B>, Axis> : mapping_fit<std::tuple<A, B>, Axis> {};
template <class X, std::size_t N, int Axis>
struct mapping_fit<std::array<X, N>, Axis> : mapping_fit<X, Axis> {};
template <class X, int Axis>
struct mapping_fit<std::optional<X>, Axis> : mapping_fit<X, Axis> {};
template <class X, class Mapping>
struct argument_fit {
  static constexpr bool value = true;
  using rule = std::tuple<>;
};
template <class X, int A>
struct argument_fit<X, axis_set<A>> : mapping_fit<X, A> {};
/// An argument tree that fits with its mapped axis taken away, and the extent of that axis (no_extent where a tree has no leaves).
template <class X, int Axis>
struct entry_tree {
  static constexpr auto pick() {
    if constexpr (operand<X>) {
      return std::type_identity<typename tracer_of<element_of<X>, typename shape_without<shape_of<X>, Axis>::type>::type>{};
    } else {
      return std::type_identity<traced_tree_t<typename X::entry_type>>{};
    }
  }
  using type = typename decltype(pick())::type;
  static constexpr extent_t find_extent() {
    if constexpr (operand<X>) return shape_without<shape_of<X>, Axis>::extent;
    else return X::extent();
  }
  static constexpr extent_t extent = find_extent();
};
template <class... X, int Axis>
struct entry_tree<std::tuple<X...>, Axis> {
  using type = std::tuple<typename entry_tree<std::remove_cvref_t<X>, Axis>::type...>;
  static constexpr extent_t extent = [] {
    extent_t n = no_extent;
    ((n = n == no_extent ? entry_tree<std::remove_cvref_t<X>, Axis>::extent : n), ...);
    return n;
  }();
};
template <class A, class B, int Axis>
struct entry_tree<std::pair<A, B>, Axis> {
  using type = std::pair<typename entry_tree<A, Axis>::type, typename entry_tree<B, Axis>::type>;
  static constexpr extent_t extent = entry_tree<std::tuple<A, B>, Axis>::extent;
};
template <class X, std::size_t N, int Axis>
struct entry_tree<std::array<X, N>, Axis> {
  using type = std::array<typename entry_tree<X, Axis>::type, N>;
  static constexpr extent_t extent = entry_tree<X, Axis>::extent;
};

template <class X, int Axis>
struct entry_tree<std::optional<X>, Axis> {
  using type = std::optional<typename entry_tree<X, Axis>::type>;
  static constexpr extent_t extent = entry_tree<X, Axis>::extent;
};

template <extent_t First, class Shape>
struct joined_extent;
template <extent_t First, extent_t... E>
struct joined_extent<First, shape<E...>> {
  using type = shape<First, E...>;
};
/// A result tree with the batch as axis 0 of every tensor.
template <class X, extent_t N>
struct batched_tree {
  static constexpr auto pick() {
    if constexpr (operand<X>) return std::type_identity<typename tracer_of<element_of<X>, typename joined_extent<N, shape_of<X>>::type>::type>{};
    else if constexpr (tree_leaf<X>) return std::type_identity<tensor<traced<X>, N>>{};
    else return std::type_identity<stacked<X, N>>{};
  }
  using type = typename decltype(pick())::type;
};
template <class... X, extent_t N>
struct batched_tree<std::tuple<X...>, N> {
  using type = std::tuple<typename batched_tree<std::remove_cvref_t<X>, N>::type...>;
};
template <class A, class B, extent_t N>
struct batched_tree<std::pair<A, B>, N> {
  using type = std::pair<typename batched_tree<A, N>::type, typename batched_tree<B, N>::type>;
};
template <class X, std::size_t M, extent_t N>
struct batched_tree<std::array<X, M>, N> {
  using type = std::array<typename batched_tree<X, N>::type, M>;
};
template <class X, extent_t N>
struct batched_tree<std::optional<X>, N> {
  using type = std::optional<typename batched_tree<X, N>::type>;
};

constexpr ref axis_to_front(ref x, int axis) {
  axis_map order;
  order.set(0, axis);
  for (int i = 1; i < x.rank(); ++i) order.set(i, i <= axis ? i - 1 : i);
  return transpose(x, order);
}

template <int Marks, int Arguments>
struct vmap_marks {
  static_assert(Marks == Arguments, "[dimity.vmap.3] vmap: one mark (mapped, axis<k>, whole) for each argument, or none at all (marks, arguments)");
};
/// All mapped arguments of one call have the same number of entries.
template <extent_t First, extent_t Other>
struct vmap_entries {
  static_assert(First == Other, "[dimity.vmap.4] vmap: all mapped arguments need the same number of entries");
};
template <extent_t N>
struct vmap_nothing {
  static constexpr int mapped = N == no_extent ? 0 : 1;
  static_assert(mapped >= 1, "[dimity.vmap.5] vmap: at least one argument must be mapped");
};

template <class X, class Mapping>
inline constexpr extent_t entries_of = no_extent;
template <class X, int A>
inline constexpr extent_t entries_of<X, axis_set<A>> = entry_tree<X, A>::extent;

/// The marks as given, or `mapped` for each argument where none were.
template <int Count, class... In>
struct marks_of {
  using type = std::tuple<In...>;
};
template <int Count>
struct marks_of<Count> {
  template <int... I>
  static auto make(std::integer_sequence<int, I...>) -> std::tuple<axis_set<I * 0>...>;
  using type = decltype(make(std::make_integer_sequence<int, Count>{}));
};

/// Whether a call fits together: `rule` is its first error.
template <class Marks, class... Args>
struct vmap_call {
  static constexpr bool value = false;
  static constexpr extent_t entries = no_extent;
  using rule = vmap_marks<static_cast<int>(std::tuple_size_v<Marks>), static_cast<int>(sizeof...(Args))>;
};
template <class... In, class... Args>
  requires(sizeof...(In) == sizeof...(Args) && !(argument_fit<Args, In>::value && ...))
struct vmap_call<std::tuple<In...>, Args...> {
  static constexpr bool value = false;
  static constexpr extent_t entries = no_extent;
  using rule = typename first_unfit<argument_fit<Args, In>...>::rule;
};
template <class... In, class... Args>
  requires(sizeof...(In) == sizeof...(Args) && (argument_fit<Args, In>::value && ...))
struct vmap_call<std::tuple<In...>, Args...> {
  using extents = common_extent<entries_of<Args, In>...>;
  static constexpr extent_t entries = extents::value, other = extents::other;
  static constexpr bool value = entries != no_extent && extents::fits;
  using rule = std::conditional_t<(entries == no_extent), vmap_nothing<entries>, vmap_entries<entries, other>>;
};

template <class F, class... In>
struct vmap_function {
  template <class... Args>
  constexpr auto operator()(Args const&... args) const {
    (void)sizeof(transformable_function<F>);
    (void)sizeof(tree_rule<Args...>);
    if constexpr (!is_transformable<F> || !are_trees<Args...>) {
      return no_result{};
    } else {
      using marks = typename marks_of<static_cast<int>(sizeof...(Args)), In...>::type;
      using call = vmap_call<marks, tree_value_t<Args>...>;
      (void)sizeof(typename call::rule);
      if constexpr (!call::value) return no_result{};
      else if constexpr ((is_traced_tree<Args> || ...)) return run<call::entries, marks>(std::make_index_sequence<sizeof...(Args)>{}, args...);
      else return compiled_call<vmap_function>::call(args...);
    }
  }

 private:
  template <class Mapping, class X>
  static constexpr auto entry_of(builder& g, X const& x, list<ref>& placeholders, list<ref>& batched) {
    if constexpr (std::is_same_v<Mapping, whole_t>) {
      return as_tracers(g, x);
    } else {
      constexpr int axis = mapped_axis<Mapping>;
      list<ref> given;
      push_leaves(g, x, given);
      int next = 0;
      // A node of its own stands for one entry while the function is traced; batch() then puts all entries in its place.
      auto make = [&]<class L>() {
        ref const all = axis_to_front(given[next], normalize_axis(axis, given[next].rank()));
        ++next;
        shape_value const s = entry_shape(all.shape());
        ref const zero = full(g, all.type(), s, 0), own = append(g, primitive::copy, all.type(), s, zero.id);
        placeholders.push(own);
        batched.push(all);
        return leaf_from<L>(own);
      };
      return build_tree<typename entry_tree<tree_value_t<X>, axis>::type>(make, presence_of(x));
    }
  }
  template <extent_t N, class Marks, std::size_t... I, class... Args>
  static constexpr auto run(std::index_sequence<I...>, Args const&... args) {
    builder& g = *program_of_tree(std::tie(args...));
    list<ref> placeholders, batched, outputs;
    auto const entry = [&]<class Mark>(Mark, auto const& x) { return entry_of<Mark>(g, x, placeholders, batched); };
    std::tuple<decltype(entry(std::tuple_element_t<I, Marks>{}, args))...> const own{entry(std::tuple_element_t<I, Marks>{}, args)...};
    for (ref const& x : batched) g.unify(batched[0].extent(0), x.extent(0));
    auto const value = call_with<F>(own, std::index_sequence_for<Args...>{});
    using V = std::remove_cvref_t<decltype(value)>;
    if constexpr (is_failed_tree<V>) {
      return value;
    } else {
      push_leaves(g, value, outputs);
      amount entries = N < 0 ? 0 : N;
      if (batched.size() > 0) entries = batched[0].extent(0);
      else if (N < 0) g.error = program_error::presence_differs;  // how many entries something has that is not there nobody knows
      list<ref> const result = batch(g, placeholders, batched, outputs, entries);
      int next = 0;
      return tree_from<typename batched_tree<V, N>::type>(result, next, presence_of(value));
    }
  }
};

}  // namespace detail

/// f applied to every entry of its arguments at once: `vmap(f)(xs, ys)` maps axis 0 of every argument, `vmap<mapped, whole, axis<1>>(f)` axis 0 of the first, nothing
/// of the second and axis 1 of the third. Entries of the result lie along its axis 0. Tensors lose and gain the axis; structs are passed and returned as
/// stacked<struct, n>; tuples, pairs, arrays and optionals are mapped element by element. Composes with every other transform, also with itself.
// cvref: what nvcc hands to g++ names the marks by reference.
template <auto... In, class F>
constexpr detail::vmap_function<F, std::remove_cvref_t<decltype(In)>...> vmap(F const&) {
  static_assert((detail::is_mapping<std::remove_cvref_t<decltype(In)>> && ...), "vmap: the marks are mapped, axis<k> and whole");
  return {};
}

}  // namespace DIMITY_NAMESPACE
