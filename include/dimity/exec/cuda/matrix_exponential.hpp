// The exponential of a matrix, a block a matrix.
#pragma once

#include <dimity/exec/cuda/matrices.hpp>
#include <dimity/exec/cuda/orthogonal.hpp>

namespace DIMITY_NAMESPACE::detail {

constexpr std::int64_t expm_scratch_bytes(std::int64_t n, std::int64_t matrices, std::int64_t element_bytes) { return 5 * n * n * matrices * element_bytes; }

/// A Pade approximant of a / 2^s, of the degree that is exact for the largest norms, squared s times (Higham, The scaling and squaring method for the matrix exponential revisited, 2005; exec/cpu/matrix_exponential.hpp has the limits). All nan where an
/// element is not finite. 5 (float) or 8 (double) products of matrices, one system of equations, and s products more.
template <class Code>
struct expm_kernel : matrix_base<Code> {
  using base = matrix_base<Code>;
  using base::n, typename base::T;
  static constexpr int degree = std::is_same_v<T, float> ? 7 : 13;
  static constexpr T limit = std::is_same_v<T, float> ? T(3.925724783138660) : T(5.371920351148152);
  static constexpr std::int64_t blocks = n == 0 ? 0 : Code::template size<0> / (n > 0 ? n * std::int64_t{n} : 1);
  /// Of x^j in the numerator: (2 d - j)! d! / ((2 d)! (d - j)! j!).
  struct coefficients {
    T of[degree + 1];
  };
  static constexpr coefficients terms = [] {
    coefficients c{};
    double x = 1;
    for (int j = 0; j <= degree; ++j) {
      c.of[j] = static_cast<T>(x);
      x *= static_cast<double>(degree - j) / (static_cast<double>(j + 1) * (2 * degree - j));
    }
    return c;
  }();
  struct memory {
    block_values<T, base::threads> values;
    typename base::candidate found;
  };
  /// to = x y; also a barrier before and behind.
  DIMITY_DEVICE static void multiply(T const* x, T const* y, T* to) {
    __syncthreads();
    base::each(n * n, [&](int i) {
      T sum = T(0);
      for (int k = 0; k < n; ++k) sum += x[i / n * n + k] * y[k * n + i % n];
      to[i] = sum;
    });
    __syncthreads();
  }
  /// Terms J and J + 1 for a matrix that is x^J for an even J, and the next ones.
  template <int J>
  DIMITY_DEVICE static void add_terms(T const* current, T const* square, T* even, T* odd, T* one, T* other) {
    constexpr T of_even = terms.of[J], of_odd = terms.of[J + 1];
    base::each(n * n, [&](int i) {
      even[i] += of_even * current[i];
      odd[i] += of_odd * current[i];
    });
    if constexpr (J + 2 <= degree) {
      T* const next = current == one ? other : one;
      multiply(current, square, next);
      add_terms<J + 2>(next, square, even, odd, one, other);
    }
  }
  DIMITY_DEVICE static void run(matrix_arguments const& args) {
    __shared__ memory shared;
    long long const matrix = blockIdx.x;
    T* const a = static_cast<T*>(args.to) + matrix * n * n;
    T *const square = static_cast<T*>(args.scratch) + matrix * 5 * n * n, *const one = square + n * n, *const other = one + n * n, *const odd = other + n * n, *const even = odd + n * n;
    T const* const from = base::template first_of<0>(args.a, matrix, std::int64_t{n} * n);
    T largest = T(0);
    base::each(n, [&](int j) {
      T sum = T(0);
      for (int i = 0; i < n; ++i) sum += base::magnitude(from[i * base::row + j * base::column]);
      largest = larger_or_nan{}(sum, largest);
    });
    T const norm = shared.values.join(largest, larger_or_nan{});
    bool const failed = !(norm < device_limits<T>::infinity);
    int squarings = 0;
    T scale = T(1);
    for (; !failed && norm * scale > limit; ++squarings) scale *= T(0.5);
    base::each(n * n, [&](int i) {
      a[i] = from[i / n * base::row + i % n * base::column] * scale;
      one[i] = T(i / n == i % n);
      even[i] = odd[i] = T(0);
    });
    multiply(a, a, square);
    add_terms<0>(one, square, even, odd, one, other);
    // Numerator even + a odd, denominator even - a odd.
    multiply(a, odd, other);
    base::each(n * n, [&](int i) {
      a[i] = even[i] + other[i];
      even[i] -= other[i];
    });
    __syncthreads();
    for (int c = 0; c < n; ++c) base::template eliminate<n>(even, a, c, shared.found);
    base::template substitute<n>(even, a);
    for (int k = 0; k < squarings; ++k) {
      multiply(a, a, other);
      base::each(n * n, [&](int i) { a[i] = other[i]; });
    }
    __syncthreads();
    if (failed) base::each(n * n, [&](int i) { a[i] = device_limits<T>::nan; });
  }
};

}  // namespace DIMITY_NAMESPACE::detail
