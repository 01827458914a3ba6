// associative_scan: all prefixes of an associative operation in logarithmic depth, as in JAX.
#pragma once

#include <dimity/transform/scan.hpp>

namespace DIMITY_NAMESPACE {
namespace detail {

template <class F, scan_options Options>
struct associative_scan_function {
  template <class Xs>
  constexpr auto operator()(Xs const& xs) const {
    (void)sizeof(transformable_function<F>);
    (void)sizeof(tree_rule<Xs>);
    if constexpr (!is_transformable<F> || !are_trees<Xs>) {
      return no_result{};
    } else {
      using fit = mapping_fit<tree_value_t<Xs>, 0>;
      (void)sizeof(typename fit::rule);
      if constexpr (!fit::value) {
        return no_result{};
      } else {
        using entry = typename entry_tree<tree_value_t<Xs>, 0>::type;
        using extents = leading_extents<leaves_t<tree_value_t<Xs>>>;
        using result = std::remove_cvref_t<decltype(F{}(std::declval<entry const&>(), std::declval<entry const&>()))>;
        (void)sizeof(scan_entries<extents::entries, extents::other>);
        (void)sizeof(typename state_fit<entry, result>::rule);
        (void)sizeof(known_extents<(extents::entries <= dyn ? extents::entries : 0)>);
        if constexpr (extents::entries < 0 || extents::entries != extents::other || !state_fit<entry, result>::value || is_failed_tree<result>) return no_result{};
        else if constexpr (is_traced_tree<Xs>) return run<entry, extents::entries>(xs);
        else return compiled_call<associative_scan_function>::call(xs);
      }
    }
  }

 private:
  template <class Entry, extent_t N>
  using many = typename batched_tree<Entry, N>::type;
  static constexpr list<ref> reversed(list<ref> const& x) {
    list<ref> r;
    for (ref const& leaf : x) r.push(slice_axis(leaf, 0, leaf.extent(0).number() - 1, leaf.extent(0), -1));
    return r;
  }
  template <class Entry, extent_t N>
  static constexpr auto run(auto const& xs) {
    builder& g = *program_of_tree(xs);
    list<ref> leaves;
    push_leaves(g, xs, leaves);
    int next = 0;
    presence const there = presence_of(xs);
    if constexpr (Options.reverse) return tree_from<many<Entry, N>>(reversed(prefixes<Entry, N>(g, reversed(leaves), there)), next, there);
    else return tree_from<many<Entry, N>>(prefixes<Entry, N>(g, leaves, there), next, there);
  }
  /// f on entries [begin, begin + step, ...] of two lists, M of each.
  template <class Entry, extent_t M>
  static constexpr list<ref> combine(builder& g, list<ref> const& a, extent_t first_a, extent_t step_a, list<ref> const& b, extent_t first_b, extent_t step_b, presence there) {
    list<ref> left, right, result;
    for (ref const& x : a) left.push(slice_axis(x, 0, first_a, M, step_a));
    for (ref const& x : b) right.push(slice_axis(x, 0, first_b, M, step_b));
    int i = 0, j = 0;
    auto const l = tree_from<many<Entry, M>>(left, i, there);
    auto const r = tree_from<many<Entry, M>>(right, j, there);
    push_like(g, l, vmap_function<F>{}(l, r), result);
    return result;
  }
  /// Blelloch's recursion (Prefix Sums and Their Applications, 1990): pairs first, then what lies between them.
  template <class Entry, extent_t N>
  static constexpr list<ref> prefixes(builder& g, list<ref> const& x, presence there) {
    if constexpr (N < 2) {
      list<ref> same;
      for (ref const& leaf : x) same.push(leaf);
      return same;
    } else {
      constexpr extent_t half = N / 2, between = (N - 1) / 2;
      list<ref> const odd = prefixes<Entry, half>(g, combine<Entry, half>(g, x, 0, 2, x, 1, 2, there), there);
      list<ref> even, result;
      if constexpr (between > 0) even = combine<Entry, between>(g, odd, 0, 1, x, 2, 2, there);
      for (int i = 0; i < x.size(); ++i) {
        ref const first = slice_axis(x[i], 0, 0, 1);
        ref const e = between > 0 ? concat(first, even[i], 0) : first;  // [between + 1, ...]
        // Side by side, so that they lie one after the other; an odd number has one too many.
        ref const o = odd[i].extent(0).number() < e.extent(0).number() ? concat(odd[i], slice_axis(e, 0, 0, 1), 0) : odd[i];
        shape_value pair, flat = x[i].shape();
        pair.push(e.extent(0));
        pair.push(1);
        for (int k = 1; k < x[i].rank(); ++k) pair.push(x[i].extent(k));
        flat.extent[0] = amount(2) * e.extent(0);
        result.push(slice_axis(reshape(concat(reshape(e, pair), reshape(o, pair), 1), flat), 0, 0, N));
      }
      return result;
    }
  }
};

}  // namespace detail

/// All prefixes of an associative operation over axis 0: entry k of the result is xs[0] . xs[1] . ... . xs[k], or with `scan_options{.reverse = true}` xs[n - 1] . ... . xs[k]. `f(a, b)` combines two entries (trees, as in
/// scan) and returns one like them. About 2 n combinations in 2 log2(n) steps, each of them over all its entries at once, at the cost of memory for log2(n) levels.
template <scan_options Options = scan_options{}, class F, class Xs>
constexpr auto associative_scan(F const&, Xs const& xs) {
  return detail::associative_scan_function<F, Options>{}(xs);
}

}  // namespace DIMITY_NAMESPACE
