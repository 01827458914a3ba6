// Systems of equations, Cholesky factors and determinants: a block a matrix, in shared memory where it fits, otherwise in place in global memory. Meant for batches of matrices of up to a few hundred rows; a single large one has one block.
// The algorithms are those of exec/cpu/solve.hpp (Golub and Van Loan, Matrix Computations, sections 3.1, 3.4, 4.2), with the updates behind a pivot in parallel.
#pragma once

#include <dimity/exec/cuda/launch.hpp>
#include <dimity/exec/cuda/primitives.hpp>

namespace DIMITY_NAMESPACE::detail {

inline constexpr std::int64_t shared_matrix_bytes = 40960;
/// Memory of the matrices that are eliminated, where they do not fit a block's.
constexpr std::int64_t elimination_scratch_bytes(std::int64_t n, std::int64_t matrices, std::int64_t element_bytes) { return n * n * element_bytes <= shared_matrix_bytes ? 0 : matrices * n * n * element_bytes; }

struct matrix_arguments {
  void const* a;
  void const* b;
  void* to;
  void* scratch;
};

template <class Code>
struct matrix_base : primitive_base<Code> {
  using base = primitive_base<Code>;
  using typename base::T;
  using arguments = matrix_arguments;
  static constexpr int rank = Code::template rank<0>;
  static constexpr int n = static_cast<int>(Code::template extent<0, rank - 1>);
  static constexpr int threads = n <= 8 ? 32 : n <= 32 ? 64 : 256;
  static constexpr bool in_shared = n * std::int64_t{n} * static_cast<std::int64_t>(sizeof(T)) <= shared_matrix_bytes;
  static constexpr int shared_elements = in_shared && n > 0 ? n * n : 1;
  static constexpr std::int64_t row = Code::template stride<0, rank - 2>, column = Code::template stride<0, rank - 1>;

  /// The first element of matrix `at` of an operand with `elements` elements in each.
  template <int K>
  DIMITY_DEVICE static T const* first_of(void const* operand, long long at, long long elements) {
    element_index i;
    index_of<Code, K>(i, at * elements);
    return static_cast<T const*>(operand) + offset_of_element<Code, K>(i);
  }
  template <class F>
  DIMITY_DEVICE static void each(int count, F const& f) {
    for (int i = static_cast<int>(threadIdx.x); i < count; i += threads) f(i);
  }
  DIMITY_DEVICE static T magnitude(T x) { return x < T(0) ? -x : x; }

  struct candidate {
    T value[threads];
    int row[threads];
  };
  /// The first row from c on in which column c is largest.
  DIMITY_DEVICE static int pivot_of(T const* a, int c, candidate& found) {
    int const thread = static_cast<int>(threadIdx.x);
    int best = c;
    for (int r = c + thread; r < n; r += threads)
      if (best < c + thread || magnitude(a[r * n + c]) > magnitude(a[best * n + c])) best = r;
    bool const has_one = c + thread < n;
    found.value[thread] = has_one ? magnitude(a[best * n + c]) : T(-1);
    found.row[thread] = best;
    for (int distance = threads / 2; distance > 0; distance /= 2) {
      __syncthreads();
      if (thread >= distance) continue;
      T const other = found.value[thread + distance], own = found.value[thread];
      if (other > own || (other == own && found.row[thread + distance] < found.row[thread])) {
        found.value[thread] = other;
        found.row[thread] = found.row[thread + distance];
      }
    }
    __syncthreads();
    return found.row[0];
  }
  DIMITY_DEVICE static void exchange(T& x, T& y) {
    T const z = x;
    x = y;
    y = z;
  }
  /// Column c is gone below its diagonal; `b`, of k columns, is kept in step. Returns whether rows were exchanged.
  template <int K>
  DIMITY_DEVICE static bool eliminate(T* a, T* b, int c, candidate& found) {
    int const pivot = pivot_of(a, c, found);
    if (pivot != c) {
      each(n - c, [&](int j) { exchange(a[c * n + c + j], a[pivot * n + c + j]); });
      each(K, [&](int j) { exchange(b[c * K + j], b[pivot * K + j]); });
    }
    __syncthreads();
    T const inverse = T(1) / a[c * n + c];
    int const below = n - c - 1;
    each(below * (below + K), [&](int i) {
      int const r = c + 1 + i / (below + K), j = i % (below + K);
      T const factor = a[r * n + c] * inverse;
      if (j < below) a[r * n + c + 1 + j] -= factor * a[c * n + c + 1 + j];
      else b[r * K + j - below] -= factor * b[c * K + j - below];
    });
    __syncthreads();
    return pivot != c;
  }
  /// b <- a^-1 b, of k columns, for the upper triangle that is left.
  template <int K>
  DIMITY_DEVICE static void substitute(T const* a, T* b) {
    for (int c = n - 1; c >= 0; --c) {
      T const inverse = T(1) / a[c * n + c];
      each(K, [&](int j) { b[c * K + j] *= inverse; });
      __syncthreads();
      each(c * K, [&](int i) { b[i] -= a[i / K * n + c] * b[c * K + i % K]; });
      __syncthreads();
    }
  }
};

/// l with a = l l^T.
template <class Code>
struct cholesky_kernel : matrix_base<Code> {
  using base = matrix_base<Code>;
  using base::n, typename base::T;
  static constexpr std::int64_t blocks = n == 0 ? 0 : Code::template size<0> / (n > 0 ? n * std::int64_t{n} : 1);
  DIMITY_DEVICE static void run(matrix_arguments const& args) {
    __shared__ T shared[base::shared_elements];
    long long const matrix = blockIdx.x;
    T const* const from = base::template first_of<0>(args.a, matrix, std::int64_t{n} * n);
    T* const to = static_cast<T*>(args.to) + matrix * n * n;
    T* const a = base::in_shared ? shared : to;
    base::each(n * n, [&](int i) { a[i] = i % n <= i / n ? from[i / n * base::row + i % n * base::column] : T(0); });
    for (int c = 0; c < n; ++c) {
      __syncthreads();
      T const diagonal = device_unary<primitive::sqrt>(a[c * n + c]), inverse = T(1) / diagonal;
      __syncthreads();
      int const below = n - c - 1;
      base::each(below + 1, [&](int r) { a[(c + r) * n + c] = r == 0 ? diagonal : a[(c + r) * n + c] * inverse; });
      __syncthreads();
      base::each(below * below, [&](int i) {
        int const r = c + 1 + i / below, j = c + 1 + i % below;
        if (j <= r) a[r * n + j] -= a[r * n + c] * a[j * n + c];
      });
    }
    __syncthreads();
    if constexpr (base::in_shared) base::each(n * n, [&](int i) { to[i] = a[i]; });
  }
};

/// x with a x = b for a triangle; columns of b are shared by blocks.
template <class Code>
struct triangular_solve_kernel : matrix_base<Code> {
  using base = matrix_base<Code>;
  using base::n, typename base::T;
  static constexpr int rank = Code::template rank<1>, k = static_cast<int>(Code::template extent<1, rank - 1>), together = k < 32 ? (k > 0 ? k : 1) : 32, groups = (k + together - 1) / together;
  static constexpr std::int64_t row_b = Code::template stride<1, rank - 2>, column_b = Code::template stride<1, rank - 1>;
  static constexpr bool upper = Code::attribute != 0;
  static constexpr std::int64_t blocks = n * k == 0 ? 0 : Code::template size<1> / (n * k > 0 ? n * std::int64_t{k} : 1) * groups;
  DIMITY_DEVICE static void run(matrix_arguments const& args) {
    long long const matrix = static_cast<long long>(blockIdx.x) / groups;
    int const first = static_cast<int>(static_cast<long long>(blockIdx.x) % groups) * together, columns = k - first < together ? k - first : together;
    T const* const a = base::template first_of<0>(args.a, matrix, std::int64_t{n} * n);
    T const* const from = base::template first_of<1>(args.b, matrix, std::int64_t{n} * k) + first * column_b;
    T* const b = static_cast<T*>(args.to) + matrix * n * k + first;
    base::each(n * columns, [&](int i) { b[i / columns * k + i % columns] = from[i / columns * row_b + i % columns * column_b]; });
    for (int step = 0; step < n; ++step) {
      int const i = upper ? n - 1 - step : step, left = n - 1 - step, next = upper ? 0 : i + 1;
      __syncthreads();
      base::each(columns, [&](int j) { b[i * k + j] = b[i * k + j] / a[i * base::row + i * base::column]; });
      __syncthreads();
      base::each(left * columns, [&](int e) {
        int const r = next + e / columns, j = e % columns;
        b[r * k + j] -= a[r * base::row + i * base::column] * b[i * k + j];
      });
    }
  }
};

/// x with a x = b. Rows are exchanged so that the largest element of a column is the pivot.
template <class Code>
struct solve_kernel : matrix_base<Code> {
  using base = matrix_base<Code>;
  using base::n, typename base::T;
  static constexpr int rank = Code::template rank<1>, k = static_cast<int>(Code::template extent<1, rank - 1>);
  static constexpr std::int64_t row_b = Code::template stride<1, rank - 2>, column_b = Code::template stride<1, rank - 1>;
  static constexpr std::int64_t blocks = n * k == 0 ? 0 : Code::template size<1> / (n * k > 0 ? n * std::int64_t{k} : 1);
  DIMITY_DEVICE static void run(matrix_arguments const& args) {
    __shared__ T shared[base::shared_elements];
    __shared__ typename base::candidate found;
    long long const matrix = blockIdx.x;
    T* const a = base::in_shared ? shared : static_cast<T*>(args.scratch) + matrix * n * n;
    T* const b = static_cast<T*>(args.to) + matrix * n * k;
    T const* const from = base::template first_of<0>(args.a, matrix, std::int64_t{n} * n);
    T const* const right = base::template first_of<1>(args.b, matrix, std::int64_t{n} * k);
    base::each(n * n, [&](int i) { a[i] = from[i / n * base::row + i % n * base::column]; });
    base::each(n * k, [&](int i) { b[i] = right[i / k * row_b + i % k * column_b]; });
    __syncthreads();
    for (int c = 0; c < n; ++c) base::template eliminate<k>(a, b, c, found);
    base::template substitute<k>(a, b);
  }
};

/// The sign of a determinant, and the logarithm of its absolute value.
template <class Code>
struct slogdet_kernel : matrix_base<Code> {
  using base = matrix_base<Code>;
  using base::n, typename base::T;
  static constexpr std::int64_t blocks = Code::template size<base::result_of> / 2;
  DIMITY_DEVICE static void run(matrix_arguments const& args) {
    __shared__ T shared[base::shared_elements];
    __shared__ typename base::candidate found;
    long long const matrix = blockIdx.x;
    T sign(1), logarithm(0);
    if constexpr (n > 0) {
      T* const a = base::in_shared ? shared : static_cast<T*>(args.scratch) + matrix * n * n;
      T const* const from = base::template first_of<0>(args.a, matrix, std::int64_t{n} * n);
      base::each(n * n, [&](int i) { a[i] = from[i / n * base::row + i % n * base::column]; });
      __syncthreads();
      for (int c = 0; c < n; ++c) {
        if (base::template eliminate<0>(a, static_cast<T*>(nullptr), c, found)) sign = -sign;
        T const p = a[c * n + c];
        if (p < T(0)) sign = -sign;
        // A pivot of 0 leaves 0 and -inf, whatever the columns behind it are.
        logarithm = sign == T(0) ? logarithm : p == T(0) ? device_limits<T>::lowest : logarithm + device_unary<primitive::log>(base::magnitude(p));
        if (p == T(0)) sign = T(0);
      }
    }
    if (threadIdx.x != 0) return;
    T* const to = static_cast<T*>(args.to) + matrix * 2;
    to[0] = sign;
    to[1] = logarithm;
  }
};

}  // namespace DIMITY_NAMESPACE::detail
