// Many values of one struct as one value: every tensor of it gets a leading axis.
#pragma once

#include <dimity/core/pytree.hpp>
#include <dimity/core/tensor.hpp>

#include <tuple>

namespace DIMITY_NAMESPACE {
namespace detail {

template <class Leaf, extent_t N>
struct stacked_leaf;
template <class T, extent_t... E, extent_t N>
struct stacked_leaf<tensor<T, E...>, N> {
  using type = tensor<T, N, E...>;
};
template <class T, extent_t N>
  requires(!requires { typename T::shape_type; })
struct stacked_leaf<T, N> {
  using type = tensor<T, N>;
};
template <class List, extent_t N>
struct stacked_leaves;
template <class... L, extent_t N>
struct stacked_leaves<leaf_list<L...>, N> {
  using type = std::tuple<typename stacked_leaf<L, N>::type...>;
};

}  // namespace detail

/// N models, optimizer states, keys or other structs X side by side: `leaves` holds each tensor of X, in the order of its fields, with a leading axis of
/// extent N. What vmap() takes and returns where tensors alone would gain an axis; a pytree itself. `get(i)` is entry i.
template <class X, extent_t N>
struct stacked {
  using entry_type = X;
  typename detail::stacked_leaves<detail::leaves_t<X>, N>::type leaves;

  static constexpr extent_t extent() { return N; }
  /// A copy of entry i.
  constexpr X get(extent_t i) const {
    int next = 0;
    auto make = [&]<class L>() {
      L leaf{};
      int at = 0;
      std::apply([&](auto const&... all) { ((at++ == next ? copy_entry(leaf, all, i) : void()), ...); }, leaves);
      ++next;
      return leaf;
    };
    return detail::build_tree<X>(make);
  }
  /// Replaces entry i.
  constexpr void set(extent_t i, X const& x) {
    int next = 0;
    detail::for_each_leaf(x, [&](auto const& leaf) {
      int at = 0;
      std::apply([&](auto&... all) { ((at++ == next ? put_entry(all, leaf, i) : void()), ...); }, leaves);
      ++next;
    });
  }

 private:
  template <class Leaf, class All>
  static constexpr void copy_entry(Leaf& leaf, All const& all, extent_t i) {
    if constexpr (std::is_same_v<typename detail::stacked_leaf<Leaf, N>::type, All>) {
      if constexpr (requires { leaf.data(); })
        for (std::size_t k = 0; k < leaf.size(); ++k) leaf.data()[k] = all.data()[static_cast<std::size_t>(i) * leaf.size() + k];
      else leaf = all.data()[i];
    }
  }
  template <class Leaf, class All>
  static constexpr void put_entry(All& all, Leaf const& leaf, extent_t i) {
    if constexpr (std::is_same_v<typename detail::stacked_leaf<Leaf, N>::type, All>) {
      if constexpr (requires { leaf.data(); })
        for (std::size_t k = 0; k < leaf.size(); ++k) all.data()[static_cast<std::size_t>(i) * leaf.size() + k] = leaf.data()[k];
      else all.data()[i] = leaf;
    }
  }
};

/// N values of one struct, from an array of them.
template <class X, std::size_t N>
constexpr auto stack_trees(std::array<X, N> const& entries) {
  stacked<X, static_cast<extent_t>(N)> result{};
  for (std::size_t i = 0; i < N; ++i) result.set(static_cast<extent_t>(i), entries[i]);
  return result;
}

}  // namespace DIMITY_NAMESPACE
