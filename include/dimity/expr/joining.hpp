// Several tensors into one, one into several, and one repeated or padded.
#pragma once

#include <dimity/expr/slicing.hpp>

#include <tuple>

namespace DIMITY_NAMESPACE {
namespace detail {

template <extent_t Extent, int Parts>
struct split_extent {
  static_assert(Extent % Parts == 0, "[dimity.shape.9] split: the extent must be a multiple of the number of parts (extent, parts)");
};
template <class Shape, int Widths>
struct pad_widths {
  static_assert(Widths == 2 * Shape::rank, "[dimity.shape.10] pad: two widths an axis, before and after");
};

/// Extents chosen at run time are equal but on the joined axis (-1: on all).
constexpr void join(ref a, ref b, int axis) {
  for (int i = 0; i < a.rank(); ++i)
    if (i != axis) a.g->unify(a.extent(i), b.extent(i));
}
template <int Axis>
struct concat_operation {
  template <class... R>
  static constexpr ref emit(builder&, ref first, R... rest) {
    int const axis = normalize_axis(Axis, first.rank());
    (join(first, rest, axis), ...);
    ((first = concat(first, rest, axis)), ...);
    return first;
  }
};
template <int Axis>
struct stack_operation {
  template <class... R>
  static constexpr ref emit(builder& g, ref first, R... rest) {
    int const axis = normalize_axis(Axis, first.rank() + 1);
    (join(first, rest, -1), ...);
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
      extent_t const n = t >= 0 ? times[t] : 1;
      amount const e = from >= 0 ? a.extent(from) : amount(1);
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
}  // namespace detail

namespace detail {

/// Extents may differ on the axis that is joined; for stack(), which joins a new one, Axis is -1.
template <int Axis, class Left, class Right>
struct joined_shapes {
  static constexpr int mismatch() {
    for (int i = 0; Left::rank == Right::rank && i < Left::rank; ++i)
      if (i != Axis && !may_be_equal(Left::at(i), Right::at(i))) return i;
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
  (void)sizeof(detail::split_extent<detail::has_axis<S, Axis> && n >= 0 ? n : 0, Parts>);
  (void)sizeof(detail::known_extents<(n < 0 ? n : 0)>);
  return [&]<int... I>(std::integer_sequence<int, I...>) {
    if constexpr (detail::has_axis<S, Axis> && n >= 0 && n % Parts == 0) return std::tuple{slice<Axis, I * (n / Parts), (I + 1) * (n / Parts)>(x)...};
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

}  // namespace DIMITY_NAMESPACE
