// Parts of a tensor: slices with positions known at compile time or at run time, rows and columns.
#pragma once

#include <dimity/expr/layout.hpp>

namespace DIMITY_NAMESPACE {
namespace detail {

template <extent_t Step>
struct slice_step {
  static_assert(Step != 0, "[dimity.axis.3] slice: the step cannot be 0");
};
/// The result for operands that do not fit, as far as it can be known: the shape of x without one axis.
template <class T, extent_t First, extent_t... E>
constexpr auto failed_pick(shape<First, E...>) {
  return failed<T, shape<E...>>{};
}
template <class T>
constexpr auto failed_pick(shape<>) {
  return failed<T, shape<>>{};
}

template <int Axis, extent_t Begin, extent_t End, extent_t Step>
struct slice_operation {
  static constexpr ref emit(builder&, ref a) {
    int const axis = normalize_axis(Axis, a.rank());
    if (!a.extent(axis).is_known()) return run_time(a, axis, *a.g->extents);
    extent_t const n = a.extent(axis).number();
    extent_t const begin = bound(Begin, n), end = End == end_of_axis ? (Step > 0 ? n : -1) : bound(End, n);
    extent_t const span = Step > 0 ? end - begin : begin - end, step = Step > 0 ? Step : -Step;
    return slice_axis(a, axis, begin, span <= 0 ? 0 : (span + step - 1) / step, Step);
  }
  /// Bounds are limited where that can change the number of elements; where there are none, what the start would be does not matter.
  static constexpr ref run_time(ref a, int axis, extent_table& t) {
    amount const n = a.extent(axis);
    auto const from_end = [&](extent_t i) { return t.sum(n, i); };
    amount begin = 0, end = 0, span = 0;
    if (Step > 0) {
      begin = Begin >= 0 ? amount(Begin) : t.maximum(from_end(Begin), 0);
      end = End == end_of_axis ? n : End >= 0 ? t.minimum(n, End) : from_end(End);
      span = t.difference(end, begin);
    } else {
      begin = Begin >= 0 ? t.minimum(from_end(-1), Begin) : from_end(Begin);
      end = End == end_of_axis ? amount(-1) : End >= 0 ? amount(End) : t.maximum(from_end(End), -1);
      span = t.difference(begin, end);
    }
    return slice_axis(a, axis, begin, t.quotient(t.not_negative(span), Step > 0 ? Step : -Step), Step);
  }
  static constexpr extent_t end_of_axis = INT64_MAX;
  /// Python's rule: negative positions count from the end, and everything is limited to the axis.
  static constexpr extent_t bound(extent_t i, extent_t n) {
    if (i < 0) i += n;
    if (Step > 0) return i < 0 ? 0 : i > n ? n : i;
    return i < -1 ? -1 : i > n - 1 ? n - 1 : i;
  }
};
struct dynamic_slice_helper {
  static constexpr ref start_at(builder& g, ref index, int axis, int rank) {
    shape_value s;
    s.push(rank);
    ref const position = iota(g, dtype::int64, s, 0);
    ref const wide = broadcast_to(cast(index, dtype::int64), s);
    return select(equal(position, full(g, dtype::int64, s, axis)), wide, full(g, dtype::int64, s, 0));
  }
};
/// `Count` elements of one axis from a position that is known only at run time.
template <int Axis, extent_t Count>
struct dynamic_slice_operation {
  static constexpr ref emit(builder& g, ref a, ref start) {
    int const axis = normalize_axis(Axis, a.rank());
    shape_value s = a.shape();
    s.extent[axis] = Count;
    node const i = start.get();
    if (i.op == primitive::constant && !is_floating(i.type) && a.extent(axis).is_known()) {
      // A plain number inside a traced function: a view of the operand, moved so that it fits as at run time.
      std::int64_t const n = a.extent(axis).number(), most = n - Count, from = i.attribute < 0 ? i.attribute + n : i.attribute;
      return slice_axis(a, axis, from < 0 ? 0 : from > most ? most : from, Count);
    }
    return dynamic_slice(a, dynamic_slice_helper::start_at(g, start, axis, a.rank()), s);
  }
};
template <int Axis>
struct pick_operation {
  static constexpr ref emit(builder& g, ref a, ref index) {
    int const axis = normalize_axis(Axis, a.rank());
    return reshape(dynamic_slice_operation<Axis, 1>::emit(g, a, index), without_axes(a.shape(), 1u << axis));
  }
};
template <int Axis>
struct dynamic_update_operation {
  static constexpr ref emit(builder& g, ref a, ref block, ref start) {
    return dynamic_update_slice(a, dynamic_slice_helper::start_at(g, start, normalize_axis(Axis, a.rank()), a.rank()), cast(block, a.type()));
  }
};

}  // namespace detail

/// The end of an axis, for slices: `slice<0, 2, to_end>(x)`.
inline constexpr extent_t to_end = INT64_MAX;

/// Elements Begin, Begin + Step, ... before End of one axis, by Python's rules (negative positions count from the end; Step may be negative).
template <int Axis, extent_t Begin, extent_t End = to_end, extent_t Step = 1, operand X>
constexpr auto slice(X&& x) {
  (void)sizeof(detail::axis_of_shape<detail::shape_of<X>, Axis>);
  (void)sizeof(detail::slice_step<Step>);
  if constexpr (Step != 0) return detail::apply_on_axes<detail::slice_operation<Axis, Begin, End, Step>, Axis>(static_cast<X&&>(x));
  else return detail::failed<detail::element_of<X>, detail::shape_of<X>>{};
}
/// Count elements of one axis from a start known at run time (an integer or a rank-0 tensor); moved back so that they fit.
template <int Axis, extent_t Count, operand X, class I>
  requires(operand<I> || std::integral<std::remove_cvref_t<I>>)
constexpr auto dynamic_slice(X&& x, I&& start) {
  (void)sizeof(detail::axis_of_shape<detail::shape_of<X>, Axis>);
  if constexpr (operand<I>) return detail::apply_on_axes<detail::dynamic_slice_operation<Axis, Count>, Axis>(static_cast<X&&>(x), static_cast<I&&>(start));
  else return detail::apply_on_axes<detail::dynamic_slice_operation<Axis, Count>, Axis>(static_cast<X&&>(x), detail::scalar_leaf<std::int64_t>{static_cast<std::int64_t>(start)});
}
/// x with a block written along one axis from a start known at run time.
template <int Axis, operand X, operand B, class I>
  requires(operand<I> || std::integral<std::remove_cvref_t<I>>)
constexpr auto dynamic_update_slice(X&& x, B&& block, I&& start) {
  (void)sizeof(detail::axis_of_shape<detail::shape_of<X>, Axis>);
  if constexpr (operand<I>) return detail::apply_on_axes<detail::dynamic_update_operation<Axis>, Axis>(static_cast<X&&>(x), static_cast<B&&>(block), static_cast<I&&>(start));
  else return detail::apply_on_axes<detail::dynamic_update_operation<Axis>, Axis>(static_cast<X&&>(x), static_cast<B&&>(block), detail::scalar_leaf<std::int64_t>{static_cast<std::int64_t>(start)});
}
/// Element i of axis Axis, which disappears; i is an integer or a rank-0 tensor.
template <int Axis, operand X, class I>
  requires(operand<I> || std::integral<std::remove_cvref_t<I>>)
constexpr auto pick(X&& x, I&& index) {
  (void)sizeof(detail::axis_of_shape<detail::shape_of<X>, Axis>);
  if constexpr (!detail::has_axis<detail::shape_of<X>, Axis>) return detail::failed_pick<detail::element_of<X>>(detail::shape_of<X>{});
  else if constexpr (operand<I>) return detail::apply<detail::pick_operation<Axis>>(static_cast<X&&>(x), static_cast<I&&>(index));
  else return detail::apply<detail::pick_operation<Axis>>(static_cast<X&&>(x), detail::scalar_leaf<std::int64_t>{static_cast<std::int64_t>(index)});
}

namespace detail {

/// Elements of `Shape` at `data`; `extents` are those of the tensor from the first axis that is left on, for what is chosen at run time.
template <extent_t... E, class T>
constexpr auto part_view(T* data, extent_t const* extents) {
  if constexpr (has_run_time_extent<E...>) return tensor_view<T, shape<E...>, run_time_strides>(data, extents);
  else return view<E...>(data);
}
template <class T, extent_t First, extent_t... Rest>
constexpr auto row_view(T* data, extent_t i, extent_t const* extents, shape<First, Rest...>) {
  extent_t size = 1;
  for (int axis = 1; axis <= static_cast<int>(sizeof...(Rest)); ++axis) size *= extents[axis];
  return part_view<Rest...>(data + i * size, extents + 1);
}
template <class T, extent_t R, extent_t C>
constexpr auto column_view(T* data, extent_t j, shape<R, C>) {
  return tensor_view<T, shape<R>, strides<C>>(data + j);
}
template <extent_t Count, class T, extent_t First, extent_t... Rest>
constexpr auto rows_view(T* data, extent_t begin, extent_t const* extents, shape<First, Rest...>) {
  extent_t own[sizeof...(Rest) + 1] = {Count};
  extent_t size = 1;
  for (int axis = 1; axis <= static_cast<int>(sizeof...(Rest)); ++axis) size *= own[axis] = extents[axis];
  return part_view<Count, Rest...>(data + begin * size, own);
}
template <class X>
inline constexpr bool is_named_tensor = false;
template <class T, extent_t... E>
inline constexpr bool is_named_tensor<tensor<T, E...>&> = element<T>;
template <class T, extent_t... E>
inline constexpr bool is_named_tensor<tensor<T, E...> const&> = element<T>;

}  // namespace detail

/// Row i (along the first axis). Of a named tensor a view, which can be assigned to; of anything else an expression.
template <operand X, std::integral I>
constexpr auto row(X&& x, I i) {
  if constexpr (detail::is_named_tensor<X&&>) return detail::row_view(x.data(), static_cast<extent_t>(i), detail::extents_of(x), detail::shape_of<X>{});
  else return pick<0>(static_cast<X&&>(x), i);
}
/// Column j of a matrix; a view of a named tensor, as row(), where its extents are known.
template <operand X, std::integral I>
  requires(detail::shape_of<X>::rank == 2)
constexpr auto column(X&& x, I j) {
  if constexpr (detail::is_named_tensor<X&&> && detail::shape_of<X>::run_time_extents == 0) return detail::column_view(x.data(), static_cast<extent_t>(j), detail::shape_of<X>{});
  else return pick<1>(static_cast<X&&>(x), j);
}
/// Rows [Begin, Begin + Count) of a named tensor as a view that can be assigned to.
template <extent_t Count, class T, extent_t First, extent_t... Rest>
constexpr auto rows(tensor<T, First, Rest...>& x, extent_t begin) {
  return detail::rows_view<Count>(x.data(), begin, detail::extents_of(x), shape<First, Rest...>{});
}
template <extent_t Count, class T, extent_t First, extent_t... Rest>
constexpr auto rows(tensor<T, First, Rest...> const& x, extent_t begin) {
  return detail::rows_view<Count>(x.data(), begin, detail::extents_of(x), shape<First, Rest...>{});
}

}  // namespace DIMITY_NAMESPACE
