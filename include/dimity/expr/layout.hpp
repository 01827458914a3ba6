// The same elements in other shapes and orders. In an expression these cost nothing where strides can say it.
#pragma once

#include <dimity/expr/expression.hpp>
#include <dimity/expr/rules.hpp>

namespace dimity {
namespace detail {

template <class From, class To>
struct reshape_shapes {
  static_assert(From::size == To::size, "[dimity.shape.7] reshape: both shapes must have the same number of elements");
};
// Each rule is a predicate and a struct with the error: clang evaluates nothing that mentions a class with a failed static_assert.
template <class Shape, int... Axes>
constexpr bool is_permutation() {
  std::uint32_t seen = 0;
  ((seen |= 1u << (normalize_axis(Axes, Shape::rank) & 31)), ...);
  return seen == (1u << Shape::rank) - 1u && static_cast<int>(sizeof...(Axes)) == Shape::rank;
}
template <class Shape, int... Axes>
struct axis_permutation {
  static_assert(is_permutation<Shape, Axes...>(), "[dimity.axis.2] permute: every axis must be named exactly once");
};

template <extent_t Step>
struct slice_step {
  static_assert(Step != 0, "[dimity.axis.3] slice: the step cannot be 0");
};
template <extent_t Extent, int Parts>
struct split_extent {
  static_assert(Extent % Parts == 0, "[dimity.shape.9] split: the extent must be a multiple of the number of parts (extent, parts)");
};
template <class Shape, int Widths>
struct pad_widths {
  static_assert(Widths == 2 * Shape::rank, "[dimity.shape.10] pad: two widths an axis, before and after");
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
/// The operation along axes that exist; otherwise an operand of the same shape stands for it.
template <class Operation, int... A, class X, class... More>
constexpr auto apply_on_axes(X&& x, More&&... more) {
  if constexpr ((has_axis<shape_of<X>, A> && ...)) return apply<Operation>(static_cast<X&&>(x), static_cast<More&&>(more)...);
  else return failed<element_of<X>, shape_of<X>>{};
}

template <extent_t... E>
struct reshape_operation {
  static constexpr ref emit(builder&, ref a) { return reshape(a, shape_value_of<shape<E...>>::value); }
};
template <int... Axes>
struct permute_operation {
  static constexpr ref emit(builder&, ref a) {
    axis_map p;
    [[maybe_unused]] int i = 0;
    ((p.set(i++, normalize_axis(Axes, a.rank()))), ...);
    return transpose(a, p);
  }
};
struct transpose_operation {
  static constexpr ref emit(builder&, ref a) {
    axis_map p;
    for (int i = 0; i < a.rank(); ++i) p.set(i, a.rank() - 1 - i);
    return transpose(a, p);
  }
};
template <int A, int B>
struct swap_axes_operation {
  static constexpr ref emit(builder&, ref a) {
    int const x = normalize_axis(A, a.rank()), y = normalize_axis(B, a.rank());
    axis_map p = axis_map::identity(a.rank());
    p.set(x, y);
    p.set(y, x);
    return transpose(a, p);
  }
};
template <int... Axes>
struct expand_operation {
  static constexpr ref emit(builder&, ref a) {
    int const rank = a.rank() + static_cast<int>(sizeof...(Axes));
    std::uint32_t fresh = 0;
    ((fresh |= 1u << normalize_axis(Axes, rank)), ...);
    shape_value s;
    for (int i = 0, j = 0; i < rank; ++i) s.push(fresh >> i & 1u ? 1 : a.extent(j++));
    return reshape(a, s);
  }
};
template <std::uint32_t Mask>
struct squeeze_operation {
  static constexpr ref emit(builder&, ref a) {
    shape_value s;
    for (int i = 0; i < a.rank(); ++i)
      if (!((Mask >> i & 1u) && a.extent(i) == 1)) s.push(a.extent(i));
    return reshape(a, s);
  }
};
template <extent_t... E>
struct broadcast_to_operation {
  static constexpr ref emit(builder&, ref a) { return broadcast_to(a, shape_value_of<shape<E...>>::value); }
};
template <int Axis, extent_t Begin, extent_t End, extent_t Step>
struct slice_operation {
  static constexpr ref emit(builder&, ref a) {
    int const axis = normalize_axis(Axis, a.rank());
    extent_t const n = a.extent(axis);
    extent_t const begin = bound(Begin, n), end = End == end_of_axis ? (Step > 0 ? n : -1) : bound(End, n);
    extent_t const span = Step > 0 ? end - begin : begin - end, step = Step > 0 ? Step : -Step;
    return slice_axis(a, axis, begin, span <= 0 ? 0 : (span + step - 1) / step, Step);
  }
  static constexpr extent_t end_of_axis = INT64_MAX;
  /// Python's rule: negative positions count from the end, and everything is limited to the axis.
  static constexpr extent_t bound(extent_t i, extent_t n) {
    if (i < 0) i += n;
    if (Step > 0) return i < 0 ? 0 : i > n ? n : i;
    return i < -1 ? -1 : i > n - 1 ? n - 1 : i;
  }
};
template <std::uint32_t Mask>
struct flip_operation {
  static constexpr ref emit(builder&, ref a) {
    for (int i = 0; i < a.rank(); ++i)
      if (Mask >> i & 1u) a = slice_axis(a, i, a.extent(i) - 1, a.extent(i), -1);
    return a;
  }
};
template <extent_t Shift, int Axis>
struct roll_operation {
  static constexpr ref emit(builder&, ref a) {
    int const axis = normalize_axis(Axis, a.rank());
    extent_t const n = a.extent(axis);
    if (n == 0) return a;
    extent_t const s = (Shift % n + n) % n;
    return concat(slice_axis(a, axis, n - s, s), slice_axis(a, axis, 0, n - s), axis);
  }
};
template <int Axis>
struct concat_operation {
  template <class... R>
  static constexpr ref emit(builder&, ref first, R... rest) {
    int const axis = normalize_axis(Axis, first.rank());
    ((first = concat(first, rest, axis)), ...);
    return first;
  }
};
template <int Axis>
struct stack_operation {
  template <class... R>
  static constexpr ref emit(builder& g, ref first, R... rest) {
    int const axis = normalize_axis(Axis, first.rank() + 1);
    ref result = expanded(first, axis);
    ((result = concat(result, expanded(rest, axis), axis)), ...);
    (void)g;
    return result;
  }
  static constexpr ref expanded(ref x, int axis) {
    shape_value s;
    for (int i = 0; i <= x.rank(); ++i) s.push(i == axis ? 1 : x.extent(i < axis ? i : i - 1));
    return reshape(x, s);
  }
};
template <extent_t... Times>
struct tile_operation {
  static constexpr ref emit(builder&, ref a) {
    constexpr int given = static_cast<int>(sizeof...(Times));
    extent_t const times[] = {Times..., 1};
    int const rank = a.rank() > given ? a.rank() : given;
    // [t0, e0, t1, e1, ...], merged pairwise.
    shape_value s, merged;
    axis_map map;
    for (int i = 0; i < rank; ++i) {
      int const from = i - (rank - a.rank()), t = i - (rank - given);
      extent_t const n = t >= 0 ? times[t] : 1, e = from >= 0 ? a.extent(from) : 1;
      if (n != 1) s.push(n);
      if (from >= 0) map.set(s.rank, from);
      if (from >= 0 || n == 1) s.push(e);
      merged.push(n * e);
    }
    return reshape(broadcast(a, s, map), merged);
  }
};
template <extent_t Times, int Axis>
struct repeat_operation {
  static constexpr ref emit(builder&, ref a) {
    int const axis = normalize_axis(Axis, a.rank());
    shape_value s, merged = a.shape();
    axis_map map;
    for (int i = 0; i < a.rank(); ++i) {
      map.set(s.rank, i);
      s.push(a.extent(i));
      if (i == axis) s.push(Times);
    }
    merged.extent[axis] *= Times;
    return reshape(broadcast(a, s, map), merged);
  }
};
template <extent_t... Widths>
struct pad_operation {
  static constexpr ref emit(builder&, ref a) {
    extent_t const widths[] = {Widths..., 0, 0};
    for (int i = 0; i < a.rank() && 2 * i < static_cast<int>(sizeof...(Widths)); ++i) a = pad_axis(a, i, widths[2 * i], widths[2 * i + 1]);
    return a;
  }
};
template <extent_t Offset>
struct diagonal_operation {
  static constexpr ref emit(builder&, ref a) {
    extent_t const rows = a.extent(0), columns = a.extent(1);
    extent_t const first = Offset >= 0 ? Offset : -Offset * columns;
    extent_t const n = Offset >= 0 ? (rows < columns - Offset ? rows : columns - Offset) : (rows + Offset < columns ? rows + Offset : columns);
    shape_value flat;
    flat.push(rows * columns);
    return slice_axis(reshape(a, flat), 0, first, n > 0 ? n : 0, columns + 1);
  }
};
template <extent_t Offset, bool Upper>
struct triangle_operation {
  static constexpr ref emit(builder& g, ref a) {
    int const r = a.rank();
    ref const row = iota(g, dtype::int64, a.shape(), r - 2), column = iota(g, dtype::int64, a.shape(), r - 1);
    ref const shifted = row + full(g, dtype::int64, a.shape(), static_cast<double>(Offset));
    ref const keep = Upper ? binary(primitive::less_equal, shifted, column) : binary(primitive::less_equal, column, shifted);
    return select(keep, a, full_like(a, 0));
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

/// The same elements, row-major, in another shape with as many elements.
template <extent_t... E, operand X>
constexpr auto reshape(X&& x) {
  (void)sizeof(detail::reshape_shapes<detail::shape_of<X>, shape<E...>>);
  if constexpr (detail::shape_of<X>::size == shape<E...>::size) return detail::apply<detail::reshape_operation<E...>>(static_cast<X&&>(x));
  else return detail::failed<detail::element_of<X>, shape<E...>>{};
}
/// One axis of all elements.
template <operand X>
constexpr auto flatten(X&& x) {
  return detail::apply<detail::reshape_operation<detail::shape_of<X>::size>>(static_cast<X&&>(x));
}
/// All axes in reverse order; the transpose of a matrix.
template <operand X>
constexpr auto transpose(X&& x) {
  return detail::apply<detail::transpose_operation>(static_cast<X&&>(x));
}
/// The last two axes exchanged: the transpose of every matrix of a batch.
template <operand X>
constexpr auto matrix_transpose(X&& x) {
  (void)sizeof(detail::axis_of_shape<detail::shape_of<X>, -2>);
  return detail::apply_on_axes<detail::swap_axes_operation<-2, -1>, -2>(static_cast<X&&>(x));
}
template <int A, int B, operand X>
constexpr auto swap_axes(X&& x) {
  (void)sizeof(detail::axis_of_shape<detail::shape_of<X>, A>);
  (void)sizeof(detail::axis_of_shape<detail::shape_of<X>, B>);
  return detail::apply_on_axes<detail::swap_axes_operation<A, B>, A, B>(static_cast<X&&>(x));
}
/// Axis i of the result is axis Axes[i] of x.
template <int... Axes, operand X>
constexpr auto permute(X&& x) {
  (void)sizeof(detail::axis_permutation<detail::shape_of<X>, Axes...>);
  if constexpr (detail::is_permutation<detail::shape_of<X>, Axes...>()) return detail::apply<detail::permute_operation<Axes...>>(static_cast<X&&>(x));
  else return detail::failed<detail::element_of<X>, detail::shape_of<X>>{};
}
/// New axes of extent 1 at the named positions of the result.
template <int... Axes, operand X>
constexpr auto expand_dims(X&& x) {
  constexpr int fresh = static_cast<int>(sizeof...(Axes)), rank = detail::shape_of<X>::rank + fresh;
  ((void)sizeof(detail::axis_of_result<detail::shape_of<X>, fresh, Axes>), ...);
  if constexpr (((Axes >= -rank && Axes < rank) && ...)) return detail::apply<detail::expand_operation<Axes...>>(static_cast<X&&>(x));
  else return detail::failed<detail::element_of<X>, detail::shape_of<X>>{};
}
/// Without the named axes (or all) of extent 1.
template <int... Axes, operand X>
constexpr auto squeeze(X&& x) {
  using S = detail::shape_of<X>;
  constexpr std::uint32_t mask = sizeof...(Axes) == 0 ? 0xffu : ((1u << (detail::normalize_axis(Axes, S::rank) & 7)) | ... | 0u);
  ((void)sizeof(detail::axis_of_shape<S, Axes>), ...);
  return detail::apply_on_axes<detail::squeeze_operation<mask>, Axes...>(static_cast<X&&>(x));
}
/// Repeated to a larger shape by NumPy's rule.
template <extent_t... E, operand X>
constexpr auto broadcast_to(X&& x) {
  (void)sizeof(detail::broadcast_to_shape<detail::shape_of<X>, shape<E...>>);
  if constexpr (detail::broadcast_into<detail::shape_of<X>, shape<E...>>::value) return detail::apply<detail::broadcast_to_operation<E...>>(static_cast<X&&>(x));
  else return detail::failed<detail::element_of<X>, shape<E...>>{};
}
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

template <class T, extent_t First, extent_t... Rest>
constexpr auto row_view(T* data, extent_t i, shape<First, Rest...>) {
  return view<Rest...>(data + i * shape<Rest...>::size);
}
template <class T, extent_t R, extent_t C>
constexpr auto column_view(T* data, extent_t j, shape<R, C>) {
  return tensor_view<T, shape<R>, strides<C>>(data + j);
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
  if constexpr (detail::is_named_tensor<X&&>) return detail::row_view(x.data(), static_cast<extent_t>(i), detail::shape_of<X>{});
  else return pick<0>(static_cast<X&&>(x), i);
}
/// Column j of a matrix; a view of a named tensor, as row().
template <operand X, std::integral I>
  requires(detail::shape_of<X>::rank == 2)
constexpr auto column(X&& x, I j) {
  if constexpr (detail::is_named_tensor<X&&>) return detail::column_view(x.data(), static_cast<extent_t>(j), detail::shape_of<X>{});
  else return pick<1>(static_cast<X&&>(x), j);
}
/// Rows [Begin, Begin + Count) of a named tensor as a view that can be assigned to.
template <extent_t Count, class T, extent_t First, extent_t... Rest>
constexpr auto rows(tensor<T, First, Rest...>& x, extent_t begin) {
  return view<Count, Rest...>(x.data() + begin * shape<Rest...>::size);
}
template <extent_t Count, class T, extent_t First, extent_t... Rest>
constexpr auto rows(tensor<T, First, Rest...> const& x, extent_t begin) {
  return view<Count, Rest...>(x.data() + begin * shape<Rest...>::size);
}

/// Elements in reverse order along the axes.
template <operand X, int... A>
constexpr auto flip(X&& x, axis_set<A...>) {
  using S = detail::shape_of<X>;
  ((void)sizeof(detail::axis_of_shape<S, A>), ...);
  return detail::apply_on_axes<detail::flip_operation<((1u << (detail::normalize_axis(A, S::rank) & 7)) | ...)>, A...>(static_cast<X&&>(x));
}
/// Elements moved by Shift along an axis; those that leave come back at the other end.
template <extent_t Shift, operand X, int A>
constexpr auto roll(X&& x, axis_set<A>) {
  (void)sizeof(detail::axis_of_shape<detail::shape_of<X>, A>);
  return detail::apply_on_axes<detail::roll_operation<Shift, A>, A>(static_cast<X&&>(x));
}

namespace detail {

/// Extents may differ on the axis that is joined; for stack(), which joins a new one, Axis is -1.
template <int Axis, class Left, class Right>
struct joined_shapes {
  static constexpr int mismatch() {
    for (int i = 0; Left::rank == Right::rank && i < Left::rank; ++i)
      if (i != Axis && Left::at(i) != Right::at(i)) return i;
    return -1;
  }
  static constexpr extent_t left = mismatch() < 0 ? 1 : Left::at(mismatch()), right = mismatch() < 0 ? 1 : Right::at(mismatch());
  static constexpr bool value = Left::rank == Right::rank && left == right;
};
template <int Axis, class Left, class Right>
struct concat_shapes {
  using check = joined_shapes<Axis, Left, Right>;
  static_assert(Left::rank == Right::rank, "[dimity.shape.8] concat, stack: all operands need the same rank and the same extents but on the joined axis");
  static_assert(check::left == check::right, "[dimity.shape.8] concat, stack: all operands need the same rank and the same extents but on the joined axis");
};
/// The first of several operands that does not fit the one before all of them; the last when all do.
template <int Axis, class Left, class... Right>
struct joined_with {
  static constexpr bool value = true;
  using rule = Left;
};
template <int Axis, class Left, class First, class... Right>
struct joined_with<Axis, Left, First, Right...> {
  static constexpr bool value = joined_shapes<Axis, Left, First>::value && joined_with<Axis, Left, Right...>::value;
  using rule = std::conditional_t<joined_shapes<Axis, Left, First>::value && sizeof...(Right) != 0, typename joined_with<Axis, Left, Right...>::rule, concat_shapes<Axis, Left, First>>;
};

}  // namespace detail

/// Operands one after the other along an existing axis.
template <int Axis = 0, operand X, operand... R>
constexpr auto concat(X&& x, R&&... rest) {
  using S = detail::shape_of<X>;
  using joined = detail::joined_with<detail::normalize_axis(Axis, S::rank), S, detail::shape_of<R>...>;
  (void)sizeof(detail::axis_of_shape<S, Axis>);
  (void)sizeof(typename joined::rule);
  if constexpr (joined::value) return detail::apply_on_axes<detail::concat_operation<Axis>, Axis>(static_cast<X&&>(x), static_cast<R&&>(rest)...);
  else return detail::failed<detail::element_of<X>, S>{};
}
/// Operands one after the other along a new axis.
template <int Axis = 0, operand X, operand... R>
constexpr auto stack(X&& x, R&&... rest) {
  using S = detail::shape_of<X>;
  using joined = detail::joined_with<-1, S, detail::shape_of<R>...>;
  (void)sizeof(detail::axis_of_result<S, 1, Axis>);
  (void)sizeof(typename joined::rule);
  if constexpr (joined::value && Axis >= -S::rank - 1 && Axis <= S::rank) return detail::apply<detail::stack_operation<Axis>>(static_cast<X&&>(x), static_cast<R&&>(rest)...);
  else return detail::failed<detail::element_of<X>, S>{};
}
/// Parts of equal extent along an axis, as a tuple. A temporary operand is copied into each.
template <int Parts, int Axis = 0, operand X>
constexpr auto split(X&& x) {
  using S = detail::shape_of<X>;
  constexpr extent_t n = S::at(Axis);
  (void)sizeof(detail::axis_of_shape<S, Axis>);
  (void)sizeof(detail::split_extent<detail::has_axis<S, Axis> ? n : 0, Parts>);
  return [&]<int... I>(std::integer_sequence<int, I...>) {
    if constexpr (detail::has_axis<S, Axis> && n % Parts == 0) return std::tuple{slice<Axis, I * (n / Parts), (I + 1) * (n / Parts)>(x)...};
    else return std::tuple{(static_cast<void>(I), detail::failed<detail::element_of<X>, S>{})...};
  }(std::make_integer_sequence<int, Parts>{});
}
/// The whole tensor repeated, Times[i] times along axis i (counted from the last, as NumPy).
template <extent_t... Times, operand X>
constexpr auto tile(X&& x) {
  return detail::apply<detail::tile_operation<Times...>>(static_cast<X&&>(x));
}
/// Each element repeated Times times along an axis.
template <extent_t Times, operand X, int A>
constexpr auto repeat(X&& x, axis_set<A>) {
  (void)sizeof(detail::axis_of_shape<detail::shape_of<X>, A>);
  return detail::apply_on_axes<detail::repeat_operation<Times, A>, A>(static_cast<X&&>(x));
}
/// Zeros around: before and after axis 0, before and after axis 1, ...
template <extent_t... Widths, operand X>
constexpr auto pad(X&& x) {
  constexpr int widths = static_cast<int>(sizeof...(Widths));
  (void)sizeof(detail::pad_widths<detail::shape_of<X>, widths>);
  if constexpr (widths == 2 * detail::shape_of<X>::rank) return detail::apply<detail::pad_operation<Widths...>>(static_cast<X&&>(x));
  else return detail::failed<detail::element_of<X>, detail::shape_of<X>>{};
}
/// Elements (i, i + Offset) of a matrix.
template <extent_t Offset = 0, operand X>
  requires(detail::shape_of<X>::rank == 2)
constexpr auto diagonal(X&& x) {
  return detail::apply<detail::diagonal_operation<Offset>>(static_cast<X&&>(x));
}
/// Zero above diagonal Offset of the last two axes.
template <extent_t Offset = 0, operand X>
  requires(detail::shape_of<X>::rank >= 2)
constexpr auto tril(X&& x) {
  return detail::apply<detail::triangle_operation<Offset, false>>(static_cast<X&&>(x));
}
/// Zero below diagonal Offset of the last two axes.
template <extent_t Offset = 0, operand X>
  requires(detail::shape_of<X>::rank >= 2)
constexpr auto triu(X&& x) {
  return detail::apply<detail::triangle_operation<Offset, true>>(static_cast<X&&>(x));
}

}  // namespace dimity
