// What loops over the rows of small matrices are made of: explicit vectors, because compilers may not reorder sums, and below -O3 do not vectorise loops of unknown length.
#pragma once

#include <dimity/core/config.hpp>
#include <dimity/core/shape.hpp>
#include <dimity/exec/cpu/simd.hpp>

#include <limits>

namespace DIMITY_NAMESPACE::detail {

/// Calls `vectors(i)` for every i from 0 on at which a whole vector begins, and `rest(i)` for every i behind them.
template <class T, class Vectors, class Rest>
DIMITY_INLINE void for_each_vector(extent_t n, Vectors const& vectors, Rest const& rest) {
  constexpr extent_t width = native_lanes<T>();
  extent_t i = 0;
  for (; i + width <= n; i += width) vectors(i);
  for (; i < n; ++i) rest(i);
}

/// In sums that do not wait for each other.
template <class T>
T dot_product(T const* a, T const* b, extent_t n) {
  using batch = native_batch<T>;
  constexpr extent_t width = native_lanes<T>();
  batch sum0(T(0)), sum1(T(0));
  extent_t i = 0;
  for (; i + 2 * width <= n; i += 2 * width) {
    sum0 = xsimd::fma(batch::load_unaligned(a + i), batch::load_unaligned(b + i), sum0);
    sum1 = xsimd::fma(batch::load_unaligned(a + i + width), batch::load_unaligned(b + i + width), sum1);
  }
  if (i + width <= n) {
    sum0 = xsimd::fma(batch::load_unaligned(a + i), batch::load_unaligned(b + i), sum0);
    i += width;
  }
  T sum = combine_lanes([](auto const& x, auto const& y) { return x + y; }, sum0 + sum1);
  for (; i < n; ++i) sum += a[i] * b[i];
  return sum;
}
template <class T>
void fill_with_nan(T* a, extent_t n) {
  for (extent_t i = 0; i < n; ++i) a[i] = std::numeric_limits<T>::quiet_NaN();
}
/// y += factor x
template <class T>
void add_multiple(T* y, T factor, T const* x, extent_t n) {
  using batch = native_batch<T>;
  batch const f(factor);
  for_each_vector<T>(
      n, [&](extent_t i) { xsimd::fma(f, batch::load_unaligned(x + i), batch::load_unaligned(y + i)).store_unaligned(y + i); }, [&](extent_t i) { y[i] += factor * x[i]; });
}
/// (x, y) <- (c x - s y, s x + c y)
template <class T>
void rotate(T* x, T* y, T c, T s, extent_t n) {
  using batch = native_batch<T>;
  batch const cosine(c), sine(s);
  for_each_vector<T>(
      n,
      [&](extent_t i) {
        batch const a = batch::load_unaligned(x + i), b = batch::load_unaligned(y + i);
        xsimd::fnma(sine, b, cosine * a).store_unaligned(x + i);
        xsimd::fma(sine, a, cosine * b).store_unaligned(y + i);
      },
      [&](extent_t i) {
        T const a = x[i], b = y[i];
        x[i] = c * a - s * b;
        y[i] = s * a + c * b;
      });
}

/// Rows of c, from `row` on, += those of a [.., k] times b [k, n], for steps of k from `step` on: blocks of Rows x Steps, so that each vector of b and c that is loaded serves several times.
template <int Rows, int Steps, class T>
void add_product_block(T const* a, T const* b, T* c, extent_t row, extent_t step, extent_t k, extent_t n) {
  using batch = native_batch<T>;
  T factor[Rows][Steps];
  for (int r = 0; r < Rows; ++r)
    for (int s = 0; s < Steps; ++s) factor[r][s] = a[(row + r) * k + step + s];
  for_each_vector<T>(
      n,
      [&](extent_t j) {
        batch x[Steps];
        for (int s = 0; s < Steps; ++s) x[s] = batch::load_unaligned(b + (step + s) * n + j);
        for (int r = 0; r < Rows; ++r) {
          batch sum = batch::load_unaligned(c + (row + r) * n + j);
          for (int s = 0; s < Steps; ++s) sum = xsimd::fma(batch(factor[r][s]), x[s], sum);
          sum.store_unaligned(c + (row + r) * n + j);
        }
      },
      [&](extent_t j) {
        for (int r = 0; r < Rows; ++r)
          for (int s = 0; s < Steps; ++s) c[(row + r) * n + j] += factor[r][s] * b[(step + s) * n + j];
      });
}
template <int Rows, class T>
void add_product_rows(T const* a, T const* b, T* c, extent_t row, extent_t k, extent_t n) {
  extent_t step = 0;
  for (; step + 4 <= k; step += 4) add_product_block<Rows, 4>(a, b, c, row, step, k, n);
  for (; step < k; ++step) add_product_block<Rows, 1>(a, b, c, row, step, k, n);
}
/// c [m, n] = a [m, k] b [k, n], row-major, c none of them. For matrices that fit the caches of one core; needs no scratch memory, which the product of a plan does (matmul.hpp).
template <class T>
void multiply_small(T const* a, T const* b, T* c, extent_t m, extent_t k, extent_t n) {
  for (extent_t i = 0; i < m * n; ++i) c[i] = T(0);
  extent_t row = 0;
  for (; row + 4 <= m; row += 4) add_product_rows<4>(a, b, c, row, k, n);
  for (; row < m; ++row) add_product_rows<1>(a, b, c, row, k, n);
}

}  // namespace DIMITY_NAMESPACE::detail
