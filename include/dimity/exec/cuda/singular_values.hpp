// Singular values, a block a matrix.
#pragma once

#include <dimity/exec/cuda/orthogonal.hpp>

namespace DIMITY_NAMESPACE::detail {

/// The columns that rotate, [n, m], and the rotations, [n, n].
constexpr std::int64_t svd_scratch_bytes(std::int64_t m, std::int64_t n, std::int64_t matrices, std::int64_t element_bytes) { return (m + n) * n * matrices * element_bytes; }

/// u with orthonormal columns, singular values, descending, then v: a = u diag(s) v^T. All nan where an element is not finite. One-sided Jacobi (Hestenes 1958; Golub and Van Loan, Matrix Computations, section 8.6.3): pairs of columns, a warp each,
/// turn until all are orthogonal. Singular values below the largest times sqrt(least number) count as 0.
template <class Code>
struct svd_kernel : primitive_base<Code> {
  using base = primitive_base<Code>;
  using typename base::T;
  using arguments = matrix_arguments;
  static constexpr int rank = Code::template rank<0>, m = static_cast<int>(Code::template extent<0, rank - 2>), n = static_cast<int>(Code::template extent<0, rank - 1>);
  static constexpr int threads = n <= 4 ? 64 : 256, warps = threads / 32;
  static constexpr std::int64_t row = Code::template stride<0, rank - 2>, column = Code::template stride<0, rank - 1>, blocks = n * m == 0 ? 0 : Code::template size<0> / (n * m > 0 ? m * std::int64_t{n} : 1);
  using meetings = tournament<n>;
  struct memory {
    block_values<T, threads> values;
    int turned;
  };
  static constexpr T tolerance = [] {
    T root = T(1);
    while (root * root < static_cast<T>(m)) root *= T(2);
    return device_limits<T>::epsilon * root;
  }();

  DIMITY_DEVICE static T product(T const* x, T const* y, int count, int lane) {
    T sum = T(0);
    for (int i = lane; i < count; i += 32) sum += x[i] * y[i];
    return warp_sum(sum);
  }
  DIMITY_DEVICE static void turn_all(T* x, T* y, int count, int lane, T c, T s) {
    for (int i = lane; i < count; i += 32) turn(x[i], y[i], c, s);
  }
  /// Columns of u whose singular values are 0: axes, without what the others have of them. A warp does it.
  DIMITY_DEVICE static void complete(T* u, int known, int lane) {
    int axis = 0;
    for (int k = known; k < n && axis < m; ++axis) {
      for (int i = lane; i < m; i += 32) u[i * n + k] = T(i == axis);
      T size = T(0);
      for (int pass = 0; pass < 2; ++pass) {  // once more for what rounding left
        for (int j = 0; j < k; ++j) {
          T sum = T(0);
          for (int i = lane; i < m; i += 32) sum += u[i * n + j] * u[i * n + k];
          sum = warp_sum(sum);
          for (int i = lane; i < m; i += 32) u[i * n + k] -= sum * u[i * n + j];
        }
        size = T(0);
        for (int i = lane; i < m; i += 32) size += u[i * n + k] * u[i * n + k];
        size = warp_sum(size);
      }
      // The sum of these over all axes is m - k, so one of them is large enough.
      if (size * T(2 * m) < T(1)) continue;
      T const inverse = device_unary<primitive::rsqrt>(size);
      for (int i = lane; i < m; i += 32) u[i * n + k] *= inverse;
      ++k;
    }
  }
  DIMITY_DEVICE static void run(matrix_arguments const& args) {
    __shared__ memory shared;
    long long const matrix = blockIdx.x;
    int const thread = static_cast<int>(threadIdx.x), warp = thread / 32, lane = thread % 32;
    T *const a = static_cast<T*>(args.scratch) + matrix * (m + n) * n, *const rotations = a + m * n;
    T *const u = static_cast<T*>(args.to) + matrix * (m + 1 + n) * n, *const s = u + m * n, *const v = s + n;
    element_index at;
    index_of<Code, 0>(at, matrix * m * n);
    T const* const from = static_cast<T const*>(args.a) + offset_of_element<Code, 0>(at);
    T largest = T(0);
    for (int i = thread; i < m * n; i += threads) {
      T const x = from[i % m * row + i / m * column];
      a[i] = x;
      largest = larger_or_nan{}(x < T(0) ? -x : x, largest);
    }
    for (int i = thread; i < n * n; i += threads) rotations[i] = T(i / n == i % n);
    T const scale = scale_of(shared.values.join(largest, larger_or_nan{}));
    for (int i = thread; i < m * n; i += threads) a[i] = a[i] / scale;
    __syncthreads();
    bool more = scale == scale && n > 1;
    for (int sweep = 0; more && sweep < 60; ++sweep) {
      if (thread == 0) shared.turned = 0;
      __syncthreads();
      for (int round = 0; round < meetings::rounds; ++round) {
        for (int pair = warp; pair < meetings::pairs; pair += warps) {
          int p = 0, q = 0;
          meetings::meet(round, pair, p, q);
          if (q >= n) continue;
          T const x = product(a + p * m, a + p * m, m, lane), y = product(a + q * m, a + q * m, m, lane), xy = product(a + p * m, a + q * m, m, lane), size = xy < T(0) ? -xy : xy;
          if (!(size > tolerance * device_unary<primitive::sqrt>(x) * device_unary<primitive::sqrt>(y))) continue;
          T c, t;
          rotation_of(x, y, xy, c, t);
          turn_all(a + p * m, a + q * m, m, lane, c, c * t);
          turn_all(rotations + p * n, rotations + q * n, n, lane, c, c * t);
          if (lane == 0) shared.turned = 1;
        }
        __syncthreads();
      }
      more = shared.turned != 0;
      __syncthreads();
    }
    // Norms, then each column to its place.
    for (int k = warp; k < n; k += warps) {
      T const square = product(a + k * m, a + k * m, m, lane);
      if (lane == 0) v[k] = device_unary<primitive::sqrt>(square);  // here as long as nothing else is
    }
    __syncthreads();
    bool const failed = scale != scale;
    int known = 0;
    for (int k = 0; k < n; ++k) known += v[k] > T(0);
    for (int k = warp; k < n; k += warps) {
      T const own = v[k], inverse = own > T(0) ? T(1) / own : T(0);
      int place = 0;
      for (int j = 0; j < n; ++j) place += v[j] > own || (v[j] == own && j < k);
      if (failed) place = k;
      if (lane == 0) s[place] = own * scale;
      for (int i = lane; i < m; i += 32) u[i * n + place] = a[k * m + i] * inverse * (failed ? scale : T(1));
      // Its place in v is kept in the column itself, which is not needed any more.
      if (lane == 0) a[k * m] = static_cast<T>(place);
    }
    __syncthreads();
    for (int i = thread; i < n * n; i += threads) v[i / n * n + static_cast<int>(a[i % n * m])] = failed ? scale : rotations[i % n * n + i / n];
    if (!failed && warp == 0) complete(u, known, lane);
  }
};

}  // namespace DIMITY_NAMESPACE::detail
