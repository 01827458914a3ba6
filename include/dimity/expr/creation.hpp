// Tensors from nothing. These are expressions: `zeros<float, 3>() + x` stores no zeros; assign or eval() to have a tensor.
#pragma once

#include <dimity/expr/expression.hpp>

namespace DIMITY_NAMESPACE {
namespace detail {

template <class T, extent_t... E>
struct full_operation {
  static constexpr ref emit(builder& g, ref value) { return broadcast_to(value, g.extents->of_shape(shape_value_of<shape<E...>>::value)); }
};
template <class T, int Value, extent_t... E>
struct constant_operation {
  static constexpr ref emit(builder& g) { return full(g, dtype_of<T>, g.extents->of_shape(shape_value_of<shape<E...>>::value), Value); }
};
template <class T, extent_t Rows, extent_t Columns, extent_t Offset>
struct eye_operation {
  static constexpr ref emit(builder& g) {
    shape_value const s = g.extents->of_shape(shape_value_of<shape<Rows, Columns>>::value);
    ref const i = iota(g, dtype::int64, s, 0), j = iota(g, dtype::int64, s, 1);
    return cast(equal(i + full(g, dtype::int64, s, static_cast<double>(Offset)), j), dtype_of<T>);
  }
};
/// Of the shape of an operand that is not read.
template <int Value>
struct like_operation {
  static constexpr ref emit(builder&, ref x) { return full_like(x, Value); }
};
struct full_like_operation {
  static constexpr ref emit(builder&, ref x, ref value) { return broadcast_to(value, x.shape()); }
};
/// start + i * step
template <class T, extent_t N>
struct arange_operation {
  static constexpr ref emit(builder& g, ref start, ref step) {
    shape_value const s = g.extents->of_shape(shape_value_of<shape<N>>::value);
    return start + iota(g, dtype_of<T>, s, 0) * step;
  }
};
/// The same, and the last value exactly as given: start + (N - 1) * step may round to its neighbour.
template <class T, extent_t N>
struct linspace_operation {
  static constexpr ref emit(builder& g, ref start, ref step, ref stop) {
    shape_value const s = g.extents->of_shape(shape_value_of<shape<N>>::value);
    ref const inner = start + iota(g, dtype_of<T>, s, 0) * step;
    return select(equal(iota(g, dtype::int64, s, 0), full(g, dtype::int64, s, static_cast<double>(N - 1))), broadcast_to(stop, s), inner);
  }
};

}  // namespace detail

template <element T, extent_t... E>
constexpr auto zeros() {
  return detail::apply_nothing<detail::constant_operation<T, 0, E...>, T, shape<E...>>();
}
template <element T, extent_t... E>
constexpr auto ones() {
  return detail::apply_nothing<detail::constant_operation<T, 1, E...>, T, shape<E...>>();
}
template <element T, extent_t... E>
constexpr auto full(std::type_identity_t<T> value) {
  return detail::apply<detail::full_operation<T, E...>>(detail::scalar_leaf<T>{value});
}
/// A tensor with uninitialised elements.
template <element T, extent_t... E>
constexpr tensor<T, E...> empty() {
  return tensor<T, E...>(uninitialized);
}
/// Ones on diagonal Offset.
template <element T, extent_t Rows, extent_t Columns = Rows, extent_t Offset = 0>
constexpr auto eye() {
  return detail::apply_nothing<detail::eye_operation<T, Rows, Columns, Offset>, T, shape<Rows, Columns>>();
}
/// start, start + step, ...: N values.
template <element T, extent_t N>
constexpr auto arange(std::type_identity_t<T> start = T(0), std::type_identity_t<T> step = T(1)) {
  return detail::apply<detail::arange_operation<T, N>>(detail::scalar_leaf<T>{start}, detail::scalar_leaf<T>{step});
}
/// N evenly spaced values from start to stop, both included.
template <element T, extent_t N>
  requires(is_floating(dtype_of<T>))
constexpr auto linspace(std::type_identity_t<T> start, std::type_identity_t<T> stop) {
  using scalar = decltype(detail::scalar_leaf<T>::value);
  scalar const step = N > 1 ? scalar((scalar(stop) - scalar(start)) / scalar(N - 1)) : scalar(0);
  return detail::apply<detail::linspace_operation<T, N>>(detail::scalar_leaf<T>{start}, detail::scalar_leaf<T>{step}, detail::scalar_leaf<T>{N > 1 ? stop : start});
}

namespace detail {

template <class T, class Shape>
struct creation_like;
template <class T, extent_t... E>
struct creation_like<T, shape<E...>> {
  static constexpr auto zeros() { return dimity::zeros<T, E...>(); }
  static constexpr auto ones() { return dimity::ones<T, E...>(); }
  static constexpr auto full(T value) { return dimity::full<T, E...>(value); }
};

}  // namespace detail

/// Of the element type and shape of x, whose elements are not read.
template <operand X>
constexpr auto zeros_like(X const& x) {
  if constexpr (detail::shape_of<X>::run_time_extents > 0) return detail::apply<detail::like_operation<0>>(x);
  else return detail::creation_like<detail::element_of<X>, detail::shape_of<X>>::zeros();
}
template <operand X>
constexpr auto ones_like(X const& x) {
  if constexpr (detail::shape_of<X>::run_time_extents > 0) return detail::apply<detail::like_operation<1>>(x);
  else return detail::creation_like<detail::element_of<X>, detail::shape_of<X>>::ones();
}
template <operand X>
constexpr auto full_like(X const& x, detail::element_of<X> value) {
  if constexpr (detail::shape_of<X>::run_time_extents > 0) return detail::apply<detail::full_like_operation>(x, detail::scalar_leaf<detail::element_of<X>>{value});
  else return detail::creation_like<detail::element_of<X>, detail::shape_of<X>>::full(value);
}

}  // namespace DIMITY_NAMESPACE
