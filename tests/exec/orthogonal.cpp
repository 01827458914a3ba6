// The kernels of QR, eigenvalues, singular values and the exponential on many matrices, hard ones among them: residuals and orthogonality within a few units of rounding times n.
#include <dimity/exec/cpu/matrix_exponential.hpp>
#include <dimity/exec/cpu/orthogonal.hpp>

#include <doctest/doctest.h>

#include <random>
#include <vector>

using namespace dimity;
using namespace dimity::detail;

namespace {

enum class kind { random, zero, rank_one, equal_columns, huge, tiny, unit, graded, zero_columns, zero_rows, nearly_rank_one, count };

template <class T>
std::vector<T> matrix(std::mt19937& random, extent_t m, extent_t n, kind k) {
  std::normal_distribution<double> normal;
  std::vector<T> a(static_cast<std::size_t>(m * n));
  for (extent_t i = 0; i < m; ++i)
    for (extent_t j = 0; j < n; ++j) {
      T& x = a[static_cast<std::size_t>(i * n + j)];
      double const r = normal(random);
      x = static_cast<T>(r);
      switch (k) {
        case kind::zero: x = T(0); break;
        case kind::rank_one: x = static_cast<T>((i + 1) * (j + 1)); break;
        case kind::equal_columns:
          if (j % 2 == 1) x = a[static_cast<std::size_t>(i * n + j - 1)];
          break;
        case kind::huge: x *= sizeof(T) == 4 ? T(1e30) : T(1e250); break;
        case kind::tiny: x *= sizeof(T) == 4 ? T(1e-36) : T(1e-290); break;
        case kind::unit: x = T(i == j); break;
        case kind::graded: x *= std::pow(T(10), T(-(i + j) % 30)); break;
        case kind::zero_columns:
          if (j % 3 == 0) x = T(0);
          break;
        case kind::zero_rows:
          if (i % 2 == 0) x = T(0);
          break;
        case kind::nearly_rank_one: x = T(1) + std::numeric_limits<T>::epsilon() * static_cast<T>(r); break;
        default: break;
      }
    }
  return a;
}

/// Distances in long double, in units of rounding times n.
template <class T>
struct judge {
  extent_t m, n;
  double largest;

  double unit() const { return std::numeric_limits<T>::epsilon() * static_cast<double>(n); }
  /// Of q^T q from 1, q [rows, n].
  double from_orthonormal(T const* q, extent_t rows) const {
    double worst = 0;
    for (extent_t i = 0; i < n; ++i)
      for (extent_t j = 0; j < n; ++j) {
        long double sum = i == j ? -1 : 0;
        for (extent_t k = 0; k < rows; ++k) sum += static_cast<long double>(q[k * n + i]) * q[k * n + j];
        worst = std::max(worst, static_cast<double>(std::abs(sum)));
      }
    return worst / unit();
  }
  /// Of term(i, j, k), summed over k, from a(i, j), where both are [rows, n].
  template <class A, class Term>
  double residual(extent_t rows, A const& a, Term const& term) const {
    double worst = 0;
    for (extent_t i = 0; i < rows; ++i)
      for (extent_t j = 0; j < n; ++j) {
        long double sum = -static_cast<long double>(a(i, j));
        for (extent_t k = 0; k < n; ++k) sum += term(i, j, k);
        worst = std::max(worst, static_cast<double>(std::abs(sum)));
      }
    return largest > 0 ? worst / largest / unit() : worst;
  }
};

template <class T>
void check(std::mt19937& random, extent_t m, extent_t n, kind k) {
  CAPTURE(m);
  CAPTURE(n);
  int const which = static_cast<int>(k);
  CAPTURE(which);
  std::vector<T> const a = matrix<T>(random, m, n, k);
  auto const room = [](extent_t size) { return std::vector<T>(static_cast<std::size_t>(size)); };
  judge<T> j{m, n, 0};
  for (T const x : a) j.largest = std::max(j.largest, static_cast<double>(std::abs(x)));
  auto const element = [&](extent_t r, extent_t c) { return a[static_cast<std::size_t>(r * n + c)]; };

  auto q = a, r = room(n * n), scratch = room(2 * n);
  qr_in_place(q.data(), r.data(), m, n, scratch.data());
  CHECK(j.from_orthonormal(q.data(), m) < 10);
  CHECK(j.residual(m, element, [&](extent_t i, extent_t c, extent_t s) { return static_cast<long double>(q.data()[i * n + s]) * r.data()[s * n + c]; }) < 10);

  auto u = a, s = room(n), v = room(n * n);
  scratch = room(2 * n * (n + 1));
  svd_in_place(u.data(), s.data(), v.data(), m, n, scratch.data());
  CHECK(j.from_orthonormal(u.data(), m) < 10);
  CHECK(j.from_orthonormal(v.data(), n) < 10);
  CHECK(j.residual(m, element, [&](extent_t i, extent_t c, extent_t t) { return static_cast<long double>(u.data()[i * n + t]) * s.data()[t] * v.data()[c * n + t]; }) < 10);
  CHECK(std::is_sorted(s.rbegin(), s.rend()));

  auto w = room(n);
  scratch = room(n * (n + 3));
  eigh(a.data(), n, 1, w.data(), v.data(), n, scratch.data());
  CHECK(j.from_orthonormal(v.data(), n) < 10);
  CHECK(j.residual(
            n, [&](extent_t i, extent_t c) { return static_cast<long double>(w.data()[c]) * v.data()[i * n + c]; },
            [&](extent_t i, extent_t c, extent_t t) { return static_cast<long double>(t <= i ? element(i, t) : element(t, i)) * v.data()[t * n + c]; }) < 10);
  CHECK(std::is_sorted(w.begin(), w.end()));

  if (k == kind::huge) return;
  auto up = room(n * n), down = up;
  scratch = room(5 * n * n);
  double const size = std::max(1.0, j.largest);
  for (extent_t i = 0; i < n * n; ++i) down.data()[i] = -(up.data()[i] = static_cast<T>(a.data()[i] / size / static_cast<double>(n)));
  exponential_in_place(up.data(), n, scratch.data());
  exponential_in_place(down.data(), n, scratch.data());
  j.largest = 8;  // at most e^1 in both factors
  CHECK(j.residual(n, [](extent_t i, extent_t c) { return T(i == c); }, [&](extent_t i, extent_t c, extent_t t) { return static_cast<long double>(up.data()[i * n + t]) * down.data()[t * n + c]; }) < 10);
}
template <class T>
void check_many() {
  std::mt19937 random(1);
  for (int i = 0; i < 1100; ++i) {
    extent_t const n = 1 + static_cast<extent_t>(random() % (i % 50 == 0 ? 40 : 12)), m = n + static_cast<extent_t>(random() % 8);
    check<T>(random, m, n, static_cast<kind>(i % static_cast<int>(kind::count)));
  }
}

}  // namespace

TEST_CASE("double") { check_many<double>(); }
TEST_CASE("float") { check_many<float>(); }
