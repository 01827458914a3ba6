// Work on all tensors of a struct at once: tree_map, tree_reduce, ravel and unravel, on values and inside traced functions.
#pragma once

#include <dimity/expr/joining.hpp>
#include <dimity/expr/operators.hpp>
#include <dimity/transform/rules.hpp>

#include <tuple>
#include <utility>

namespace dimity {
namespace detail {

/// References to all leaves, in order.
template <class X>
constexpr auto leaf_references(X const& x) {
  if constexpr (tree_leaf<X>) {
    return std::tuple<X const&>(x);
  } else if constexpr (is_array<X>) {
    return [&]<std::size_t... I>(std::index_sequence<I...>) { return std::tuple_cat(leaf_references(x[I])...); }(std::make_index_sequence<std::tuple_size_v<X>>{});
  } else if constexpr (is_tuple<X>) {
    return std::apply([](auto const&... e) { return std::tuple_cat(leaf_references(e)...); }, x);
  } else if constexpr (static_leaf<X>) {
    return std::tuple<>();
  } else {
    return std::apply([](auto const&... e) { return std::tuple_cat(leaf_references(e)...); }, fields_of(x));
  }
}
/// A tree from a tuple of its leaves.
template <class X, class... L>
constexpr X tree_from_leaves(std::tuple<L...>&& leaves) {
  int next = 0;
  auto make = [&]<class Leaf>() -> Leaf {
    Leaf* found = nullptr;
    int at = 0;
    auto const look = [&]<class Candidate>(Candidate& c) {
      if constexpr (std::is_same_v<Candidate, Leaf>)
        if (at == next) found = &c;
      ++at;
    };
    std::apply([&](auto&... l) { (look(l), ...); }, leaves);
    ++next;
    return static_cast<Leaf&&>(*found);
  };
  return build_tree<X>(make);
}

template <class Leaf, class Result>
struct mapped_leaf {
  static_assert(have_one_form<Leaf, Result>, "[dimity.tree.3] tree_map: the function must keep the shape and element type of every tensor (tensor, result)");
};
template <class Leaf, class Result>
struct leaf_fit {
  static constexpr bool value = have_one_form<Leaf, Result>;
  using rule = mapped_leaf<Leaf, Result>;
};
template <std::size_t I, class References>
using leaf_at = std::remove_cvref_t<std::tuple_element_t<I, References>>;

template <class F, class A>
constexpr A fold_leaves(F const&, A const& sum) {
  return sum;
}
template <class F, class A, class First, class... Rest>
constexpr auto fold_leaves(F const& f, A const& sum, First const& first, Rest const&... rest) {
  auto next = f(sum, first);
  if constexpr (operand<decltype(next)>) return fold_leaves(f, eval(next), rest...);
  else return fold_leaves(f, next, rest...);
}

template <class Leaf>
inline constexpr extent_t leaf_size = leaf_form<Leaf>::shape::size;
template <class List>
struct leaf_offsets;
template <class... L>
struct leaf_offsets<leaf_list<L...>> {
  static constexpr extent_t before(std::size_t n) {
    extent_t const sizes[] = {leaf_size<L>..., 0};
    extent_t sum = 0;
    for (std::size_t i = 0; i < n; ++i) sum += sizes[i];
    return sum;
  }
  static constexpr extent_t total = (extent_t{0} + ... + leaf_size<L>);
};
template <class T, extent_t Begin, extent_t... E, class V>
constexpr auto part_of_vector(shape<E...>, V const& vector) {
  return cast<T>(reshape<E...>(slice<0, Begin, Begin + shape<E...>::size>(vector)));
}
template <class Offsets, std::size_t I, class Leaf, class V>
constexpr Leaf leaf_of_vector(V const& vector) {
  constexpr extent_t begin = Offsets::before(I);
  return Leaf(part_of_vector<typename leaf_form<Leaf>::element, begin>(typename leaf_form<Leaf>::shape{}, vector));
}
template <class Given, class Wanted>
struct raveled_size {
  static_assert(std::is_same_v<Given, Wanted>, "[dimity.tree.4] unravel: the vector must have as many elements as the tree (given, wanted)");
};

}  // namespace detail

/// f applied to every tensor of a tree, or to the corresponding tensors of several trees of one type: `tree_map([](auto const& w, auto const& g) { return w - 0.1f * g; }, model, gradient)`.
/// The result has the tree's type, so f keeps shapes and element types.
template <class F, class Tree, class... More>
constexpr auto tree_map(F const& f, Tree const& tree, More const&... more) {
  static_assert((std::is_same_v<More, Tree> && ...), "tree_map: all trees must have one type");
  (void)sizeof(detail::tree_rule<Tree>);
  using leaves = decltype(detail::leaf_references(tree));
  return [&]<std::size_t... I>(std::index_sequence<I...>) {
    auto const apply_to = [&](auto index, auto const&... trees) { return f(std::get<index>(detail::leaf_references(trees))...); };
    using unfit = detail::first_unfit<
        detail::leaf_fit<detail::leaf_at<I, leaves>, std::remove_cvref_t<decltype(apply_to(std::integral_constant<std::size_t, I>{}, tree, more...))>>...>;
    constexpr bool fits = std::is_same_v<typename unfit::rule, std::tuple<>>;
    (void)sizeof(typename unfit::rule);
    if constexpr (fits) return detail::tree_from_leaves<Tree>(std::tuple<detail::leaf_at<I, leaves>...>{detail::leaf_at<I, leaves>(apply_to(std::integral_constant<std::size_t, I>{}, tree, more...))...});
    else return tree;
  }(std::make_index_sequence<std::tuple_size_v<leaves>>{});
}

/// f(...f(f(initial, first tensor), second tensor)..., last tensor): `tree_reduce([](auto const& sum, auto const& w) { return sum + dimity::sum(square(w)); }, model, 0.0f)`.
template <class F, class Tree, class Initial>
constexpr auto tree_reduce(F const& f, Tree const& tree, Initial const& initial) {
  (void)sizeof(detail::tree_rule<Tree>);
  return std::apply([&](auto const&... leaf) { return detail::fold_leaves(f, initial, leaf...); }, detail::leaf_references(tree));
}

/// All elements of a tree in one vector, tensor after tensor in the order of the fields, row-major.
template <class Tree>
constexpr auto ravel(Tree const& tree) {
  (void)sizeof(detail::tree_rule<Tree>);
  auto const flat = [](auto const& leaf) {
    using L = std::remove_cvref_t<decltype(leaf)>;
    if constexpr (operand<L>) return eval(reshape<detail::leaf_size<L>>(leaf));
    else return tensor<L, 1>{leaf};
  };
  return std::apply([&](auto const&... leaf) { return eval(concat<0>(flat(leaf)...)); }, detail::leaf_references(tree));
}
/// The way back: `unravel<net<float>>(vector)`. The number of elements is checked at compile time.
template <class Tree, operand V>
constexpr auto unravel(V const& vector) {
  using offsets = detail::leaf_offsets<detail::leaves_t<Tree>>;
  using given = detail::shape_of<V>;
  (void)sizeof(detail::raveled_size<given, shape<offsets::total>>);
  using result = std::conditional_t<detail::tracer<V>, detail::traced_tree_t<Tree>, Tree>;
  if constexpr (!std::is_same_v<given, shape<offsets::total>>) {
    return detail::no_result{};
  } else {
    return [&]<std::size_t... I, class... L>(std::index_sequence<I...>, detail::leaf_list<L...>) {
      return detail::tree_from_leaves<result>(std::tuple<L...>{detail::leaf_of_vector<offsets, I, L>(vector)...});
    }(std::make_index_sequence<static_cast<std::size_t>(detail::leaf_count<Tree>)>{}, detail::leaves_t<result>{});
  }
}

}  // namespace dimity
