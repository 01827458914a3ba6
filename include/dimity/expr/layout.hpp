// The same elements in other shapes and orders. In an expression these cost nothing where strides can say it.
#pragma once

#include <dimity/expr/expression.hpp>
#include <dimity/expr/rules.hpp>

namespace DIMITY_NAMESPACE {
namespace detail {

/// One `dyn` in the new shape is what is left of the elements.
template <class From, class To>
constexpr bool can_reshape() {
  extent_t rest = 1;
  for (int i = 0; i < To::rank; ++i) rest *= To::at(i) < 0 ? 1 : To::at(i);
  if (From::size >= 0 && To::size >= 0) return From::size == To::size;
  return From::size < 0 || (rest == 0 ? From::size == 0 : From::size % rest == 0);
}
template <class From, class To>
inline constexpr bool reshape_fits = can_reshape<From, To>();
template <class From, class To>
struct reshape_shapes {
  static constexpr extent_t from = reshape_fits<From, To> ? 1 : From::size, to = reshape_fits<From, To> ? 1 : To::size;
  static_assert(from == to, "[dimity.shape.7] reshape: both shapes must have the same number of elements");
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

/// The operation along axes that exist; otherwise an operand of the same shape stands for it.
template <class Operation, int... A, class X, class... More>
constexpr auto apply_on_axes(X&& x, More&&... more) {
  if constexpr ((has_axis<shape_of<X>, A> && ...)) return apply<Operation>(static_cast<X&&>(x), static_cast<More&&>(more)...);
  else return failed<element_of<X>, shape_of<X>>{};
}

template <extent_t... E>
struct reshape_operation {
  static constexpr ref emit(builder& g, ref a) { return reshape(a, g.extents->of_shape(shape_value_of<shape<E...>>::value)); }
};
template <int Axis>
struct extent_operation {
  static constexpr ref emit(builder& g, ref a) { return count_of(g, dtype::int64, a.extent(normalize_axis(Axis, a.rank()))); }
};
struct flatten_operation {
  static constexpr ref emit(builder&, ref a) {
    shape_value s;
    s.push(a.shape().size());
    return reshape(a, s);
  }
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
  static constexpr ref emit(builder& g, ref a) { return broadcast_to(a, g.extents->of_shape(shape_value_of<shape<E...>>::value)); }
};
template <std::uint32_t Mask>
struct flip_operation {
  static constexpr ref emit(builder&, ref a) {
    for (int i = 0; i < a.rank(); ++i)
      if (Mask >> i & 1u) a = slice_axis(a, i, a.g->extents->difference(a.extent(i), 1), a.extent(i), -1);
    return a;
  }
};
template <extent_t Shift, int Axis>
struct roll_operation {
  /// Where the extent is known at run time only: element i is element (i - Shift) mod n.
  static constexpr ref gather_rolled(ref a, int axis) {
    builder& g = *a.g;
    shape_value s;
    s.push(a.extent(axis));
    ref const n = broadcast_to(count_of(g, dtype::int64, a.extent(axis)), s), shift = full(g, dtype::int64, s, static_cast<double>(Shift));
    ref const index = binary(primitive::remainder, iota(g, dtype::int64, s, 0) - shift, n);
    return reshape(gather(reshape(a, around_axis(a.shape(), axis).with(a.extent(axis))), index), a.shape());
  }
  static constexpr ref emit(builder&, ref a) {
    int const axis = normalize_axis(Axis, a.rank());
    if (!a.extent(axis).is_known()) return gather_rolled(a, axis);
    extent_t const n = a.extent(axis).number();
    if (n == 0) return a;
    extent_t const s = (Shift % n + n) % n;
    return concat(slice_axis(a, axis, n - s, s), slice_axis(a, axis, 0, n - s), axis);
  }
};
template <extent_t Offset>
struct diagonal_operation {
  static constexpr ref emit(builder&, ref a) {
    extent_table& t = *a.g->extents;
    amount const rows = a.extent(0), columns = a.extent(1);
    amount const n = t.not_negative(Offset >= 0 ? t.minimum(rows, t.sum(columns, -Offset)) : t.minimum(t.sum(rows, Offset), columns));
    shape_value flat;
    flat.push(rows * columns);
    return slice_axis(reshape(a, flat), 0, Offset >= 0 ? amount(Offset) : amount(-Offset) * columns, n, t.sum(columns, 1).code);
  }
};
template <extent_t Offset, bool Upper>
struct triangle_operation {
  static constexpr ref emit(builder&, ref a) { return triangle(a, Upper, Offset); }
};
}  // namespace detail

/// The same elements, row-major, in another shape with as many elements. One extent may be `dyn`: it is what is left, a number where that is known.
template <extent_t... E, operand X>
constexpr auto reshape(X&& x) {
  (void)sizeof(detail::reshape_shapes<detail::shape_of<X>, shape<E...>>);
  if constexpr (detail::reshape_fits<detail::shape_of<X>, shape<E...>>) return detail::apply<detail::reshape_operation<E...>>(static_cast<X&&>(x));
  else return detail::failed<detail::element_of<X>, shape<E...>>{};
}
/// The extent of an axis as a value, rank 0 and int64: also where it is chosen at run time, and inside traced functions.
template <int Axis, operand X>
constexpr auto extent(X&& x) {
  (void)sizeof(detail::axis_of_shape<detail::shape_of<X>, Axis>);
  return detail::apply_on_axes<detail::extent_operation<Axis>, Axis>(static_cast<X&&>(x));
}
/// One axis of all elements.
template <operand X>
constexpr auto flatten(X&& x) {
  return detail::apply<detail::flatten_operation>(static_cast<X&&>(x));
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
  (void)sizeof(detail::distinct_axes<S, Axes...>);
  return detail::apply_on_axes<detail::squeeze_operation<mask>, Axes...>(static_cast<X&&>(x));
}
/// Repeated to a larger shape by NumPy's rule.
template <extent_t... E, operand X>
constexpr auto broadcast_to(X&& x) {
  (void)sizeof(detail::broadcast_to_shape<detail::shape_of<X>, shape<E...>>);
  if constexpr (detail::broadcast_into<detail::shape_of<X>, shape<E...>>::value) return detail::apply<detail::broadcast_to_operation<E...>>(static_cast<X&&>(x));
  else return detail::failed<detail::element_of<X>, shape<E...>>{};
}
/// Elements in reverse order along the axes.
template <operand X, int... A>
constexpr auto flip(X&& x, axis_set<A...>) {
  using S = detail::shape_of<X>;
  ((void)sizeof(detail::axis_of_shape<S, A>), ...);
  (void)sizeof(detail::distinct_axes<S, A...>);
  return detail::apply_on_axes<detail::flip_operation<((1u << (detail::normalize_axis(A, S::rank) & 7)) | ...)>, A...>(static_cast<X&&>(x));
}
/// Elements moved by Shift along an axis; those that leave come back at the other end.
template <extent_t Shift, operand X, int A>
constexpr auto roll(X&& x, axis_set<A>) {
  (void)sizeof(detail::axis_of_shape<detail::shape_of<X>, A>);
  return detail::apply_on_axes<detail::roll_operation<Shift, A>, A>(static_cast<X&&>(x));
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

}  // namespace DIMITY_NAMESPACE
