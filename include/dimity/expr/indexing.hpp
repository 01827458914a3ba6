// Elements chosen by integers that are known only at run time: take, take_along_axis, scatter_add, one_hot, argsort, sort.
//
// One rule for every index: negative ones count from the end, as in NumPy; what is still outside is moved to the nearest element (NumPy's
// mode="clip", and JAX's rule: a kernel has no way to throw). one_hot is the exception: there an index outside gives zeros.
#pragma once

#include <dimity/expr/eval.hpp>
#include <dimity/expr/expression.hpp>
#include <dimity/expr/rules.hpp>

namespace DIMITY_NAMESPACE {
namespace detail {

// Each rule is a predicate and a struct with the error: clang evaluates nothing that mentions a class with a failed static_assert.
/// An axis without elements has nothing that an index could name; without indices nothing is asked.
template <class Shape, int Axis, class I>
inline constexpr bool indices_fit = has_axis<Shape, Axis> && is_integer(dtype_of<element_of<I>>) && (Shape::at(Axis) != 0 || shape_of<I>::size == 0);
template <class Shape, int Axis, class I>
struct indexed_axis {
  static_assert(is_integer(dtype_of<element_of<I>>), "[dimity.index.1] indices must be integers");
  static_assert(!has_axis<Shape, Axis> || Shape::at(Axis) != 0 || shape_of<I>::size == 0, "[dimity.index.2] the indexed axis has no elements");
};

template <extent_t Classes>
struct one_hot_classes {
  static_assert(Classes > 0, "[dimity.index.6] one_hot: at least one class");
};
template <class T>
struct one_hot_indices {
  static_assert(is_integer(dtype_of<T>), "[dimity.index.1] indices must be integers");
};

template <class Shape, class Indices>
inline constexpr bool taken_rank_fits = Shape::rank - 1 + Indices::rank <= max_rank;
template <class Shape, class Indices>
struct taken_rank {
  static_assert(taken_rank_fits<Shape, Indices>, "[dimity.index.3] the result would have more than 8 axes");
};

template <class Shape, class Indices, int Axis>
struct along_axis {
  static constexpr int axis = normalize_axis(Axis, Shape::rank);
  static constexpr int mismatch() {
    for (int i = 0; Shape::rank == Indices::rank && i < Shape::rank; ++i)
      if (i != axis && !may_be_equal(Shape::at(i), Indices::at(i)) && Shape::at(i) != 1 && Indices::at(i) != 1) return i;
    return -1;
  }
  static constexpr extent_t left = mismatch() < 0 ? 1 : Shape::at(mismatch()), right = mismatch() < 0 ? 1 : Indices::at(mismatch());
  static constexpr bool fits = Shape::rank == Indices::rank && left == right;
};
template <class Shape, class Indices, int Axis>
struct along_axis_shapes {
  using extents = along_axis<Shape, Indices, Axis>;
  static_assert(Shape::rank == Indices::rank, "[dimity.index.4] take_along_axis: the indices need as many axes as the operand");
  static_assert(extents::left == extents::right, "[dimity.index.4] take_along_axis: the extents of the other axes must be equal or 1");
};
template <class Expected, class Updates>
struct scatter_shapes {
  static_assert(may_hold<Updates, Expected>, "[dimity.index.5] scatter_add: the updates need the shape of take(base, indices, axis): (Expected, Updates)");
};

constexpr shape_value vector_shape(amount n) {
  shape_value s;
  s.push(n);
  return s;
}
/// `s` with one axis replaced by all axes of `by`.
constexpr shape_value with_axis_replaced(shape_value const& s, int axis, shape_value const& by) {
  shape_value r;
  for (int i = 0; i < axis; ++i) r.push(s.extent[i]);
  for (int i = 0; i < by.rank; ++i) r.push(by.extent[i]);
  for (int i = axis + 1; i < s.rank; ++i) r.push(s.extent[i]);
  return r;
}
constexpr ref flat(ref x) { return reshape(x, vector_shape(x.shape().size())); }

template <int Axis>
struct take_operation {
  static constexpr ref emit(builder&, ref x, ref indices) {
    int const axis = normalize_axis(Axis, x.rank());
    around_axis const around(x.shape(), axis);
    shape_value const result = with_axis_replaced(x.shape(), axis, indices.shape());
    return reshape(gather(reshape(x, around.with(x.extent(axis))), flat(indices)), result);
  }
};
struct take_flat_operation {
  static constexpr ref emit(builder& g, ref x, ref indices) { return take_operation<0>::emit(g, flat(x), indices); }
};
template <int Axis>
struct scatter_add_operation {
  static constexpr ref emit(builder&, ref base, ref indices, ref updates) {
    int const axis = normalize_axis(Axis, base.rank());
    around_axis const around(base.shape(), axis);
    ref const all = broadcast_to(cast(updates, base.type()), with_axis_replaced(base.shape(), axis, indices.shape()));
    ref const sum = scatter_add(reshape(base, around.with(base.extent(axis))), flat(indices), reshape(all, around.with(indices.shape().size())));
    return reshape(sum, base.shape());
  }
};

/// Element (b, i, c) of the result is element (b, index(b, i, c), c) of x. One gather from the flattened operand: no axis is moved.
constexpr ref take_along(ref x, ref indices, int axis) {
  builder& g = *x.g;
  for (int i = 0; i < x.rank(); ++i)
    if (i != axis && !(x.extent(i) == 1) && !(indices.extent(i) == 1)) g.unify(x.extent(i), indices.extent(i));
  amount const n = x.extent(axis), k = indices.extent(axis);
  shape_value whole = x.shape(), wanted = indices.shape();
  for (int i = 0; i < whole.rank; ++i)
    if (i != axis) whole.extent[i] = wanted.extent[i] = whole.extent[i] == 1 ? wanted.extent[i] : whole.extent[i];
  around_axis const around(whole, axis);
  shape_value const s = around.with(k);
  ref i = reshape(broadcast_to(cast(indices, dtype::int64), wanted), s);
  ref const zero = full(g, dtype::int64, s, 0), last = broadcast_to(count_of(g, dtype::int64, g.extents->difference(n, 1)), s), count = broadcast_to(count_of(g, dtype::int64, n), s);
  // The kernel's own rule for negative and outside indices would act on the flattened axis, so it is applied here.
  i = select(less(i, zero), i + count, i);
  i = binary(primitive::minimum, binary(primitive::maximum, i, zero), last);
  if (around.before != 1) i = i + iota(g, dtype::int64, s, 0) * count;
  if (around.behind != 1) i = i * broadcast_to(count_of(g, dtype::int64, around.behind), s) + iota(g, dtype::int64, s, 2);
  shape_value column;
  column.push(1);
  column.push(whole.size());
  column.push(1);
  return reshape(gather(reshape(broadcast_to(x, whole), column), flat(i)), wanted);
}
template <int Axis>
struct take_along_axis_operation {
  static constexpr ref emit(builder&, ref x, ref indices) { return take_along(x, indices, normalize_axis(Axis, x.rank())); }
};

template <extent_t N, class T>
struct one_hot_operation {
  static constexpr ref emit(builder& g, ref indices) {
    shape_value s = indices.shape();
    axis_map map;
    for (int i = 0; i < s.rank; ++i) map.set(i, i);
    s.push(N);
    // int32 where it holds every class and every index: twice the lanes of int64.
    bool const narrow = N <= INT32_MAX && (size_of(indices.type()) < 4 || indices.type() == dtype::int32);
    dtype const type = narrow ? dtype::int32 : dtype::int64;
    return cast(equal(iota(g, type, s, s.rank - 1), broadcast(cast(indices, type), s, map)), dtype_of<T>);
  }
};

constexpr ref argsort(ref x, int axis, dtype type) {
  axis_map order = axis_map::identity(x.rank());
  order.set(axis, x.rank() - 1);
  order.set(x.rank() - 1, axis);
  ref const rows = transpose(x, order);
  return transpose(append(*x.g, primitive::argsort, type, rows.shape(), rows.id), order);
}
template <int Axis>
struct argsort_operation {
  static constexpr ref emit(builder&, ref x) { return argsort(x, normalize_axis(Axis, x.rank()), dtype::int64); }
};
template <int Axis>
struct sort_operation {
  static constexpr ref emit(builder&, ref x) {
    int const axis = normalize_axis(Axis, x.rank());
    return take_along(x, argsort(x, axis, dtype::int64), axis);
  }
};

template <class Shape, int Axis, class Indices>
struct taken_shape {
  static constexpr shape_value value = with_axis_replaced(shape_value_of<Shape>::value, normalize_axis(Axis, Shape::rank), shape_value_of<Indices>::value);
  template <int... I>
  static constexpr auto make(std::integer_sequence<int, I...>) {
    return shape<value.extent[I].code...>{};
  }
  using type = decltype(make(std::make_integer_sequence<int, value.rank>{}));
};

template <class I>
concept index_operand = operand<I> || std::integral<std::remove_cvref_t<I>>;

/// A plain integer as a rank-0 operand; everything else as it is.
template <index_operand I>
constexpr decltype(auto) as_indices(I&& i) {
  if constexpr (operand<I>) return static_cast<I&&>(i);
  else return scalar_leaf<std::int64_t>{static_cast<std::int64_t>(i)};
}
template <class I>
using indices_t = decltype(as_indices(std::declval<I>()));

}  // namespace detail

/// The elements of one axis at `indices`, as numpy.take: the axis is replaced by the shape of the indices. Indices are integers of any
/// shape, also a plain integer, with which the axis disappears. A table of rows: `take(table, ids, axis<0>)`, [n, m] and [k] to [k, m].
/// The derivative adds into the rows that were taken.
template <operand X, detail::index_operand I, int A>
constexpr auto take(X&& x, I&& indices, axis_set<A>) {
  using index = detail::indices_t<I&&>;
  using S = detail::shape_of<X>;
  (void)sizeof(detail::axis_of_shape<S, A>);
  (void)sizeof(detail::indexed_axis<S, A, index>);
  (void)sizeof(detail::taken_rank<S, detail::shape_of<index>>);
  if constexpr (detail::indices_fit<S, A, index> && detail::taken_rank_fits<S, detail::shape_of<index>>)
    return detail::apply<detail::take_operation<A>>(static_cast<X&&>(x), detail::as_indices(static_cast<I&&>(indices)));
  else return detail::failed<detail::element_of<X>, detail::shape_of<X>>{};
}
/// The elements of the flattened operand at `indices`; the result has the shape of the indices.
template <operand X, detail::index_operand I>
constexpr auto take(X&& x, I&& indices) {
  using index = detail::indices_t<I&&>;
  using S = shape<(detail::shape_of<X>::size < 0 ? dyn : detail::shape_of<X>::size)>;
  (void)sizeof(detail::indexed_axis<S, 0, index>);
  if constexpr (detail::indices_fit<S, 0, index>) return detail::apply<detail::take_flat_operation>(static_cast<X&&>(x), detail::as_indices(static_cast<I&&>(indices)));
  else return detail::failed<detail::element_of<X>, detail::shape_of<index>>{};
}
/// One index for each element of the result, as numpy.take_along_axis: result(b, i, c) = x(b, indices(b, i, c), c) along the axis. Operand
/// and indices have as many axes; the others are equal or 1. With argsort() it sorts, with argmax(x, axis<A>, keep_dims) it picks the maxima.
template <operand X, operand I, int A>
constexpr auto take_along_axis(X&& x, I&& indices, axis_set<A>) {
  using S = detail::shape_of<X>;
  (void)sizeof(detail::axis_of_shape<S, A>);
  (void)sizeof(detail::indexed_axis<S, A, I>);
  (void)sizeof(detail::along_axis_shapes<S, detail::shape_of<I>, A>);
  if constexpr (detail::indices_fit<S, A, I> && detail::along_axis<S, detail::shape_of<I>, A>::fits)
    return detail::apply<detail::take_along_axis_operation<A>>(static_cast<X&&>(x), static_cast<I&&>(indices));
  else return detail::failed<detail::element_of<X>, detail::shape_of<I>>{};
}
/// `base` with `updates` added at `indices` of one axis; an index that occurs twice adds twice, in order (numpy.add.at). The updates
/// have the shape of take(base, indices, axis), or are one number for all: a histogram is scatter_add(zeros<float, 10>(), x, 1.0f, axis<0>).
template <operand B, detail::index_operand I, class U, int A>
  requires(operand<U> || detail::scalar<U>)
constexpr auto scatter_add(B&& base, I&& indices, U&& updates, axis_set<A>) {
  using S = detail::shape_of<B>;
  using index = detail::indices_t<I&&>;
  using T = detail::element_of<B>;
  (void)sizeof(detail::axis_of_shape<S, A>);
  (void)sizeof(detail::indexed_axis<S, A, index>);
  if constexpr (!detail::indices_fit<S, A, index>) {
    return detail::failed<T, S>{};
  } else if constexpr (operand<U>) {
    using expected = typename detail::taken_shape<S, A, detail::shape_of<index>>::type;
    (void)sizeof(detail::assignable_elements<detail::element_of<U>, T>);
    (void)sizeof(detail::scatter_shapes<expected, detail::shape_of<U>>);
    if constexpr (!detail::may_hold<detail::shape_of<U>, expected> || !detail::stores<detail::element_of<U>, T>) return detail::failed<T, S>{};
    else return detail::apply<detail::scatter_add_operation<A>>(static_cast<B&&>(base), detail::as_indices(static_cast<I&&>(indices)), static_cast<U&&>(updates));
  } else {
    return detail::apply<detail::scatter_add_operation<A>>(static_cast<B&&>(base), detail::as_indices(static_cast<I&&>(indices)), detail::as_operand<B>(updates));
  }
}
/// 1 at each index and 0 elsewhere, along a new last axis of extent N: integers [..] to T [.., N]. An index outside [0, N) gives zeros.
template <extent_t N, element T = float, operand I>
constexpr auto one_hot(I&& indices) {
  (void)sizeof(detail::one_hot_classes<N>);
  (void)sizeof(detail::one_hot_indices<detail::element_of<I>>);
  if constexpr (N > 0 && is_integer(dtype_of<detail::element_of<I>>)) return detail::apply<detail::one_hot_operation<N, T>>(static_cast<I&&>(indices));
  else return detail::failed<T, detail::shape_of<I>>{};
}
/// The indices (int64) that sort an axis, ascending and stable; nan comes last.
template <operand X, int A>
constexpr auto argsort(X&& x, axis_set<A>) {
  (void)sizeof(detail::axis_of_shape<detail::shape_of<X>, A>);
  if constexpr (detail::has_axis<detail::shape_of<X>, A>) return detail::apply<detail::argsort_operation<A>>(static_cast<X&&>(x));
  else return detail::failed<std::int64_t, detail::shape_of<X>>{};
}
template <operand X>
constexpr auto argsort(X&& x) {
  return argsort(static_cast<X&&>(x), axis<-1>);
}
/// The elements of an axis in ascending order; nan comes last. The derivative goes to where each element came from.
template <operand X, int A>
constexpr auto sort(X&& x, axis_set<A>) {
  (void)sizeof(detail::axis_of_shape<detail::shape_of<X>, A>);
  if constexpr (detail::has_axis<detail::shape_of<X>, A>) return detail::apply<detail::sort_operation<A>>(static_cast<X&&>(x));
  else return detail::failed<detail::element_of<X>, detail::shape_of<X>>{};
}
template <operand X>
constexpr auto sort(X&& x) {
  return sort(static_cast<X&&>(x), axis<-1>);
}

}  // namespace DIMITY_NAMESPACE
