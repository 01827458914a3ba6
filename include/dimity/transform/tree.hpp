// Work on all tensors of a struct at once: tree_map, tree_reduce, ravel and unravel, on values and inside traced functions.
#pragma once

#include <dimity/expr/joining.hpp>
#include <dimity/expr/operators.hpp>
#include <dimity/transform/rules.hpp>

#include <memory>
#include <optional>
#include <tuple>
#include <utility>

namespace DIMITY_NAMESPACE {
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

/// tree_map of a tree without optionals.
template <class F, class Tree, class... More>
constexpr auto map_leaves(F const& f, Tree const& tree, More const&... more) {
  using leaves = decltype(leaf_references(tree));
  return [&]<std::size_t... I>(std::index_sequence<I...>) {
    auto const apply_to = [&](auto index, auto const&... trees) { return f(std::get<index>(leaf_references(trees))...); };
    using unfit = first_unfit<
        leaf_fit<leaf_at<I, leaves>, std::remove_cvref_t<decltype(apply_to(std::integral_constant<std::size_t, I>{}, tree, more...))>>...>;
    constexpr bool fits = std::is_same_v<typename unfit::rule, std::tuple<>>;
    (void)sizeof(typename unfit::rule);
    if constexpr (fits) return tree_from_leaves<Tree>(std::tuple<leaf_at<I, leaves>...>{leaf_at<I, leaves>(apply_to(std::integral_constant<std::size_t, I>{}, tree, more...))...});
    else return tree;
  }(std::make_index_sequence<std::tuple_size_v<leaves>>{});
}

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

/// Pointers to all leaves, in order; null for those that are not there.
template <class X>
constexpr auto leaf_pointers([[maybe_unused]] X const* x) {
  if constexpr (tree_leaf<X>) {
    return std::tuple<X const*>(x);
  } else if constexpr (is_array<X>) {
    return [&]<std::size_t... I>(std::index_sequence<I...>) { return std::tuple_cat(leaf_pointers(x ? std::addressof((*x)[I]) : nullptr)...); }(std::make_index_sequence<std::tuple_size_v<X>>{});
  } else if constexpr (is_tuple<X>) {
    return [&]<std::size_t... I>(std::index_sequence<I...>) { return std::tuple_cat(leaf_pointers(x ? std::addressof(std::get<I>(*x)) : nullptr)...); }(std::make_index_sequence<std::tuple_size_v<X>>{});
  } else if constexpr (is_optional<X>) {
    return leaf_pointers(x && x->has_value() ? std::addressof(**x) : nullptr);
  } else if constexpr (static_leaf<X>) {
    return std::tuple<>();
  } else {
    return [&]<std::size_t... I>(std::index_sequence<I...>) { return std::tuple_cat(leaf_pointers(x ? std::addressof(std::get<I>(fields_of(*x))) : nullptr)...); }(
        std::make_index_sequence<std::tuple_size_v<decltype(fields_of(*x))>>{});
  }
}
/// What trees that differ in their optionals come to: while a function is traced a program that throws, otherwise an exception.
template <class... Trees>
constexpr void refuse_presence(char const* text, Trees const&... trees) {
  if (builder* g = program_of_tree(std::tie(trees...))) g->error = program_error::presence_differs;
  else fail<presence_error>(text);
}

template <class L, class F, class... More>
struct mapped_by {
  using type = std::remove_cvref_t<decltype(std::declval<F const&>()(std::declval<L const&>(), std::declval<std::conditional_t<sizeof(More) != 0, L, L> const&>()...))>;
};
/// tree_map of a tree with optionals.
template <class... L, class F, class Tree, class... More>
constexpr Tree map_what_is_there(leaf_list<L...>, F const& f, Tree const& tree, More const&... more) {
  using unfit = first_unfit<leaf_fit<L, typename mapped_by<L, F, More...>::type>...>;
  (void)sizeof(typename unfit::rule);
  if constexpr (std::is_same_v<typename unfit::rule, std::tuple<>>) {
    presence const there = presence_of(tree);
    if (((presence_of(more) == there) && ...)) {
      int next = 0;
      auto make = [&]<class Leaf>() -> Leaf {
        while (!places_of<Tree>.has_leaf(there, next)) ++next;
        std::optional<Leaf> result;
        auto const look = [&]<std::size_t I>(std::integral_constant<std::size_t, I>) {
          if constexpr (std::is_same_v<std::tuple_element_t<I, std::tuple<L...>>, Leaf>)
            if (static_cast<int>(I) == next) result.emplace(f(*std::get<I>(leaf_pointers(&tree)), *std::get<I>(leaf_pointers(&more))...));
        };
        [&]<std::size_t... I>(std::index_sequence<I...>) { (look(std::integral_constant<std::size_t, I>{}), ...); }(std::index_sequence_for<L...>{});
        ++next;
        return *std::move(result);
      };
      return build_tree<Tree>(make, there);
    }
    refuse_presence("tree_map: all trees must have the same optionals", tree, more...);
  }
  return tree;
}

template <class X>
constexpr auto evaluated(X const& x) {
  if constexpr (operand<X>) return eval(x);
  else return x;
}
/// A sum as what it is after the next step; a plain number may become a tensor.
template <class Next, class Sum, class Tree>
constexpr Next sum_as(Sum const& sum, [[maybe_unused]] Tree const& tree) {
  if constexpr (tracer<Next> && !tracer<Sum>) {
    builder& g = *program_of_tree(tree);
    list<ref> refs;
    push_leaves(g, sum, refs);
    return leaf_from<Next>(cast(refs[0], dtype_of<element_of<Next>>));
  } else {
    static_assert(std::is_constructible_v<Next, Sum>, "tree_reduce: with optionals in the tree the function must keep the shape of what it adds up");
    return Next(sum);
  }
}
/// tree_reduce of a tree with optionals.
template <class F, class Tree, class Sum>
constexpr auto fold_what_is_there(F const&, Tree const&, Sum const& sum) {
  return sum;
}
template <class F, class Tree, class Sum, class First, class... Rest>
constexpr auto fold_what_is_there(F const& f, Tree const& tree, Sum const& sum, First const* first, Rest const*... rest) {
  using next = std::remove_cvref_t<decltype(evaluated(f(sum, *first)))>;
  if constexpr (std::is_same_v<next, Sum>) return fold_what_is_there(f, tree, first ? evaluated(f(sum, *first)) : sum, rest...);
  else return fold_what_is_there(f, tree, first ? evaluated(f(sum, *first)) : sum_as<next>(sum, tree), rest...);
}
/// The sizes of ravel's result are types: everything has to be there.
template <class Flat, class Tree>
constexpr auto ravel_what_is_there(Flat const& flat, Tree const& tree) {
  return std::apply(
      [&](auto const*... leaf) {
        using result = std::remove_cvref_t<decltype(eval(concat<0>(flat(*leaf)...)))>;
        if ((leaf && ...)) return eval(concat<0>(flat(*leaf)...));
        refuse_presence("ravel: an optional of the tree is not there, so the vector would be shorter than its type says", tree);
        if constexpr (tracer<result>) return leaf_from<result>(full(*program_of_tree(tree), dtype_of<element_of<result>>, shape_value_of<shape_of<result>>::value, 0));
        else return result{};
      },
      leaf_pointers(&tree));
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
/// The result has the tree's type, so f keeps shapes and element types. What is not there stays away; several trees must have the same optionals (presence_error).
template <class F, class Tree, class... More>
constexpr auto tree_map(F const& f, Tree const& tree, More const&... more) {
  static_assert((std::is_same_v<More, Tree> && ...), "tree_map: all trees must have one type");
  (void)sizeof(detail::tree_rule<Tree>);
  if constexpr (detail::optional_count<Tree> > 0) return detail::map_what_is_there(detail::leaves_t<Tree>{}, f, tree, more...);
  else return detail::map_leaves(f, tree, more...);
}

/// f(...f(f(initial, first tensor), second tensor)..., last tensor), of those that are there: `tree_reduce([](auto const& sum, auto const& w) { return sum + dimity::sum(square(w)); }, model, 0.0f)`.
template <class F, class Tree, class Initial>
constexpr auto tree_reduce(F const& f, Tree const& tree, Initial const& initial) {
  (void)sizeof(detail::tree_rule<Tree>);
  if constexpr (detail::optional_count<Tree> > 0) return std::apply([&](auto const*... leaf) { return detail::fold_what_is_there(f, tree, initial, leaf...); }, detail::leaf_pointers(&tree));
  else return std::apply([&](auto const&... leaf) { return detail::fold_leaves(f, initial, leaf...); }, detail::leaf_references(tree));
}

/// All elements of a tree in one vector, tensor after tensor in the order of the fields, row-major. All its optionals must be there (presence_error).
template <class Tree>
constexpr auto ravel(Tree const& tree) {
  (void)sizeof(detail::tree_rule<Tree>);
  auto const flat = [](auto const& leaf) {
    using L = std::remove_cvref_t<decltype(leaf)>;
    if constexpr (operand<L>) return eval(reshape<detail::leaf_size<L>>(leaf));
    else return tensor<L, 1>{leaf};
  };
  if constexpr (detail::optional_count<Tree> > 0) return detail::ravel_what_is_there(flat, tree);
  else return std::apply([&](auto const&... leaf) { return eval(concat<0>(flat(leaf)...)); }, detail::leaf_references(tree));
}
/// The way back: `unravel<net<float>>(vector)`, with all optionals there. The number of elements is checked at compile time.
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

}  // namespace DIMITY_NAMESPACE
