// Matrices for the interpreter: systems of equations, factorisations and Fourier transforms, by the simplest method there is for small ones.
#pragma once

#include "interpreter_primitives.hpp"

#include <numbers>

namespace test {

using matrix = std::vector<std::vector<double>>;

/// The matrix of a batch in the last two axes.
inline matrix matrix_at(array const& x, indices const& batch) {
  std::size_t const r = x.shape.size();
  matrix m;
  for (std::int64_t i = 0; i < x.shape[r - 2]; ++i) {
    m.emplace_back();
    for (std::int64_t j = 0; j < x.shape[r - 1]; ++j) m.back().push_back(element(x, joined(batch, {i, j})));
  }
  return m;
}
/// The array of shape `shape` whose matrices are f(batch).
template <class F>
array made_of_matrices(indices const& shape, F const& f) {
  array y{shape, {}};
  for_each_place(before(shape, shape.size() - 2), [&](indices const& batch) {
    for (auto const& row : f(batch)) y.elements.insert(y.elements.end(), row.begin(), row.end());
  });
  return y;
}
/// Gauss and Jordan: a becomes the unit matrix, b the solution.
inline matrix solved(matrix a, matrix b) {
  std::size_t const n = a.size();
  for (std::size_t c = 0; c < n; ++c) {
    std::size_t largest = c;
    for (std::size_t r = c; r < n; ++r)
      if (std::fabs(a[r][c]) > std::fabs(a[largest][c])) largest = r;
    std::swap(a[c], a[largest]);
    std::swap(b[c], b[largest]);
    double const pivot = a[c][c];
    for (double& x : a[c]) x /= pivot;
    for (double& x : b[c]) x /= pivot;
    for (std::size_t r = 0; r < n; ++r) {
      if (r == c) continue;
      double const factor = a[r][c];
      for (std::size_t j = 0; j < n; ++j) a[r][j] -= factor * a[c][j];
      for (std::size_t j = 0; j < b[r].size(); ++j) b[r][j] -= factor * b[c][j];
    }
  }
  return b;
}
/// One triangle of a, and zeros.
inline matrix triangle_of(matrix a, bool upper) {
  for (std::size_t i = 0; i < a.size(); ++i)
    for (std::size_t j = 0; j < a.size(); ++j)
      if (upper ? j < i : j > i) a[i][j] = 0;
  return a;
}
inline matrix cholesky_factor(matrix const& a) {
  matrix l(a.size(), std::vector<double>(a.size(), 0.0));
  for (std::size_t i = 0; i < a.size(); ++i)
    for (std::size_t j = 0; j <= i; ++j) {
      double rest = a[i][j];
      for (std::size_t k = 0; k < j; ++k) rest -= l[i][k] * l[j][k];
      l[i][j] = i == j ? std::sqrt(rest) : rest / l[j][j];
    }
  return l;
}
/// Along the first row.
inline double determinant(matrix const& a) {
  if (a.empty()) return 1;
  double sum = 0;
  for (std::size_t c = 0; c < a.size(); ++c) {
    matrix minor;
    for (std::size_t i = 1; i < a.size(); ++i) {
      minor.push_back(a[i]);
      minor.back().erase(minor.back().begin() + static_cast<std::ptrdiff_t>(c));
    }
    sum += (c % 2 == 0 ? 1 : -1) * a[0][c] * determinant(minor);
  }
  return sum;
}

inline matrix matrix_of(std::size_t rows, std::size_t columns) { return matrix(rows, std::vector<double>(columns, 0.0)); }
inline matrix product_of(matrix const& a, matrix const& b) {
  matrix c = matrix_of(a.size(), b[0].size());
  for (std::size_t i = 0; i < a.size(); ++i)
    for (std::size_t k = 0; k < b.size(); ++k)
      for (std::size_t j = 0; j < b[k].size(); ++j) c[i][j] += a[i][k] * b[k][j];
  return c;
}
inline matrix transposed(matrix const& a) {
  matrix t = matrix_of(a[0].size(), a.size());
  for (std::size_t i = 0; i < a.size(); ++i)
    for (std::size_t j = 0; j < a[i].size(); ++j) t[j][i] = a[i][j];
  return t;
}
inline matrix below(matrix a, matrix const& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}
/// Gram and Schmidt; q, then r.
inline matrix qr_factors(matrix const& a) {
  std::size_t const n = a[0].size();
  matrix columns = transposed(a), r = matrix_of(n, n);
  for (std::size_t j = 0; j < n; ++j) {
    for (std::size_t k = 0; k < j; ++k) {
      for (std::size_t i = 0; i < a.size(); ++i) r[k][j] += columns[k][i] * columns[j][i];
      for (std::size_t i = 0; i < a.size(); ++i) columns[j][i] -= r[k][j] * columns[k][i];
    }
    double squares = 0;
    for (double const x : columns[j]) squares += x * x;
    r[j][j] = std::sqrt(squares);
    for (double& x : columns[j]) x /= r[j][j];
  }
  return below(transposed(columns), r);
}
/// Jacobi's rotations of the matrix whose lower triangle this is; eigenvalues, then vectors whose largest components are positive.
inline matrix eigenvectors(matrix a) {
  std::size_t const n = a.size();
  matrix v = matrix_of(n, n);
  for (std::size_t i = 0; i < n; ++i) {
    v[i][i] = 1;
    for (std::size_t j = i + 1; j < n; ++j) a[i][j] = a[j][i];
  }
  for (int sweep = 0; sweep < 30; ++sweep)
    for (std::size_t p = 0; p < n; ++p)
      for (std::size_t q = p + 1; q < n; ++q) {
        double const angle = 0.5 * std::atan2(2 * a[p][q], a[q][q] - a[p][p]), c = std::cos(angle), s = std::sin(angle);
        matrix turn = matrix_of(n, n);
        for (std::size_t i = 0; i < n; ++i) turn[i][i] = 1;
        turn[p][p] = turn[q][q] = c;
        turn[p][q] = s;
        turn[q][p] = -s;
        a = product_of(transposed(turn), product_of(a, turn));
        v = product_of(v, turn);
      }
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < n; ++i) order.push_back(i);
  std::sort(order.begin(), order.end(), [&](std::size_t i, std::size_t j) { return a[i][i] < a[j][j]; });
  matrix result = matrix_of(n + 1, n);
  for (std::size_t j = 0; j < n; ++j) {
    result[0][j] = a[order[j]][order[j]];
    double largest = 0;
    for (std::size_t i = 0; i < n; ++i)
      if (std::fabs(v[i][order[j]]) > std::fabs(largest)) largest = v[i][order[j]];
    for (std::size_t i = 0; i < n; ++i) result[i + 1][j] = largest < 0 ? -v[i][order[j]] : v[i][order[j]];
  }
  return result;
}
/// Of the eigenvectors of a^T a; u, then singular values, then v.
inline matrix singular_vectors(matrix const& a) {
  std::size_t const n = a[0].size();
  matrix const ascending = eigenvectors(product_of(transposed(a), a));
  matrix s = matrix_of(1, n), v = matrix_of(n, n);
  for (std::size_t j = 0; j < n; ++j) {
    s[0][j] = std::sqrt(ascending[0][n - 1 - j]);
    for (std::size_t i = 0; i < n; ++i) v[i][j] = ascending[i + 1][n - 1 - j];
  }
  matrix u = product_of(a, v);
  for (auto& row : u)
    for (std::size_t j = 0; j < n; ++j) row[j] /= s[0][j];
  return below(u, below(s, v));
}
/// The power series of a / 1024, squared ten times.
inline matrix exponential(matrix const& a) {
  std::size_t const n = a.size();
  matrix term = matrix_of(n, n);
  for (std::size_t i = 0; i < n; ++i) term[i][i] = 1;
  matrix sum = term;
  for (int k = 1; k < 12; ++k) {
    term = product_of(term, a);
    for (std::size_t i = 0; i < n; ++i)
      for (std::size_t j = 0; j < n; ++j) sum[i][j] += term[i][j] /= 1024.0 * k;
  }
  for (int k = 0; k < 10; ++k) sum = product_of(sum, sum);
  return sum;
}

/// Real parts in row 0 and imaginary parts in row 1 of sum_j x_j exp(+-2 pi i j k / n) for k < count; `x` has one row where it is real.
inline matrix fourier_sum(matrix const& x, std::size_t count, bool inverse) {
  std::size_t const n = x[0].size();
  matrix y = matrix_of(2, count);
  for (std::size_t k = 0; k < count; ++k)
    for (std::size_t j = 0; j < n; ++j) {
      double const angle = (inverse ? 2 : -2) * std::numbers::pi * static_cast<double>(j * k % n) / static_cast<double>(n), imaginary = x.size() > 1 ? x[1][j] : 0;
      y[0][k] += x[0][j] * std::cos(angle) - imaginary * std::sin(angle);
      y[1][k] += x[0][j] * std::sin(angle) + imaginary * std::cos(angle);
    }
  return y;
}
/// The n entries of a real array's transform, of which the others are the conjugates.
inline matrix whole_spectrum(matrix const& half, std::size_t n) {
  matrix x = matrix_of(2, n);
  for (std::size_t k = 0; k < n; ++k) {
    bool const conjugate = k > n / 2, real = k == 0 || 2 * k == n;
    x[0][k] = half[0][conjugate ? n - k : k];
    x[1][k] = real ? 0 : conjugate ? -half[1][n - k] : half[1][k];
  }
  return x;
}

}  // namespace test
