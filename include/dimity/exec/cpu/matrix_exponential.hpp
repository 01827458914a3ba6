// The exponential of a matrix.
#pragma once

#include <dimity/exec/cpu/solve.hpp>

#include <type_traits>

namespace DIMITY_NAMESPACE::detail {

/// Largest 1-norms for which the diagonal Pade approximant of a degree is exact to a unit in the last place (Higham, The scaling and squaring method for the matrix exponential revisited, 2005, table 2.3; for float the same for its unit roundoff).
struct pade_limit {
  int degree;
  double norm;
};
inline constexpr pade_limit pade_limits_double[] = {{3, 1.495585217958292e-2}, {5, 2.539398330063230e-1}, {7, 9.504178996162932e-1}, {9, 2.097847961257068}, {13, 5.371920351148152}};
inline constexpr pade_limit pade_limits_float[] = {{3, 4.258730016922831e-1}, {5, 1.880152677804762}, {7, 3.925724783138660}};

/// a [n, n] becomes its exponential, by a Pade approximant of a / 2^s that is squared s times. All nan where an element is not finite. `scratch`: 5 n^2. 2 (small norms) to 7 + s products of matrices and one system of equations.
template <class T>
void exponential_in_place(T* a, extent_t n, T* scratch) {
  extent_t const size = n * n;
  T *const square = scratch, *const power = square + size, *const next = power + size, *const odd = next + size, *const even = odd + size;
  double norm = 0;
  for (extent_t j = 0; j < n; ++j) {
    double sum = 0;
    for (extent_t i = 0; i < n; ++i) sum += std::abs(static_cast<double>(a[i * n + j]));
    if (!(sum <= norm)) norm = sum;  // nan stays
  }
  if (!std::isfinite(norm)) {
    return fill_with_nan(a, size);
  }
  pade_limit const* limit = nullptr;
  auto const choose = [&](auto const& limits) {
    for (pade_limit const& l : limits) {
      limit = &l;
      if (norm <= l.norm) return;
    }
  };
  if constexpr (std::is_same_v<T, float>) choose(pade_limits_float);
  else choose(pade_limits_double);
  int squarings = 0;
  if (norm > limit->norm) {
    squarings = static_cast<int>(std::ceil(std::log2(norm / limit->norm)));
    T const scale = static_cast<T>(std::ldexp(1.0, -squarings));
    for (extent_t i = 0; i < size; ++i) a[i] *= scale;
  }
  // Numerator even + a odd, denominator even - a odd: coefficients of x^j are (2 d - j)! d! / ((2 d)! (d - j)! j!).
  int const d = limit->degree;
  auto const add_term = [&](T* sum, T const* matrix, double coefficient) {
    for (extent_t i = 0; i < size; ++i) sum[i] += static_cast<T>(coefficient) * matrix[i];
  };
  multiply_small(a, a, square, n, n, n);
  for (extent_t i = 0; i < size; ++i) {
    odd[i] = even[i] = T(0);
    power[i] = T(i / n == i % n);
  }
  T *current = power, *spare = next;
  double coefficient = 1;
  for (int j = 0; j <= d; ++j) {
    add_term(j % 2 == 0 ? even : odd, current, coefficient);
    coefficient *= static_cast<double>(d - j) / (static_cast<double>(j + 1) * (2 * d - j));
    if (j % 2 == 0 || j == d) continue;
    if (j == 1) {
      current = square;
    } else {
      multiply_small(current, square, spare, n, n, n);
      std::swap(current, spare);
      if (spare == square) spare = power;  // which the next product still needs
    }
  }
  multiply_small(a, odd, power, n, n, n);
  for (extent_t i = 0; i < size; ++i) {
    a[i] = even[i] + power[i];
    even[i] -= power[i];
  }
  solve_in_place(even, a, n, n);
  for (int k = 0; k < squarings; ++k) {
    multiply_small(a, a, power, n, n, n);
    for (extent_t i = 0; i < size; ++i) a[i] = power[i];
  }
}

}  // namespace DIMITY_NAMESPACE::detail
