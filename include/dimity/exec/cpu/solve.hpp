// Systems of linear equations: elimination with partial pivoting, in place.
#pragma once

#include <dimity/plan/plan.hpp>

#include <utility>

namespace dimity::detail {

/// b <- a^-1 b, with a [n, n] and b [n, k] row-major; a is overwritten. Rows are exchanged so that the largest element of a column is the pivot (Golub and Van Loan, Matrix Computations, section 3.4).
/// A singular matrix gives inf or nan. n^3 / 3 + n^2 k multiplications and additions.
template <class T>
void solve_in_place(T* a, T* b, extent_t n, extent_t k) {
  for (extent_t c = 0; c < n; ++c) {
    extent_t pivot = c;
    auto const size = [](T const& x) { return x < T(0) ? -x : x; };
    for (extent_t r = c + 1; r < n; ++r)
      if (size(a[r * n + c]) > size(a[pivot * n + c])) pivot = r;
    if (pivot != c) {
      for (extent_t j = c; j < n; ++j) std::swap(a[c * n + j], a[pivot * n + j]);
      for (extent_t j = 0; j < k; ++j) std::swap(b[c * k + j], b[pivot * k + j]);
    }
    T const inverse = T(1) / a[c * n + c];
    for (extent_t r = c + 1; r < n; ++r) {
      T const factor = a[r * n + c] * inverse;
      for (extent_t j = c + 1; j < n; ++j) a[r * n + j] -= factor * a[c * n + j];
      for (extent_t j = 0; j < k; ++j) b[r * k + j] -= factor * b[c * k + j];
    }
  }
  for (extent_t c = n - 1; c >= 0; --c) {
    T const inverse = T(1) / a[c * n + c];
    for (extent_t j = 0; j < k; ++j) b[c * k + j] *= inverse;
    for (extent_t r = 0; r < c; ++r)
      for (extent_t j = 0; j < k; ++j) b[r * k + j] -= a[r * n + c] * b[c * k + j];
  }
}

}  // namespace dimity::detail
