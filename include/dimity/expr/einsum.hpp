// Einstein summation: einsum<"ik,jk->ij">(a, b). What remains of the string at run time are transposed reads, matrix products, products and sums.
#pragma once

#include <dimity/expr/contraction.hpp>
#include <dimity/expr/einsum_equation.hpp>
#include <dimity/expr/eval.hpp>

namespace DIMITY_NAMESPACE {
namespace detail {

/// An operand with a label on each axis.
struct einsum_value {
  ref x;
  einsum_term labels;

  constexpr void transpose_to(einsum_term const& order) {
    axis_map p;
    for (int i = 0; i < order.rank; ++i) p.set(i, labels.find(order.label[i]));
    x = transpose(x, p);
    labels = order;
  }
  constexpr void sum_without(std::uint64_t needed) {
    std::uint32_t axes = 0;
    einsum_term kept;
    for (int i = 0; i < labels.rank; ++i) {
      if (needed >> labels.label[i] & 1u) kept.push(labels.label[i]);
      else axes |= 1u << i;
    }
    if (axes == 0) return;
    x = reduce(primitive::sum, x, axes);
    labels = kept;
  }
  /// A label that occurs twice stands for the diagonal: elements 0, n + 1, 2 (n + 1), ... of both axes as one.
  constexpr void take_diagonals() {
    for (int i = 0; i < labels.rank; ++i)
      for (int j = i + 1; j < labels.rank; ++j) {
        if (labels.label[i] != labels.label[j]) continue;
        axis_map p;
        shape_value s;
        einsum_term rest;
        amount const n = x.g->unify(x.extent(i), x.extent(j));
        for (int k = 0; k < labels.rank; ++k) {
          if (k == i || k == j) continue;
          p.set(rest.rank, k);
          rest.push(labels.label[k]);
          s.push(x.extent(k));
        }
        p.set(rest.rank, i);
        p.set(rest.rank + 1, j);
        s.push(n * n);
        x = slice_axis(reshape(transpose(x, p), s), rest.rank, 0, n, x.g->extents->sum(n, 1).code);
        rest.push(labels.label[i]);
        labels = rest;
        take_diagonals();
        return;
      }
  }
  /// Repeated along the labels of `order` that it lacks; `s` has their extents.
  constexpr ref broadcast_over(einsum_term const& order, shape_value const& s) {
    einsum_term mine;
    axis_map map;
    for (int i = 0; i < order.rank; ++i)
      if (labels.find(order.label[i]) >= 0) {
        map.set(i, mine.rank);
        mine.push(order.label[i]);
      }
    transpose_to(mine);
    return broadcast(x, s, map);
  }
};

struct einsum_contraction {
  einsum_term result;

  /// The labels in `mask`: those of the result first, in its order, then as they stand in `by`. So most results need no transposition.
  constexpr void collect(einsum_term& to, std::uint64_t mask, einsum_term const& by) const {
    for (einsum_term const* from : {&result, &by})
      for (int i = 0; i < from->rank; ++i)
        if ((mask >> from->label[i] & 1u) && to.find(from->label[i]) < 0) to.push(from->label[i]);
  }
  constexpr int first_place(std::uint64_t mask) const {
    for (int i = 0; i < result.rank; ++i)
      if (mask >> result.label[i] & 1u) return i;
    return result.rank;
  }
  static constexpr shape_value extents(einsum_term const& order, einsum_value const& a, einsum_value const& b) {
    shape_value s;
    for (int i = 0; i < order.rank; ++i) {
      int const at = a.labels.find(order.label[i]);
      s.push(at >= 0 ? a.x.extent(at) : b.x.extent(b.labels.find(order.label[i])));
    }
    return s;
  }
  /// [batch axes.., rows, columns]: merging batch axes too would often mean a copy, so that is left to where they are too many.
  static constexpr shape_value merged(shape_value const& s, int batch, int rows) {
    shape_value m;
    amount all = 1, n[2] = {1, 1};
    for (int i = 0; i < batch; ++i) {
      all *= s.extent[i];
      if (batch <= max_rank - 2) m.push(s.extent[i]);
    }
    if (batch > max_rank - 2) m.push(all);
    for (int i = batch; i < s.rank; ++i) n[i >= batch + rows] *= s.extent[i];
    m.push(n[0]);
    m.push(n[1]);
    return m;
  }

  constexpr einsum_value operator()(einsum_value a, einsum_value b, std::uint64_t needed) const {
    std::uint64_t const both = a.labels.mask() & b.labels.mask(), contracted = both & ~needed, batch = both & needed;
    std::uint64_t left = a.labels.mask() & ~both, right = b.labels.mask() & ~both;
    einsum_value c;
    if (contracted == 0 || (left == 0 && right == 0)) {
      // Nothing to contract, or sums of products of aligned elements, which fuse with what is around them.
      collect(c.labels, batch | left | right, a.labels);
      collect(c.labels, right, b.labels);
      collect(c.labels, contracted, a.labels);
      shape_value const s = extents(c.labels, a, b);
      c.x = a.broadcast_over(c.labels, s) * b.broadcast_over(c.labels, s);
      c.sum_without(needed);
      return c;
    }
    if (left != 0 && right != 0 && first_place(right) < first_place(left)) {
      einsum_value const t = a;
      a = b;
      b = t;
      std::uint64_t const m = left;
      left = right;
      right = m;
    }
    einsum_term order_a, order_b;
    collect(order_a, batch, a.labels);
    int const batch_rank = order_a.rank;
    collect(order_b, batch, a.labels);
    collect(order_a, left, a.labels);
    int const left_rank = order_a.rank - batch_rank;
    c.labels = order_a;
    collect(c.labels, right, b.labels);
    collect(order_a, contracted, a.labels);
    collect(order_b, contracted, a.labels);
    int const contracted_rank = order_b.rank - batch_rank;
    collect(order_b, right, b.labels);
    shape_value const s = extents(c.labels, a, b);
    a.transpose_to(order_a);
    b.transpose_to(order_b);
    c.x = reshape(matrix_product(reshape(a.x, merged(a.x.shape(), batch_rank, left_rank)), reshape(b.x, merged(b.x.shape(), batch_rank, contracted_rank))), s);
    return c;
  }
};

template <fixed_string Equation>
struct einsum_operation {
  template <class... R>
  static constexpr ref emit(builder& g, R... operands) {
    ref const x[] = {operands...};
    constexpr int count = static_cast<int>(sizeof...(R));
    einsum_equation e(Equation.view());
    dtype type = x[0].type();
    for (ref const& o : x) type = promote(type, o.type());
    if (type == dtype::boolean) type = dtype::int64;
    int most = 0;
    for (int o = 0; o < count; ++o) {
      int const axes = e.ellipsis_axes(o, x[o].rank());
      most = axes > most ? axes : most;
      e.term[o] = e.term[o].expanded(axes);
    }
    e.result = e.result.expanded(most);
    // Axes of one label have one extent, but those that broadcast.
    for (int l = 0; l < 64; ++l) {
      amount known = 1;
      for (int o = 0; o < count; ++o)
        for (int i = 0; i < e.term[o].rank; ++i)
          if (e.term[o].label[i] == l && !(x[o].extent(i) == 1)) known = known == 1 ? x[o].extent(i) : g.unify(known, x[o].extent(i));
    }
    // An extent of 1 under "..." broadcasts: without the axis, the operand is repeated like one that lacks the label.
    amount broadcast_extent[max_rank] = {1, 1, 1, 1, 1, 1, 1, 1};
    for (int o = 0; o < count; ++o)
      for (int i = 0; i < e.term[o].rank; ++i)
        if (e.term[o].label[i] < max_rank && x[o].extent(i) != 1) broadcast_extent[e.term[o].label[i]] = x[o].extent(i);
    einsum_value values[max_einsum_operands];
    for (int o = 0; o < count; ++o) {
      einsum_term labels;
      shape_value s;
      for (int i = 0; i < e.term[o].rank; ++i) {
        int const l = e.term[o].label[i];
        if (l < max_rank && x[o].extent(i) != broadcast_extent[l]) continue;
        labels.push(l);
        s.push(x[o].extent(i));
      }
      e.term[o] = labels;
      values[o] = {reshape(cast(x[o], type), s), labels};
      values[o].take_diagonals();
    }
    einsum_contraction const contract{e.result};
    std::uint64_t before = 0;
    einsum_value all = values[0];
    all.sum_without(e.needed_after(0));
    before = all.labels.mask();
    for (int o = 1; o < count; ++o) {
      values[o].sum_without(e.needed_after(o) | before);
      all = contract(all, values[o], e.needed_after(o));
      before = all.labels.mask();
    }
    all.transpose_to(e.result);
    return all.x;
  }
};

/// The first operand whose labels do not fit its axes, or their number. No partial specialisation: nvcc does not match one that has a string among its arguments.
template <fixed_string Equation, class... Shapes>
struct einsum_misfit {
  template <int... I>
  static constexpr int find(std::integer_sequence<int, I...>) {
    bool const fits[] = {einsum_rank_fits<Equation, I, Shapes>...};
    int o = 0;
    while (o < static_cast<int>(sizeof...(I)) && fits[o]) ++o;
    return o;
  }
  static constexpr int value = find(std::make_integer_sequence<int, static_cast<int>(sizeof...(Shapes))>{});
};

}  // namespace detail

/// Einstein summation of any number of operands, as numpy.einsum: each letter names an axis, letters that are not in the result are summed over.
/// Without "->" the result has the labels that occur once, in alphabetical order. A letter that occurs twice in one operand takes its
/// diagonal; "..." stands for leading, trailing or middle axes that broadcast; spaces are ignored.
///
/// Operands are contracted from left to right, each pair as one matrix product (batched over labels that both have and that are still needed) or, where nothing is left
/// to multiply out, as fused products and sums; labels that nobody needs any more are summed at once. The order of the operands is the order of the work: for a long
/// chain put the cheap products first. The dtype is the operands' common one; truth values count as int64.
template <fixed_string Equation, operand X, operand... R>
constexpr auto einsum(X&& x, R&&... rest) {
  using T = detail::element_of<X>;
  constexpr int count = 1 + static_cast<int>(sizeof...(R));
  (void)sizeof(detail::einsum_string<Equation>);
  if constexpr (!detail::equation_of<Equation>.well_formed) {
    return detail::failed<T, shape<>>{};
  } else if constexpr (detail::equation_of<Equation>.operands != count) {
    (void)sizeof(detail::einsum_operands<Equation, count>);
    return detail::failed<T, shape<>>{};
  } else if constexpr (constexpr int misfit = detail::einsum_misfit<Equation, detail::shape_of<X>, detail::shape_of<R>...>::value; misfit < count) {
    (void)sizeof(detail::einsum_rank<Equation, misfit, std::tuple_element_t<misfit, std::tuple<detail::shape_of<X>, detail::shape_of<R>...>>>);
    return detail::failed<T, shape<>>{};
  } else {
    (void)sizeof(detail::einsum_shapes<Equation, detail::shape_of<X>, detail::shape_of<R>...>);
    if constexpr (detail::einsum_facts<Equation, detail::shape_of<X>, detail::shape_of<R>...>::fits())
      return detail::apply<detail::einsum_operation<Equation>>(static_cast<X&&>(x), static_cast<R&&>(rest)...);
    else return detail::failed<T, shape<>>{};
  }
}

}  // namespace DIMITY_NAMESPACE
