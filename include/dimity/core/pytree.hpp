// Pytrees: tensors and scalars, and structs, arrays, tuples, pairs and optionals of them to any depth. What functions that are transformed take and return.
#pragma once

#include <dimity/core/error.hpp>
#include <dimity/core/fields.hpp>
#include <dimity/core/tensor.hpp>

#include <array>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <tuple>
#include <utility>

namespace DIMITY_NAMESPACE {

template <class T>
struct traced;

/// Trees that belong together (a model and its gradient, a value and its tangent, a loop's state before and after an iteration) of which one has an optional that another lacks; or
/// something that is not there and would have to be.
struct presence_error : error {
  using error::error;
};

template <class X, extent_t N>
struct stacked;

/// Says what a type becomes when its scalar type is mapped by Map (a template with a member `type`). Specialise it for a class that
/// is not a template over its scalar.
template <class X, template <class> class Map>
struct rebind_tree;

namespace detail {

template <class X>
inline constexpr bool is_array = false;
template <class X, std::size_t N>
inline constexpr bool is_array<std::array<X, N>> = true;
template <class X>
inline constexpr bool is_tuple = false;
template <class... X>
inline constexpr bool is_tuple<std::tuple<X...>> = true;
template <class A, class B>
inline constexpr bool is_tuple<std::pair<A, B>> = true;
template <class X>
inline constexpr bool is_optional = false;
template <class X>
inline constexpr bool is_optional<std::optional<X>> = true;

/// Leaves are tensors (in any form) and scalars.
template <class X>
concept tree_leaf = operand<X> || std::is_arithmetic_v<std::remove_cvref_t<X>> || is_storage_float(dtype_of<std::remove_cvref_t<X>>) || is_dual_number(dtype_of<std::remove_cvref_t<X>>);

/// Passed on as it is: no state that could be differentiated or traced.
template <class X>
concept static_leaf = std::is_empty_v<X> && !is_tuple<X>;

template <class X, template <class> class Map>
struct rebind_argument {
  using type = X;
};
template <class X, template <class> class Map>
  requires(element<X> || std::is_class_v<X>)
struct rebind_argument<X, Map> {
  static constexpr auto pick() {
    if constexpr (element<X>) return std::type_identity<typename Map<X>::type>{};
    else return std::type_identity<typename rebind_tree<X, Map>::type>{};
  }
  using type = typename decltype(pick())::type;
};

}  // namespace detail

template <class X, template <class> class Map>
struct rebind_tree {
  using type = X;
};
template <class T, extent_t... E, template <class> class Map>
struct rebind_tree<tensor<T, E...>, Map> {
  using type = tensor<typename Map<T>::type, E...>;
};
template <class T, template <class> class Map>
struct rebind_tree<traced<T>, Map> {
  using type = typename Map<traced<T>>::type;
};
template <template <class...> class C, class... A, template <class> class Map>
  requires(!std::is_empty_v<C<A...>> && !operand<C<A...>>)
struct rebind_tree<C<A...>, Map> {
  using type = C<typename detail::rebind_argument<A, Map>::type...>;
};
template <template <class, auto...> class C, class A, auto... V, template <class> class Map>
  requires(sizeof...(V) > 0 && !std::is_empty_v<C<A, V...>> && !operand<C<A, V...>>)
struct rebind_tree<C<A, V...>, Map> {
  using type = C<typename detail::rebind_argument<A, Map>::type, V...>;
};
template <template <class, class, auto...> class C, class A, class B, auto... V, template <class> class Map>
  requires(sizeof...(V) > 0 && !std::is_empty_v<C<A, B, V...>> && !operand<C<A, B, V...>>)
struct rebind_tree<C<A, B, V...>, Map> {
  using type = C<typename detail::rebind_argument<A, Map>::type, typename detail::rebind_argument<B, Map>::type, V...>;
};

namespace detail {

/// Calls f on every leaf that is there, in order.
template <class X, class F>
constexpr void for_each_leaf(X& x, F&& f) {
  using T = std::remove_cv_t<X>;
  if constexpr (tree_leaf<T>) {
    f(x);
  } else if constexpr (is_array<T>) {
    for (auto& e : x) for_each_leaf(e, f);
  } else if constexpr (is_tuple<T>) {
    std::apply([&](auto&... e) { (for_each_leaf(e, f), ...); }, x);
  } else if constexpr (is_optional<T>) {
    if (x.has_value()) for_each_leaf(*x, f);
  } else if constexpr (!static_leaf<T>) {
    (void)sizeof(takes_apart<T>);
    if constexpr (can_take_apart<T>) std::apply([&](auto&... e) { (for_each_leaf(e, f), ...); }, fields_of(x));
  }
}

template <class X>
struct leaves_of;

/// Makes an X from its leaves, in order: `leaf.template operator()<L>()` gives the next one, of type L. Nothing is default-constructed, so
/// nothing is allocated that is not wanted. All optionals are made, unless `leaf` is asked (next_is_there).
template <class X, class F>
constexpr X build_tree(F& leaf);

template <class Tuple, class F, std::size_t... I>
constexpr Tuple build_tuple(F& leaf, std::index_sequence<I...>) {
  return Tuple{build_tree<std::tuple_element_t<I, Tuple>>(leaf)...};
}
template <class X, class References>
struct field_types;
template <class X, class... R>
struct field_types<X, std::tuple<R...>> {
  template <class F>
  static constexpr X build(F& leaf) {
    return X{build_tree<std::remove_cvref_t<R>>(leaf)...};
  }
};
template <class A, class F, std::size_t... I>
constexpr A build_array(F& leaf, std::index_sequence<I...>) {
  return A{{((void)I, build_tree<typename A::value_type>(leaf))...}};
}
template <class X, class F>
constexpr X build_tree(F& leaf) {
  if constexpr (tree_leaf<X>) {
    return leaf.template operator()<X>();
  } else if constexpr (is_array<X>) {
    return build_array<X>(leaf, std::make_index_sequence<std::tuple_size_v<X>>{});
  } else if constexpr (is_tuple<X>) {
    return build_tuple<X>(leaf, std::make_index_sequence<std::tuple_size_v<X>>{});
  } else if constexpr (is_optional<X>) {
    if constexpr (requires { leaf.next_is_there(1); })
      if (!leaf.next_is_there(leaves_of<X>::optionals)) return X();
    return X(build_tree<typename X::value_type>(leaf));
  } else if constexpr (static_leaf<X>) {
    return X{};
  } else {
    (void)sizeof(takes_apart<X>);
    return field_types<X, decltype(fields_of(std::declval<X&>()))>::build(leaf);
  }
}

/// Leaf types and their number, without a value.
template <class... L>
struct leaf_list {
  static constexpr int size = static_cast<int>(sizeof...(L));
};
template <class... Lists>
struct join_leaves {
  using type = leaf_list<>;
};
template <class... A>
struct join_leaves<leaf_list<A...>> {
  using type = leaf_list<A...>;
};
template <class... A, class... B, class... Rest>
struct join_leaves<leaf_list<A...>, leaf_list<B...>, Rest...> : join_leaves<leaf_list<A..., B...>, Rest...> {};

template <class X, std::size_t N>
struct repeat_leaves {
  template <std::size_t... I>
  static auto make(std::index_sequence<I...>) -> typename join_leaves<std::enable_if_t<(I + 1 > 0), X>...>::type;
  using type = decltype(make(std::make_index_sequence<N>{}));
};
template <class Tuple>
struct tuple_leaves;
template <class... R>
struct tuple_leaves<std::tuple<R...>> {
  using type = typename join_leaves<typename leaves_of<std::remove_cvref_t<R>>::type...>::type;
  static constexpr int optionals = (0 + ... + leaves_of<std::remove_cvref_t<R>>::optionals);
};
template <class A, class B>
struct tuple_leaves<std::pair<A, B>> : tuple_leaves<std::tuple<A, B>> {};
template <class X>
struct leaves_of {
  static constexpr auto pick() {
    if constexpr (tree_leaf<X>) return std::type_identity<leaf_list<X>>{};
    else if constexpr (is_array<X>) return std::type_identity<typename repeat_leaves<typename leaves_of<typename X::value_type>::type, std::tuple_size_v<X>>::type>{};
    else if constexpr (is_tuple<X>) return std::type_identity<typename tuple_leaves<X>::type>{};
    else if constexpr (is_optional<X>) return std::type_identity<typename leaves_of<typename X::value_type>::type>{};
    else if constexpr (static_leaf<X>) return std::type_identity<leaf_list<>>{};
    else if constexpr (can_take_apart<X>) return std::type_identity<typename tuple_leaves<decltype(fields_of(std::declval<X&>()))>::type>{};
    else {
      (void)sizeof(takes_apart<X>);
      return std::type_identity<leaf_list<>>{};
    }
  }
  using type = typename decltype(pick())::type;

  static constexpr int count_optionals() {
    if constexpr (tree_leaf<X> || static_leaf<X>) return 0;
    else if constexpr (is_array<X>) return static_cast<int>(std::tuple_size_v<X>) * leaves_of<typename X::value_type>::optionals;
    else if constexpr (is_tuple<X>) return tuple_leaves<X>::optionals;
    else if constexpr (is_optional<X>) return 1 + leaves_of<typename X::value_type>::optionals;
    else if constexpr (can_take_apart<X>) return tuple_leaves<decltype(fields_of(std::declval<X&>()))>::optionals;
    else return 0;
  }
  static constexpr int optionals = count_optionals();
};
template <class X>
using leaves_t = typename leaves_of<std::remove_cvref_t<X>>::type;
template <class X>
inline constexpr int leaf_count = leaves_t<X>::size;

/// The number of optionals in trees, those inside of others included.
template <class... X>
inline constexpr int optional_count = (0 + ... + leaves_of<std::remove_cvref_t<X>>::optionals);

/// Which optionals of trees are there: a bit each, in the order of the fields. What is inside of one that is not there is not there either.
using presence = std::uint64_t;
inline constexpr presence all_there = ~presence{0};
/// The bits of the next tree of several, which has `optionals` of them.
constexpr presence next_presence(presence all, int& at, int optionals) {
  at += optionals;
  return optionals > 0 ? all >> (at - optionals) : 0;
}

struct presence_reader {
  presence bits = 0;
  int at = 0;
  template <class X>
  constexpr void read(X const& x) {
    if constexpr (optional_count<X> == 0) {
    } else if constexpr (is_optional<X>) {
      if (x.has_value()) {
        bits |= presence{1} << at++;
        read(*x);
      } else {
        at += optional_count<X>;
      }
    } else if constexpr (is_array<X>) {
      for (auto const& e : x) read(e);
    } else if constexpr (is_tuple<X>) {
      std::apply([&](auto const&... e) { (read(e), ...); }, x);
    } else {
      std::apply([&](auto const&... e) { (read(e), ...); }, fields_of(x));
    }
  }
};
template <int Optionals>
struct optionals_of_a_tree {
  static_assert(Optionals <= 64, "[dimity.tree.5] a tree can have at most 64 optionals (optionals)");
};
/// Of several trees, one after the other.
template <class... X>
constexpr presence presence_of(X const&... x) {
  (void)sizeof(optionals_of_a_tree<optional_count<X...>>);
  presence_reader reader;
  if constexpr (optional_count<X...> > 0) (reader.read(x), ...);
  return reader.bits;
}

/// build_tree of what is there.
template <class F>
struct leaf_selection {
  F& leaf;
  presence bits;
  int at = 0;
  template <class L>
  constexpr L operator()() {
    return leaf.template operator()<L>();
  }
  constexpr bool next_is_there(int optionals) {
    bool const there = (bits >> at & 1u) != 0;
    at += there ? 1 : optionals;
    return there;
  }
};
template <class X, class F>
constexpr X build_tree(F& leaf, [[maybe_unused]] presence there) {
  if constexpr (optional_count<X> == 0) {
    return build_tree<X>(leaf);
  } else {
    leaf_selection<F> some{leaf, there};
    return build_tree<X>(some);
  }
}

/// Asked before a function is traced: the first type inside X that is no tree, or void. One error then stands for all that would follow.
template <class X>
struct tree_misfit;
template <class... X>
struct first_misfit {
  using type = void;
};
template <class X, class... Rest>
struct first_misfit<X, Rest...> {
  using mine = typename tree_misfit<std::remove_cvref_t<X>>::type;
  using type = typename std::conditional_t<std::is_void_v<mine>, first_misfit<Rest...>, std::type_identity<mine>>::type;
};
template <class... X>
struct first_misfit<std::tuple<X...>> : first_misfit<X...> {};
template <class X>
struct tree_misfit {
  static constexpr auto pick() {
    if constexpr (tree_leaf<X> || static_leaf<X>) return std::type_identity<void>{};
    else if constexpr (is_array<X> || is_optional<X>) return tree_misfit<typename X::value_type>{};
    else if constexpr (can_take_apart<X>) return first_misfit<decltype(fields_of(std::declval<X&>()))>{};
    else return std::type_identity<X>{};
  }
  using type = typename decltype(pick())::type;
};
template <class... X>
struct tree_misfit<std::tuple<X...>> : first_misfit<X...> {};
template <class A, class B>
struct tree_misfit<std::pair<A, B>> : first_misfit<A, B> {};
template <class... X>
inline constexpr bool are_trees = std::is_void_v<typename first_misfit<X...>::type>;
/// The rule of what is no tree, or nothing.
template <class... X>
using tree_rule = std::conditional_t<are_trees<X...>, leaf_list<>, takes_apart<typename first_misfit<X...>::type>>;

struct path_buffer {
  char text[256] = {};
  std::size_t size = 0;
  void push(std::string_view part) {
    if (size != 0 && size + 1 < sizeof(text)) text[size++] = '.';
    for (char c : part)
      if (size + 1 < sizeof(text)) text[size++] = c;
  }
};
template <class X, class F>
void for_each_named(X& x, path_buffer const& path, F& f) {
  using T = std::remove_cv_t<X>;
  auto const below = [&](std::string_view name) {
    path_buffer p = path;
    p.push(name);
    return p;
  };
  auto const number = [&](std::size_t i) {
    char digits[24];
    int const n = std::snprintf(digits, sizeof(digits), "%zu", i);
    return below(std::string_view(digits, static_cast<std::size_t>(n)));
  };
  if constexpr (tree_leaf<T>) {
    f(std::string_view(path.text, path.size), x);
  } else if constexpr (is_array<T>) {
    for (std::size_t i = 0; i < x.size(); ++i) for_each_named(x[i], number(i), f);
  } else if constexpr (is_tuple<T>) {
    [&]<std::size_t... I>(std::index_sequence<I...>) { (for_each_named(std::get<I>(x), number(I), f), ...); }(std::make_index_sequence<std::tuple_size_v<T>>{});
  } else if constexpr (is_optional<T>) {
    if (x.has_value()) for_each_named(*x, path, f);
  } else if constexpr (!static_leaf<T>) {
    (void)sizeof(takes_apart<T>);
    if constexpr (can_take_apart<T>) [&]<int... I>(std::integer_sequence<int, I...>) {
      auto fields = fields_of(x);
      if constexpr (requires { T::fields_are_unnamed; }) (for_each_named(std::get<I>(fields), path, f), ...);
      else (for_each_named(std::get<I>(fields), below(field_name<T, I>()), f), ...);
    }(std::make_integer_sequence<int, field_count<T>>{});
  }
}

template <class T>
struct to_traced {
  using type = traced<T>;
};
template <class T>
struct to_traced<traced<T>> {
  using type = traced<T>;
};
template <class T>
struct from_traced {
  using type = T;
};
template <class T>
struct from_traced<traced<T>> {
  using type = T;
};

}  // namespace detail

/// Optionals stay optionals: see dimity/transform/stacked_optionals.hpp.
template <class X, extent_t N>
  requires(detail::optional_count<X> > 0)
struct stacked<X, N>;

/// Calls f(name, leaf) for every tensor of a model that is there; names are field names joined by dots: "blocks.1.weight". Fields of a struct with a static member `fields_are_unnamed` are
/// left out of them.
template <class X, class F>
void for_each_parameter(X& x, F&& f) {
  (void)sizeof(detail::tree_rule<std::remove_cv_t<X>>);
  if constexpr (detail::are_trees<X>) detail::for_each_named(x, detail::path_buffer{}, f);
}

/// The number of elements of all tensors in a model; what is not there has none.
template <class X>
constexpr std::size_t parameter_count(X const& x) {
  (void)sizeof(detail::tree_rule<X>);
  std::size_t n = 0;
  if constexpr (detail::are_trees<X>)
    detail::for_each_leaf(x, [&](auto const& leaf) {
      if constexpr (operand<decltype(leaf)>) n += leaf.size();
      else ++n;
    });
  return n;
}

}  // namespace DIMITY_NAMESPACE
