// Factorisations by reflections and rotations, a block a matrix: QR, and symmetric eigenvalues.
#pragma once

#include <dimity/exec/cuda/matrices.hpp>

#include <cmath>

namespace DIMITY_NAMESPACE::detail {

/// The symmetric matrix whose eigenvalues are looked for, and its eigenvectors, as long as they are not in order.
constexpr std::int64_t eigh_scratch_bytes(std::int64_t n, std::int64_t matrices, std::int64_t element_bytes) { return 2 * n * n * matrices * element_bytes; }

template <class T>
DIMITY_DEVICE T warp_sum(T x) {
  DIMITY_UNROLL
  for (int distance = 16; distance > 0; distance /= 2) x = x + __shfl_xor_sync(~0u, x, distance);
  return x;
}
template <class T, int Threads>
struct block_values {
  T of[Threads];
  /// Of all threads. Also a barrier.
  template <class Join>
  DIMITY_DEVICE T join(T x, Join const& join) {
    int const thread = static_cast<int>(threadIdx.x);
    __syncthreads();
    of[thread] = x;
    for (int distance = Threads / 2; distance > 0; distance /= 2) {
      __syncthreads();
      if (thread < distance) of[thread] = join(of[thread], of[thread + distance]);
    }
    __syncthreads();
    return of[0];
  }
};
/// The power of two that brings the largest element between 1 and 2; nan where an element is not finite, 1 where all are 0.
template <class T>
DIMITY_DEVICE T scale_of(T largest) {
  if (!(largest < device_limits<T>::infinity)) return device_limits<T>::nan;
  if (largest == T(0)) return T(1);
  return static_cast<T>(::ldexp(1.0, ::ilogb(static_cast<double>(largest))));
}
/// nan wins.
struct larger_or_nan {
  template <class T>
  DIMITY_DEVICE T operator()(T a, T b) const {
    return a != a || a > b ? a : b;
  }
};

/// Player 0 stays, the others go round: in `rounds` rounds everyone meets everyone. An odd one out meets number n: nobody.
template <int N>
struct tournament {
  static constexpr int players = N + N % 2, pairs = players / 2, rounds = players - 1;
  DIMITY_DEVICE static int player(int seat, int round) { return seat == 0 ? 0 : 1 + (seat - 1 + round) % (rounds > 0 ? rounds : 1); }
  /// first < second
  DIMITY_DEVICE static void meet(int round, int pair, int& first, int& second) {
    int const x = player(pair, round), y = player(players - 1 - pair, round);
    first = x < y ? x : y;
    second = x < y ? y : x;
  }
};
/// The rotation after which two rows (or columns) with squares x and y, and product xy != 0, are orthogonal; or which takes xy out of [x xy; xy y]. t is the tangent.
template <class T>
DIMITY_DEVICE void rotation_of(T x, T y, T xy, T& c, T& t) {
  // Divided by the larger one, so that no square vanishes.
  T const apart = y - x, twice = T(2) * xy, a = apart < T(0) ? -apart : apart, b = twice < T(0) ? -twice : twice, unit = T(1) / (a > b ? a : b), p = a * unit, q = b * unit;
  T const size = q / (p + device_unary<primitive::sqrt>(p * p + q * q));
  t = (apart < T(0)) == (twice < T(0)) ? size : -size;
  c = device_unary<primitive::rsqrt>(T(1) + t * t);
}
template <class T>
DIMITY_DEVICE void turn(T& x, T& y, T c, T s) {
  T const old = x;
  x = c * old - s * y;
  y = s * old + c * y;
}

/// q with orthonormal columns, then the upper triangle r, with a = q r; the signs are LAPACK's. Reflections (Golub and Van Loan, Matrix Computations, section 5.2), each column by a warp.
template <class Code>
struct qr_kernel : primitive_base<Code> {
  using base = primitive_base<Code>;
  using typename base::T;
  using arguments = matrix_arguments;
  static constexpr int rank = Code::template rank<0>, m = static_cast<int>(Code::template extent<0, rank - 2>), n = static_cast<int>(Code::template extent<0, rank - 1>);
  static constexpr int threads = n <= 4 ? 64 : 256, warps = threads / 32;
  static constexpr std::int64_t row = Code::template stride<0, rank - 2>, column = Code::template stride<0, rank - 1>, blocks = n * m == 0 ? 0 : Code::template size<0> / (n * m > 0 ? m * std::int64_t{n} : 1);

  /// The reflection in column k, whose first element is 1, on the columns behind it.
  DIMITY_DEVICE static void reflect(T* a, int k, T tau) {
    int const warp = static_cast<int>(threadIdx.x) / 32, lane = static_cast<int>(threadIdx.x) % 32;
    for (int j = k + 1 + warp; j < n; j += warps) {
      T const top = a[k * n + j];  // before the lanes meet: then one of them writes it
      T w = T(0);
      for (int i = k + 1 + lane; i < m; i += 32) w += a[i * n + k] * a[i * n + j];
      w = tau * (warp_sum(w) + top);
      for (int i = k + 1 + lane; i < m; i += 32) a[i * n + j] -= a[i * n + k] * w;
      if (lane == 0) a[k * n + j] = top - w;
    }
  }
  DIMITY_DEVICE static void run(matrix_arguments const& args) {
    __shared__ block_values<T, threads> shared;
    long long const matrix = blockIdx.x;
    int const thread = static_cast<int>(threadIdx.x);
    element_index at;
    index_of<Code, 0>(at, matrix * m * n);
    T const* const from = static_cast<T const*>(args.a) + offset_of_element<Code, 0>(at);
    T *const a = static_cast<T*>(args.to) + matrix * (m + n) * n, *const r = a + m * n;
    T largest = T(0);
    for (int i = thread; i < m * n; i += threads) {
      T const x = from[i / n * row + i % n * column];
      a[i] = x;
      largest = larger_or_nan{}(x < T(0) ? -x : x, largest);
    }
    T const scale = scale_of(shared.join(largest, larger_or_nan{}));
    for (int i = thread; i < m * n; i += threads) a[i] = a[i] / scale;
    for (int k = 0; k < n; ++k) {
      __syncthreads();
      T own = T(0);
      for (int i = k + 1 + thread; i < m; i += threads) own += a[i * n + k] * a[i * n + k];
      T const rest = shared.join(own, [](T x, T y) { return x + y; }), first = a[k * n + k];
      T beta = first, tau = T(0), inverse = T(0);
      if (rest != T(0)) {
        T const norm = device_unary<primitive::sqrt>(first * first + rest);
        beta = first < T(0) ? norm : -norm;
        inverse = T(1) / (first - beta);
        tau = (beta - first) / beta;
      }
      for (int i = k + 1 + thread; i < m; i += threads) a[i * n + k] = a[i * n + k] * inverse;
      __syncthreads();
      reflect(a, k, tau);
      __syncthreads();
      // Row k of r is done, so the diagonal has room for what the way back needs.
      for (int j = thread; j < n; j += threads) r[k * n + j] = j < k ? T(0) : (j == k ? beta : a[k * n + j]) * scale;
      if (thread == 0) a[k * n + k] = tau;
    }
    for (int k = n - 1; k >= 0; --k) {
      __syncthreads();
      T const tau = a[k * n + k];
      for (int j = k + 1 + thread; j < n; j += threads) a[k * n + j] = T(0);
      __syncthreads();
      reflect(a, k, tau);
      __syncthreads();
      for (int i = thread; i < m; i += threads) a[i * n + k] = i < k ? T(0) : i == k ? T(1) - tau : -tau * a[i * n + k];
    }
  }
};

/// Eigenvalues, ascending, then eigenvectors as columns; all nan where an element is not finite. Rotations of disjoint pairs of rows and columns at once, in the order of a tournament, until what is beside the diagonal is rounding (Golub and Van Loan,
/// section 8.5): 6 to 10 sweeps of 4 n^3 multiply-adds.
template <class Code>
struct eigh_kernel : matrix_base<Code> {
  using base = matrix_base<Code>;
  using base::n, base::threads, typename base::T;
  using meetings = tournament<n>;
  static constexpr int pairs = meetings::pairs;
  static constexpr std::int64_t blocks = n == 0 ? 0 : Code::template size<0> / (n > 0 ? n * std::int64_t{n} : 1);
  struct memory {
    block_values<T, threads> values;
    T c[pairs > 0 ? pairs : 1], s[pairs > 0 ? pairs : 1];
    int turned;
  };
  DIMITY_DEVICE static void run(matrix_arguments const& args) {
    __shared__ memory shared;
    long long const matrix = blockIdx.x;
    int const thread = static_cast<int>(threadIdx.x);
    T *const a = static_cast<T*>(args.scratch) + matrix * 2 * n * n, *const v = a + n * n, *const to = static_cast<T*>(args.to) + matrix * (n + 1) * n;
    T const* const from = base::template first_of<0>(args.a, matrix, std::int64_t{n} * n);
    T largest = T(0);
    base::each(n * n, [&](int i) {
      int const r = i / n, c = i % n;
      T const x = r >= c ? from[r * base::row + c * base::column] : from[c * base::row + r * base::column];
      a[i] = x;
      v[i] = T(r == c);
      largest = larger_or_nan{}(base::magnitude(x), largest);
    });
    T const scale = scale_of(shared.values.join(largest, larger_or_nan{}));
    base::each(n * n, [&](int i) { a[i] = a[i] / scale; });
    __syncthreads();
    // Beside elements between 1 and 2, what is left there moves no eigenvalue by more than its rounding.
    constexpr T least = device_limits<T>::epsilon / T(8);
    bool more = scale == scale && n > 1;
    for (int sweep = 0; more && sweep < 40; ++sweep) {
      if (thread == 0) shared.turned = 0;
      __syncthreads();
      for (int round = 0; round < meetings::rounds; ++round) {
        base::each(pairs, [&](int pair) {
          int p = 0, q = 0;
          meetings::meet(round, pair, p, q);
          T c = T(1), s = T(0);
          if (q < n) {
            T const x = a[p * n + p], y = a[q * n + q], beside = a[p * n + q];
            if (base::magnitude(beside) > least) {
              T t;
              rotation_of(x, y, beside, c, t);
              s = c * t;
              shared.turned = 1;
            }
          }
          shared.c[pair] = c;
          shared.s[pair] = s;
        });
        __syncthreads();
        base::each(pairs * n, [&](int i) {
          int p = 0, q = 0;
          meetings::meet(round, i / n, p, q);
          if (q < n) turn(a[p * n + i % n], a[q * n + i % n], shared.c[i / n], shared.s[i / n]);
        });
        __syncthreads();
        base::each(pairs * n, [&](int i) {
          int p = 0, q = 0;
          int const pair = i % pairs, r = i / pairs;
          meetings::meet(round, pair, p, q);
          T const c = shared.c[pair], s = shared.s[pair];
          if (q >= n || s == T(0)) return;
          turn(a[r * n + p], a[r * n + q], c, s);
          turn(v[r * n + p], v[r * n + q], c, s);
          if (r == p) a[r * n + q] = T(0);
          if (r == q) a[r * n + p] = T(0);
        });
        __syncthreads();
      }
      more = shared.turned != 0;
      __syncthreads();
    }
    bool const failed = scale != scale;
    base::each(n * n, [&](int i) {
      int const r = i / n, c = i % n;
      T const own = a[c * n + c];
      int place = 0;
      for (int j = 0; j < n; ++j) place += a[j * n + j] < own || (a[j * n + j] == own && j < c);
      if (failed) place = c;
      if (r == 0) to[place] = own * scale;
      to[n + r * n + place] = failed ? scale : v[r * n + c];
    });
  }
};

}  // namespace DIMITY_NAMESPACE::detail
