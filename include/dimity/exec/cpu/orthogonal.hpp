// Factorisations by reflections and rotations, in place: QR, symmetric eigenvalues, singular values.
#pragma once

#include <dimity/exec/cpu/vectors.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace DIMITY_NAMESPACE::detail {

/// A power of two by which elements are divided so that no square of the large ones overflows or vanishes; nan where an element is not finite. Unless the largest is wanted between 1 and 2, it is 1 where there is no danger.
template <class T>
T safe_scale(T const* x, extent_t n, bool to_one = false) {
  T largest(0);
  for (extent_t i = 0; i < n; ++i) {
    if (!std::isfinite(x[i])) return std::numeric_limits<T>::quiet_NaN();
    largest = std::max(largest, std::abs(x[i]));
  }
  T const most = std::sqrt(std::sqrt(std::numeric_limits<T>::max())), least = T(1) / most;
  if (largest == T(0) || (!to_one && largest < most && largest > least)) return T(1);
  return std::ldexp(T(1), std::ilogb(largest));
}

/// The least sum of squares with all its digits.
template <class T>
inline constexpr T least_square = std::numeric_limits<T>::min() / std::numeric_limits<T>::epsilon() / std::numeric_limits<T>::epsilon();

/// A reflection 1 - tau v v^T, v_0 = 1, that takes x to (beta, 0, ..). Everything but v_0 is left in x (Golub and Van Loan, Matrix Computations, section 5.1).
template <class T>
struct reflection {
  T beta, tau;
};
template <class T>
reflection<T> reflection_of(T* x, extent_t stride, extent_t n) {
  T rest(0), scale(1);
  for (extent_t i = 1; i < n; ++i) rest += x[i * stride] * x[i * stride];
  if (x[0] * x[0] + rest < least_square<T>) {
    // Squares that have lost digits would make a reflection that is none.
    T largest(0);
    for (extent_t i = 0; i < n; ++i) largest = std::max(largest, std::abs(x[i * stride]));
    if (!(largest > T(0))) return {x[0], T(0)};
    scale = std::ldexp(T(1), -std::max(std::ilogb(largest), std::numeric_limits<T>::min_exponent + 2));
    for (extent_t i = 0; i < n; ++i) x[i * stride] *= scale;
    rest = T(0);
    for (extent_t i = 1; i < n; ++i) rest += x[i * stride] * x[i * stride];
  }
  if (rest == T(0)) return {x[0] / scale, T(0)};
  T const norm = std::sqrt(x[0] * x[0] + rest), beta = x[0] < T(0) ? norm : -norm;
  T const inverse = T(1) / (x[0] - beta);
  for (extent_t i = 1; i < n; ++i) x[i * stride] *= inverse;
  return {beta / scale, (beta - x[0]) / beta};
}

/// a [m, n], m >= n: becomes q with orthonormal columns, r [n, n] the upper triangle with a = q r. `scratch`: 2 n. Reflections: 2 n^2 (m - n / 3) multiply-adds; the signs are LAPACK's (and NumPy's).
template <class T>
void qr_in_place(T* a, T* r, extent_t m, extent_t n, T* scratch) {
  T *const tau = scratch, *const w = scratch + n;
  T const scale = safe_scale(a, m * n);
  if (scale != T(1))
    for (extent_t i = 0; i < m * n; ++i) a[i] /= scale;
  // The reflection in column k, on the columns behind it.
  auto const reflect = [&](extent_t k) {
    T* const top = a + k * n;
    for (extent_t j = k + 1; j < n; ++j) w[j] = top[j];
    for (extent_t i = k + 1; i < m; ++i) add_multiple(w + k + 1, a[i * n + k], a + i * n + k + 1, n - k - 1);
    add_multiple(top + k + 1, -tau[k], w + k + 1, n - k - 1);
    for (extent_t i = k + 1; i < m; ++i) add_multiple(a + i * n + k + 1, -tau[k] * a[i * n + k], w + k + 1, n - k - 1);
  };
  for (extent_t k = 0; k < n; ++k) {
    auto const [beta, t] = reflection_of(a + k * n + k, n, m - k);
    tau[k] = t;
    reflect(k);
    a[k * n + k] = beta;
  }
  for (extent_t i = 0; i < n; ++i)
    for (extent_t j = 0; j < n; ++j) r[i * n + j] = j < i ? T(0) : a[i * n + j] * scale;
  for (extent_t k = n - 1; k >= 0; --k) {
    for (extent_t j = k + 1; j < n; ++j) a[k * n + j] = T(0);
    reflect(k);
    for (extent_t i = 0; i < m; ++i) a[i * n + k] = i < k ? T(0) : i == k ? T(1) - tau[k] : -tau[k] * a[i * n + k];
  }
}

template <class T>
void transpose_in_place(T* a, extent_t n) {
  for (extent_t i = 0; i < n; ++i)
    for (extent_t j = 0; j < i; ++j) std::swap(a[i * n + j], a[j * n + i]);
}
/// Values in an order, and the rows of `rows` [n, columns] with them.
template <class T, class Before>
void sort_with_rows(T* values, T* rows, extent_t n, extent_t columns, Before before) {
  for (extent_t i = 0; i + 1 < n; ++i) {
    extent_t first = i;
    for (extent_t j = i + 1; j < n; ++j)
      if (before(values[j], values[first])) first = j;
    if (first == i) continue;
    std::swap(values[i], values[first]);
    for (extent_t j = 0; j < columns; ++j) std::swap(rows[i * columns + j], rows[first * columns + j]);
  }
}

/// Symmetric a [n, n] to a tridiagonal matrix: its diagonal d, and e beside it (n - 1); a is overwritten, and q becomes the rows of the orthogonal matrix with q a q^T tridiagonal (Golub and Van Loan, section 8.3). `tau`, `p`: n.
template <class T>
void tridiagonal_in_place(T* a, T* q, T* d, T* e, extent_t n, T* tau, T* p) {
  for (extent_t k = 0; k + 1 < n; ++k) {
    extent_t const rest = n - k - 1;
    T* const v = a + k * n + k + 1;
    d[k] = a[k * n + k];
    auto const [beta, t] = reflection_of(v, 1, rest);
    e[k] = beta;
    tau[k] = t;
    v[0] = T(1);
    for (extent_t i = 0; i < rest; ++i) p[i] = t * dot_product(a + (k + 1 + i) * n + k + 1, v, rest);
    add_multiple(p, -t / 2 * dot_product(p, v, rest), v, rest);
    for (extent_t i = 0; i < rest; ++i) {
      T* const row = a + (k + 1 + i) * n + k + 1;
      add_multiple(row, -v[i], p, rest);
      add_multiple(row, -p[i], v, rest);
    }
  }
  if (n > 0) d[n - 1] = a[n * n - 1];
  for (extent_t i = 0; i < n; ++i)
    for (extent_t j = 0; j < n; ++j) q[i * n + j] = T(i == j);
  for (extent_t k = n - 2; k >= 0; --k) {
    extent_t const rest = n - k - 1;
    T const* const v = a + k * n + k + 1;
    for (extent_t i = k + 1; i < n; ++i) {
      T* const row = q + i * n + k + 1;
      add_multiple(row, -tau[k] * dot_product(row, v, rest), v, rest);
    }
  }
}

/// The eigenvalues of a tridiagonal matrix replace d; the rows of q [n, n] take part in the rotations. Implicit QL steps with Wilkinson's shift (Golub and Van Loan, section 8.3; Parlett, The Symmetric Eigenvalue Problem, chapter 8). e: n.
/// False when an eigenvalue is not found in 50 steps, which only nan brings about.
template <class T>
bool diagonalize_tridiagonal(T* d, T* e, T* q, extent_t n) {
  if (n > 0) e[n - 1] = T(0);
  for (extent_t first = 0; first < n; ++first) {
    for (int step = 0;; ++step) {
      extent_t last = first;
      while (last + 1 < n && !(std::abs(e[last]) <= std::numeric_limits<T>::epsilon() * (std::abs(d[last]) + std::abs(d[last + 1])) + std::numeric_limits<T>::min())) ++last;
      if (last == first) break;
      if (step == 50) return false;
      T const half = (d[first + 1] - d[first]) / (2 * e[first]);
      T g = d[last] - d[first] + e[first] / (half + std::copysign(std::hypot(half, T(1)), half));
      T s(1), c(1), shifted(0);
      extent_t i = last - 1;
      for (; i >= first; --i) {
        T const f = s * e[i], b = c * e[i], r = std::hypot(f, g);
        e[i + 1] = r;
        if (r == T(0)) break;
        s = f / r;
        c = g / r;
        g = d[i + 1] - shifted;
        T const other = (d[i] - g) * s + 2 * c * b;
        shifted = s * other;
        d[i + 1] = g + shifted;
        g = c * other - b;
        rotate(q + i * n, q + (i + 1) * n, c, s, n);
      }
      if (i >= first) {  // the matrix fell apart on the way
        d[i + 1] -= shifted;
        e[last] = T(0);
        continue;
      }
      d[first] -= shifted;
      e[first] = g;
      e[last] = T(0);
    }
  }
  return true;
}

/// Of a symmetric matrix [n, n], of which the lower triangle is read: eigenvalues, ascending, to w; eigenvectors, its columns, to v [n, n]. All nan where an element is not finite. `scratch`: n (n + 3). About 4 n^3 multiply-adds.
template <class T>
void eigh(T const* matrix, extent_t row, extent_t column, T* w, T* v, extent_t n, T* scratch) {
  T *const a = scratch, *const e = a + n * n, *const tau = e + n, *const p = tau + n;
  for (extent_t i = 0; i < n; ++i)
    for (extent_t j = 0; j <= i; ++j) a[i * n + j] = a[j * n + i] = matrix[i * row + j * column];
  T const scale = safe_scale(a, n * n);
  if (scale != T(1))
    for (extent_t i = 0; i < n * n; ++i) a[i] /= scale;
  tridiagonal_in_place(a, v, w, e, n, tau, p);
  if (scale != scale || !diagonalize_tridiagonal(w, e, v, n)) {
    fill_with_nan(w, n);
    fill_with_nan(v, n * n);
    return;
  }
  for (extent_t i = 0; i < n; ++i) w[i] *= scale;
  sort_with_rows(w, v, n, n, [](T a, T b) { return a < b; });
  transpose_in_place(v, n);
}

/// Makes rows of length n whose norms are 0 orthonormal to the first `known` ones, which are orthonormal.
template <class T>
void complete_rows(T* rows, extent_t known, extent_t n) {
  extent_t axis = 0;
  for (extent_t i = known; i < n;) {
    T* const x = rows + i * n;
    for (extent_t j = 0; j < n; ++j) x[j] = T(j == axis);
    ++axis;
    for (int pass = 0; pass < 2; ++pass)  // once more for what rounding left (Giraud, Langou and Rozloznik, 2005)
      for (extent_t k = 0; k < i; ++k) add_multiple(x, -dot_product(x, rows + k * n, n), rows + k * n, n);
    T const norm = std::sqrt(dot_product(x, x, n));
    if (norm * norm * T(2 * n) < T(1)) continue;  // the sum of these squares over all axes is n - i, so that one of them is large enough
    for (extent_t j = 0; j < n; ++j) x[j] /= norm;
    ++i;
  }
}

/// a [m, n], m >= n, becomes u with orthonormal columns; s: singular values, descending; v [n, n]: a = u diag(s) v^T. All nan where an element is not finite. `scratch`: 2 n (n + 1).
/// QR first, then rotations of the rows of r until all are orthogonal: one-sided Jacobi, which finds small singular values too (Demmel and Veselic, 1992; Drmac and Veselic, New fast and accurate Jacobi SVD algorithm, 2008).
/// About 3 m n^2 multiply-adds, and 2.5 n^3 for each of 4 (n = 3) to 11 (n = 256) sweeps.
template <class T>
void svd_in_place(T* a, T* s, T* v, extent_t m, extent_t n, T* scratch) {
  T *const rotations = scratch, *const spare = scratch + n * n;
  T const scale = safe_scale(a, m * n, true);  // what counts as 0 below is far less than rounding then
  if (scale != T(1))
    for (extent_t i = 0; i < m * n; ++i) a[i] /= scale;
  qr_in_place(a, v, m, n, spare);
  for (extent_t i = 0; i < n; ++i)
    for (extent_t j = 0; j < n; ++j) rotations[i * n + j] = T(i == j);
  T const tolerance = std::numeric_limits<T>::epsilon() * std::sqrt(static_cast<T>(n));
  T* const squares = spare;  // of norms: kept while rows turn, computed anew for each sweep
  bool rotated = scale == scale;
  for (int sweep = 0; rotated && sweep < 60; ++sweep) {
    rotated = false;
    for (extent_t i = 0; i < n; ++i) squares[i] = dot_product(v + i * n, v + i * n, n);
    for (extent_t i = 0; i + 1 < n; ++i)
      for (extent_t j = i + 1; j < n; ++j) {
        T *const x = v + i * n, *const y = v + j * n;
        T const xy = dot_product(x, y, n);
        if (!(std::abs(xy) > tolerance * std::sqrt(std::abs(squares[i])) * std::sqrt(std::abs(squares[j])))) continue;
        T const zeta = (squares[j] - squares[i]) / (2 * xy), t = std::copysign(T(1), zeta) / (std::abs(zeta) + std::hypot(zeta, T(1)));
        T const c = T(1) / std::sqrt(T(1) + t * t);
        rotate(x, y, c, c * t, n);
        rotate(rotations + i * n, rotations + j * n, c, c * t, n);
        squares[i] -= t * xy;
        squares[j] += t * xy;
        rotated = true;
      }
  }
  if (scale != scale) {
    fill_with_nan(a, m * n);
    fill_with_nan(s, n);
    fill_with_nan(v, n * n);
    return;
  }
  for (extent_t i = 0; i < n; ++i) s[i] = std::sqrt(dot_product(v + i * n, v + i * n, n));
  // Both follow the order of the values, which are sorted twice.
  for (extent_t i = 0; i < n; ++i) spare[i] = s[i];
  sort_with_rows(spare, rotations, n, n, [](T x, T y) { return x > y; });
  sort_with_rows(s, v, n, n, [](T x, T y) { return x > y; });
  extent_t rank = 0;
  for (; rank < n && s[rank] * s[rank] > least_square<T>; ++rank)
    for (extent_t j = 0; j < n; ++j) v[rank * n + j] /= s[rank];
  complete_rows(v, rank, n);
  for (extent_t i = 0; i < n; ++i) s[i] *= scale;
  transpose_in_place(v, n);
  for (extent_t i = 0; i < m; ++i) {
    for (extent_t j = 0; j < n; ++j) spare[j] = dot_product(a + i * n, rotations + j * n, n);
    for (extent_t j = 0; j < n; ++j) a[i * n + j] = spare[j];
  }
}

}  // namespace DIMITY_NAMESPACE::detail
