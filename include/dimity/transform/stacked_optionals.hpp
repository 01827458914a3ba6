// Many values of one struct with optionals as one value: all entries have the same ones.
#pragma once

#include <dimity/core/stacked.hpp>

#include <memory>
#include <optional>

namespace DIMITY_NAMESPACE {
namespace detail {

/// The leaves of a tree with a leading axis, in a tuple; those of an optional in an optional tuple of their own, so that the order of optionals and leaves stays.
template <class X, extent_t N>
struct stacked_parts {
  template <class... P>
  static auto join(P const&... parts) -> decltype(std::tuple_cat(parts...));
  template <class Entry, std::size_t... I>
  static auto repeat(std::index_sequence<I...>) -> decltype(join(std::declval<typename stacked_parts<std::enable_if_t<(I + 1 > 0), Entry>, N>::type>()...));
  template <class... R>
  static auto fields(std::tuple<R...>*) -> decltype(join(std::declval<typename stacked_parts<std::remove_cvref_t<R>, N>::type>()...));
  template <class A, class B>
  static auto fields(std::pair<A, B>*) -> decltype(fields(static_cast<std::tuple<A, B>*>(nullptr)));
  static constexpr auto pick() {
    if constexpr (tree_leaf<X>) return std::type_identity<std::tuple<typename stacked_leaf<X, N>::type>>{};
    else if constexpr (is_optional<X>) return std::type_identity<std::tuple<std::optional<typename stacked_parts<typename X::value_type, N>::type>>>{};
    else if constexpr (static_leaf<X>) return std::type_identity<std::tuple<>>{};
    else if constexpr (is_array<X>) return std::type_identity<decltype(repeat<typename X::value_type>(std::make_index_sequence<std::tuple_size_v<X>>{}))>{};
    else if constexpr (is_tuple<X>) return std::type_identity<decltype(fields(static_cast<X*>(nullptr)))>{};
    else return std::type_identity<decltype(fields(static_cast<decltype(fields_of(std::declval<X&>()))*>(nullptr)))>{};
  }
  using type = typename decltype(pick())::type;
};

}  // namespace detail

/// As stacked of other structs. What is there is there in all entries.
template <class X, extent_t N>
  requires(detail::optional_count<X> > 0)
struct stacked<X, N> {
  using entry_type = X;
  typename detail::stacked_parts<X, N>::type leaves;

  static constexpr extent_t extent() { return N; }
  /// A copy of entry i.
  constexpr X get(extent_t i) const {
    int next = 0;
    auto make = [&]<class L>() {
      L leaf{};
      int at = 0;
      detail::for_each_leaf(leaves, [&](auto const& all) {
        if constexpr (std::is_same_v<typename detail::stacked_leaf<L, N>::type, std::remove_cvref_t<decltype(all)>>)
          if (at == next) copy(elements(all) + i * length(leaf), length(leaf), elements(leaf));
        ++at;
      });
      ++next;
      return leaf;
    };
    return detail::build_tree<X>(make, detail::presence_of(leaves));
  }
  /// Replaces entry i. Throws presence_error unless x has the optionals that the others have.
  constexpr void set(extent_t i, X const& x) {
    if (detail::presence_of(x) != detail::presence_of(leaves)) detail::fail<presence_error>("stacked: all entries must have the same optionals");
    int next = 0;
    detail::for_each_leaf(x, [&](auto const& leaf) {
      int at = 0;
      detail::for_each_leaf(leaves, [&](auto& all) {
        if constexpr (std::is_same_v<typename detail::stacked_leaf<std::remove_cvref_t<decltype(leaf)>, N>::type, std::remove_cvref_t<decltype(all)>>)
          if (at == next) copy(elements(leaf), length(leaf), elements(all) + i * length(leaf));
        ++at;
      });
      ++next;
    });
  }
  /// Room for entries with the optionals of x.
  static constexpr stacked like(X const& x) {
    auto make = [&]<class L>() { return L{}; };  // &: nvcc warns of the conversion to a function that lambdas without have
    return {detail::build_tree<decltype(leaves)>(make, detail::presence_of(x))};
  }

 private:
  template <class L>
  static constexpr auto* elements(L& leaf) {
    if constexpr (requires { leaf.data(); }) return leaf.data();
    else return std::addressof(leaf);
  }
  template <class L>
  static constexpr extent_t length(L const& leaf) {
    if constexpr (requires { leaf.data(); }) return static_cast<extent_t>(leaf.size());
    else return 1;
  }
  template <class T>
  static constexpr void copy(T const* from, extent_t count, T* to) {
    for (extent_t k = 0; k < count; ++k) to[k] = from[k];
  }
};

/// N values of one struct with optionals, all of which have the same ones (presence_error), from an array of them.
template <class X, std::size_t N>
  requires(detail::optional_count<X> > 0)
constexpr auto stack_trees(std::array<X, N> const& entries) {
  auto result = stacked<X, static_cast<extent_t>(N)>::like(entries[0]);
  for (std::size_t i = 0; i < N; ++i) result.set(static_cast<extent_t>(i), entries[i]);
  return result;
}

}  // namespace DIMITY_NAMESPACE
