// Systems of linear equations, factorisations and determinants, in place.
#pragma once

#include <dimity/exec/cpu/vectors.hpp>

#include <cmath>
#include <limits>
#include <utility>

namespace DIMITY_NAMESPACE::detail {

template <class T>
T magnitude(T const& x) {
  return x < T(0) ? -x : x;
}
/// The row from c on in which column c of a [n, n] is largest.
template <class T>
extent_t pivot_of(T const* a, extent_t c, extent_t n) {
  extent_t pivot = c;
  for (extent_t r = c + 1; r < n; ++r)
    if (magnitude(a[r * n + c]) > magnitude(a[pivot * n + c])) pivot = r;
  return pivot;
}
/// A step of elimination: column c of a [n, n] below its diagonal is gone, and b [n, k] is kept in step.
template <class T>
void eliminate(T* a, T* b, extent_t c, extent_t n, extent_t k) {
  T const inverse = T(1) / a[c * n + c];
  // From the vector on in which column c + 1 is: what is left of it is never read again below row c.
  extent_t const begin = (c + 1) / native_lanes<T>() * native_lanes<T>();
  for (extent_t r = c + 1; r < n; ++r) {
    T const factor = a[r * n + c] * inverse;
    add_multiple(a + r * n + begin, -factor, a + c * n + begin, n - begin);
    add_multiple(b + r * k, -factor, b + c * k, k);
  }
}
template <class T>
void exchange_rows(T* a, extent_t i, extent_t j, extent_t begin, extent_t columns) {
  for (extent_t c = begin; c < columns; ++c) std::swap(a[i * columns + c], a[j * columns + c]);
}

/// b <- a^-1 b, with a [n, n] and b [n, k] row-major; a is overwritten. Rows are exchanged so that the largest element of a column is the pivot (Golub and Van Loan, Matrix Computations, section 3.4).
/// A singular matrix gives inf or nan. n^3 / 3 + n^2 k multiply-adds.
template <class T>
void solve_in_place(T* a, T* b, extent_t n, extent_t k) {
  for (extent_t c = 0; c < n; ++c) {
    if (extent_t const pivot = pivot_of(a, c, n); pivot != c) {
      exchange_rows(a, c, pivot, c, n);
      exchange_rows(b, c, pivot, 0, k);
    }
    eliminate(a, b, c, n, k);
  }
  for (extent_t c = n - 1; c >= 0; --c) {
    T const inverse = T(1) / a[c * n + c];
    for (extent_t j = 0; j < k; ++j) b[c * k + j] *= inverse;
    for (extent_t r = 0; r < c; ++r) add_multiple(b + r * k, -a[r * n + c], b + c * k, k);
  }
}

/// The lower triangle of a [n, n] becomes its Cholesky factor, what is above it 0 (Golub and Van Loan, section 4.2). Where a is not positive definite the factor has nan. n^3 / 6 multiply-adds.
template <class T>
void cholesky_in_place(T* a, extent_t n) {
  for (extent_t c = 0; c < n; ++c) {
    T const diagonal = std::sqrt(a[c * n + c] - dot_product(a + c * n, a + c * n, c)), inverse = T(1) / diagonal;
    a[c * n + c] = diagonal;
    for (extent_t r = c + 1; r < n; ++r) a[r * n + c] = (a[r * n + c] - dot_product(a + r * n, a + c * n, c)) * inverse;
    for (extent_t j = c + 1; j < n; ++j) a[c * n + j] = T(0);
  }
}

/// b <- a^-1 b for a triangle of a, whose element (i, j) is a[i * row + j * column]; b [n, k] row-major. n^2 k / 2 multiply-adds.
template <class T>
void triangular_solve_in_place(T const* a, extent_t row, extent_t column, bool upper, T* b, extent_t n, extent_t k) {
  for (extent_t step = 0; step < n; ++step) {
    extent_t const i = upper ? n - 1 - step : step;
    for (extent_t p = upper ? i + 1 : 0; p < (upper ? n : i); ++p) add_multiple(b + i * k, -a[i * row + p * column], b + p * k, k);
    for (extent_t j = 0; j < k; ++j) b[i * k + j] /= a[i * row + i * column];
  }
}

/// The sign of the determinant of a [n, n], and the logarithm of its absolute value; a is overwritten. 0 and -inf for a singular matrix, 1 and 0 for n = 0.
template <class T>
void slogdet_in_place(T* a, extent_t n, T* result) {
  T sign(1), logarithm(0);
  for (extent_t c = 0; c < n; ++c) {
    if (extent_t const pivot = pivot_of(a, c, n); pivot != c) {
      exchange_rows(a, c, pivot, c, n);
      sign = -sign;
    }
    T const p = a[c * n + c];
    if (p == T(0)) {
      result[0] = T(0);
      result[1] = -std::numeric_limits<T>::infinity();
      return;
    }
    if (p < T(0)) sign = -sign;
    logarithm += std::log(magnitude(p));
    eliminate(a, static_cast<T*>(nullptr), c, n, 0);
  }
  result[0] = sign;
  result[1] = logarithm;
}

}  // namespace DIMITY_NAMESPACE::detail
