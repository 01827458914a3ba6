// LAPACK in place of our loops, where it was measured to be faster. Only with the CMake option DIMITY_LAPACK (or the macro, and a LAPACK to link).
#pragma once

#include <dimity/exec/cpu/vectors.hpp>
#include <dimity/program/primitive.hpp>

#include <limits>
#include <type_traits>

namespace DIMITY_NAMESPACE::detail {

#ifdef DIMITY_LAPACK
inline constexpr bool has_lapack = true;
#else
inline constexpr bool has_lapack = false;
#endif

/// The n from which it is faster (benchmarks/linalg_bench.cpp, docs/linear_algebra.md).
constexpr extent_t lapack_from(primitive op) {
  switch (op) {
    case primitive::solve: return 48;
    case primitive::cholesky: return 96;
    case primitive::qr: return 96;
    case primitive::eigh: return 96;
    case primitive::svd: return 24;
    default: return std::numeric_limits<extent_t>::max();
  }
}
constexpr bool uses_lapack(primitive op, extent_t n) { return has_lapack && n >= lapack_from(op); }

inline constexpr extent_t lapack_block = 32;  ///< columns that LAPACK's blocked QR works on: its work space is that times n

/// Elements of scratch for matrices [m, n], m >= n; `columns` are those of a right-hand side. Four integers of LAPACK take two doubles, or four floats.
constexpr extent_t lapack_scratch_elements(primitive op, extent_t m, extent_t n, extent_t columns) {
  switch (op) {
    case primitive::solve: return 2 * n * n + n * columns + n;  // one n^2 for the copy that is given
    case primitive::qr: return m * n + n + lapack_block * n;
    case primitive::eigh: return 1 + 6 * n + 2 * n * n + 3 + 5 * n;
    case primitive::svd: return m * n + 4 * n * n + 7 * n + 8 * n;
    default: return 0;
  }
}

#ifdef DIMITY_LAPACK
extern "C" {
void sgesv_(int const*, int const*, float*, int const*, int*, float*, int const*, int*);
void dgesv_(int const*, int const*, double*, int const*, int*, double*, int const*, int*);
void spotrf_(char const*, int const*, float*, int const*, int*);
void dpotrf_(char const*, int const*, double*, int const*, int*);
void sgeqrf_(int const*, int const*, float*, int const*, float*, float*, int const*, int*);
void dgeqrf_(int const*, int const*, double*, int const*, double*, double*, int const*, int*);
void sorgqr_(int const*, int const*, int const*, float*, int const*, float const*, float*, int const*, int*);
void dorgqr_(int const*, int const*, int const*, double*, int const*, double const*, double*, int const*, int*);
void ssyevd_(char const*, char const*, int const*, float*, int const*, float*, float*, int const*, int*, int const*, int*);
void dsyevd_(char const*, char const*, int const*, double*, int const*, double*, double*, int const*, int*, int const*, int*);
void sgesdd_(char const*, int const*, int const*, float*, int const*, float*, float*, int const*, float*, int const*, float*, int const*, int*, int*);
void dgesdd_(char const*, int const*, int const*, double*, int const*, double*, double*, int const*, double*, int const*, double*, int const*, int*, int*);
}

/// One name for both element types.
#define DIMITY_LAPACK_FUNCTION(name)                            \
  template <class T, class... X>                                \
  void lapack_##name(X... x) {                                  \
    if constexpr (std::is_same_v<T, float>) s##name##_(x...);   \
    else d##name##_(x...);                                      \
  }
DIMITY_LAPACK_FUNCTION(gesv)
DIMITY_LAPACK_FUNCTION(potrf)
DIMITY_LAPACK_FUNCTION(geqrf)
DIMITY_LAPACK_FUNCTION(orgqr)
DIMITY_LAPACK_FUNCTION(syevd)
DIMITY_LAPACK_FUNCTION(gesdd)
#undef DIMITY_LAPACK_FUNCTION

/// to [columns, rows] <- from [rows, columns]
template <class T>
void copy_transposed(T const* from, extent_t rows, extent_t columns, T* to) {
  for (extent_t i = 0; i < rows; ++i)
    for (extent_t j = 0; j < columns; ++j) to[j * rows + i] = from[i * columns + j];
}
template <class T>
bool is_finite_matrix(T const* a, extent_t n) {
  for (extent_t i = 0; i < n; ++i)
    if (!(a[i] - a[i] == T(0))) return false;
  return true;
}

// As the functions of solve.hpp and orthogonal.hpp. LAPACK's matrices are stored by columns: what is stored by rows is their transpose.

template <class T>
void lapack_solve(T* a, T* b, extent_t n, extent_t k, T* scratch) {
  T *const by_columns = scratch, *const right = scratch + n * n;
  int const size = static_cast<int>(n), columns = static_cast<int>(k);
  int failed = 0;
  copy_transposed(a, n, n, by_columns);
  copy_transposed(b, n, k, right);
  lapack_gesv<T>(&size, &columns, by_columns, &size, reinterpret_cast<int*>(right + n * k), right, &size, &failed);
  if (failed > 0) fill_with_nan(right, n * k);  // singular
  copy_transposed(right, k, n, b);
}
template <class T>
void lapack_cholesky(T* a, extent_t n) {
  int const size = static_cast<int>(n);
  int failed = 0;
  lapack_potrf<T>("U", &size, a, &size, &failed);
  for (extent_t i = 0; i < n; ++i)
    for (extent_t j = 0; j < n; ++j)
      if (j > i) a[i * n + j] = T(0);
      else if (failed > 0 && i + 1 >= failed) a[i * n + j] = std::numeric_limits<T>::quiet_NaN();
}
template <class T>
void lapack_qr(T* a, T* r, extent_t m, extent_t n, T* scratch) {
  T *const by_columns = scratch, *const tau = scratch + m * n, *const work = tau + n;
  int const rows = static_cast<int>(m), columns = static_cast<int>(n), room = static_cast<int>(lapack_block * n);
  int failed = 0;
  copy_transposed(a, m, n, by_columns);
  lapack_geqrf<T>(&rows, &columns, by_columns, &rows, tau, work, &room, &failed);
  for (extent_t i = 0; i < n; ++i)
    for (extent_t j = 0; j < n; ++j) r[i * n + j] = j < i ? T(0) : by_columns[j * m + i];
  lapack_orgqr<T>(&rows, &columns, &columns, by_columns, &rows, tau, work, &room, &failed);
  copy_transposed(by_columns, n, m, a);
}
/// v [n, n] holds the matrix, of which the lower triangle is read. False where LAPACK finds no solution.
template <class T>
bool lapack_eigh(T* w, T* v, extent_t n, T* scratch) {
  int const size = static_cast<int>(n), room = static_cast<int>(1 + 6 * n + 2 * n * n), integers = static_cast<int>(3 + 5 * n);
  int failed = 0;
  lapack_syevd<T>("V", "U", &size, v, &size, w, scratch, &room, reinterpret_cast<int*>(scratch + room), &integers, &failed);
  return failed == 0;
}
/// v: the rows of v^T, as LAPACK leaves them. False where LAPACK finds no solution.
template <class T>
bool lapack_svd(T* a, T* s, T* v, extent_t m, extent_t n, T* scratch) {
  int const rows = static_cast<int>(m), columns = static_cast<int>(n), room = static_cast<int>(4 * n * n + 7 * n);
  int failed = 0;
  for (extent_t i = 0; i < m * n; ++i) scratch[i] = a[i];
  lapack_gesdd<T>("S", &columns, &rows, scratch, &columns, s, v, &columns, a, &columns, scratch + m * n, &room, reinterpret_cast<int*>(scratch + m * n + room), &failed);
  return failed == 0;
}
#endif

}  // namespace DIMITY_NAMESPACE::detail
