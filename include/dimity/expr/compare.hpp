// Comparing whole tensors.
#pragma once

#include <dimity/expr/functions.hpp>
#include <dimity/expr/operators.hpp>
#include <dimity/expr/reductions.hpp>

namespace dimity {

/// True when |a - b| <= absolute + relative * |b| everywhere; equal infinities are close, nan only if equal_nan. Shapes broadcast.
template <operand A, operand B>
bool allclose(A const& a, B const& b, double relative = 1e-5, double absolute = 1e-8, bool equal_nan = false) {
  auto const x = eval(a);
  auto const y = eval(b);
  using T = detail::element_of<decltype(x + y)>;
  if constexpr (is_floating(dtype_of<T>)) {
    return all((abs(x - y) <= static_cast<T>(absolute) + abs(y) * static_cast<T>(relative) && isfinite(y)) || x == y || (isnan(x) && isnan(y) && full_like(y, 0) == full_like(y, static_cast<detail::element_of<B>>(equal_nan ? 0 : 1))));
  } else {
    return all(x == y);
  }
}

/// True when all elements are equal (nan is not).
template <operand A, operand B>
bool array_equal(A const& a, B const& b) {
  if constexpr (!std::is_same_v<detail::shape_of<A>, detail::shape_of<B>>) return false;
  else return all(a == b);
}

}  // namespace dimity
