// Comparing whole tensors.
#pragma once

#include <dimity/expr/functions.hpp>
#include <dimity/expr/operators.hpp>
#include <dimity/expr/reductions.hpp>

namespace DIMITY_NAMESPACE {

/// True when |a - b| <= absolute + relative * |b| everywhere; equal infinities are close, nan only if equal_nan. Shapes broadcast.
template <operand A, operand B>
bool allclose(A const& a, B const& b, double relative = 1e-5, double absolute = 1e-8, bool equal_nan = false) {
  auto const x = eval(a);
  auto const y = eval(b);
  using E = detail::element_of<decltype(x + y)>;
  using T = std::conditional_t<detail::storage_float<E>, float, E>;  // a tolerance is not an element
  if constexpr (is_floating(dtype_of<T>)) {
    return all((abs(x - y) <= static_cast<T>(absolute) + abs(y) * static_cast<T>(relative) && isfinite(y)) || x == y || (isnan(x) && isnan(y) && full_like(y, 0) == full_like(y, static_cast<detail::element_of<B>>(equal_nan ? 0 : 1))));
  } else {
    return all(x == y);
  }
}

namespace detail {

template <class X, class Y>
bool equal_at_run_time(X const& x, Y const& y) {
  for (int i = 0; i < X::rank; ++i)
    if (x.extent(i) != y.extent(i)) return false;
  for (std::size_t i = 0, n = x.size(); i < n; ++i)
    if (!(x.data()[i] == y.data()[i])) return false;
  return true;
}

}  // namespace detail

/// True when shapes and all elements are equal (nan is not).
template <operand A, operand B>
bool array_equal(A const& a, B const& b) {
  if constexpr (detail::shape_of<A>::run_time_extents > 0 || detail::shape_of<B>::run_time_extents > 0) {
    if constexpr (!detail::may_hold<detail::shape_of<A>, detail::shape_of<B>>) return false;
    else return detail::equal_at_run_time(eval(a), eval(b));
  } else if constexpr (!std::is_same_v<detail::shape_of<A>, detail::shape_of<B>>) {
    return false;
  } else {
    return all(a == b);
  }
}

}  // namespace DIMITY_NAMESPACE
