// QR, symmetric eigenvalues and singular values: against what they promise and NumPy's values.
// heavy: many compiled derivatives
#include <dimity/plan/facts.hpp>

#include "matrices.hpp"

#include <cmath>
#include <limits>

using namespace dimity;
using test::positive;
using test::spread;

namespace {

constexpr double inf = std::numeric_limits<double>::infinity();

template <class T>
double tolerance_for(double scale = 1) {
  return scale * (sizeof(T) == 4 ? 2e-5 : 2e-14);
}
template <class X, class Y>
bool near(X const& x, Y const& y, double scale = 1) {
  double const bound = tolerance_for<typename X::value_type>(scale);
  return allclose(x, y, bound, bound);
}
template <class Q>
bool orthonormal_columns(Q const& q) {
  using T = typename Q::value_type;
  return near(eval(matmul(transpose(q), q)), eye<T, dimity::detail::shape_of<Q>::at(1)>());
}
template <class X>
bool descending(X const& x) {
  for (std::size_t i = 1; i < x.size(); ++i)
    if (!(x.data()[i - 1] >= x.data()[i])) return false;
  return true;
}
template <class T, extent_t M, extent_t N>
void check_qr(tensor<T, M, N> const& a) {
  CAPTURE(M);
  CAPTURE(N);
  auto const [q, r] = linalg::qr(a);
  static_assert(std::is_same_v<decltype(q), tensor<T, M, (M < N ? M : N)> const>);
  CHECK(near(eval(matmul(q, r)), a));
  CHECK(orthonormal_columns(q));
  CHECK(array_equal(r, triu(r)));
}
template <class T, extent_t N>
void check_eigh(tensor<T, N, N> const& a) {
  CAPTURE(N);
  auto const [w, v] = linalg::eigh(a);
  CHECK(near(eval(matmul(a, v)), v * w, static_cast<double>(static_cast<T>(max(abs(a)))) * 3));
  CHECK(orthonormal_columns(v));
  CHECK(descending(eval(-w)));
  CHECK(array_equal(linalg::eigvalsh(a), w));
}
template <class T, extent_t M, extent_t N>
void check_svd(tensor<T, M, N> const& a) {
  CAPTURE(M);
  CAPTURE(N);
  auto const [u, s, vh] = linalg::svd(a);
  CHECK(near(eval(matmul(u * s, vh)), a, static_cast<double>(static_cast<T>(max(abs(a)))) * 3));
  CHECK(orthonormal_columns(u));
  CHECK(orthonormal_columns(eval(transpose(vh))));
  CHECK(descending(s));
  CHECK(bool(all(s >= T(0))));
  CHECK(array_equal(linalg::svdvals(a), s));
}
template <class T, extent_t M, extent_t N>
void check_shape() {
  check_qr(spread<tensor<T, M, N>>(-1, 1));
  check_svd(spread<tensor<T, M, N>>(-1, 1));
  if constexpr (M == N) check_eigh(positive<T, N>());
}

}  // namespace

TEST_CASE("factors") {
  check_shape<double, 1, 1>();
  check_shape<double, 2, 2>();
  check_shape<double, 7, 7>();
  check_shape<double, 33, 33>();
  check_shape<double, 9, 4>();
  check_shape<double, 4, 9>();
  check_shape<double, 5, 1>();
  check_shape<double, 1, 5>();
  check_shape<float, 6, 6>();
  check_shape<float, 17, 8>();
}
TEST_CASE("NumPy's values") {
  // numpy.linalg.qr, eigh and svd of [[2, -1, 0], [-1, 2, -1], [0, -1, 2]]
  tensor<double, 3, 3> const a = {{2, -1, 0}, {-1, 2, -1}, {0, -1, 2}};
  double const root = std::sqrt(2.0);
  auto const [q, r] = linalg::qr(a);
  CHECK(allclose(row(r, 0), tensor<double, 3>{-std::sqrt(5.0), 4 / std::sqrt(5.0), -1 / std::sqrt(5.0)}));
  CHECK(allclose(linalg::eigvalsh(a), tensor<double, 3>{2 - root, 2, 2 + root}));
  CHECK(allclose(linalg::svdvals(a), tensor<double, 3>{2 + root, 2, 2 - root}));
  CHECK(allclose(linalg::svdvals(tensor<double, 3, 2>{{1, 2}, {3, 4}, {5, 6}}), tensor<double, 2>{9.52551809, 0.51430058}));
  // Only the lower triangle is read.
  CHECK(allclose(linalg::eigvalsh(tensor<double, 2, 2>{{1, 77}, {2, 1}}), tensor<double, 2>{-1, 3}));
}
TEST_CASE("matrices that are hard") {
  SUBCASE("equal eigenvalues, and what is diagonal already") {
    check_eigh(eval(3.0 * eye<double, 5>()));
    check_svd(eval(3.0 * eye<double, 5>()));
    check_eigh(tensor<double, 4, 4>{});
    check_eigh(eval(full<double, 6, 6>(1.0)));
  }
  SUBCASE("without full rank the vectors are orthonormal all the same") {
    check_svd(tensor<double, 4, 3>{});
    check_svd(eval(full<double, 5, 4>(2.0)));
    check_svd(eval(full<double, 4, 6>(2.0)));
    check_qr(tensor<double, 4, 3>{});
    check_qr(eval(full<double, 5, 4>(2.0)));
  }
  SUBCASE("small singular values are as exact as large ones") {
    tensor<double, 3, 3> const a = {{1, 0, 0}, {0, 1e-8, 0}, {0, 0, 1e-16}};
    auto const s = eval(linalg::svdvals(matmul(a, tensor<double, 3, 3>{{1, 1, 1}, {0, 1, 1}, {0, 0, 1}})));
    CHECK(s(0) * s(1) * s(2) == doctest::Approx(1e-24).epsilon(1e-12));
  }
  SUBCASE("huge and tiny elements") {
    auto const a = positive<double, 4>();
    for (double const scale : {1e300, 1e200, 1e-200, 1e-300}) {
      CAPTURE(scale);
      auto const b = eval(a * scale);
      CHECK(allclose(linalg::eigvalsh(b) / scale, linalg::eigvalsh(a), 1e-13, 1e-13));
      CHECK(allclose(linalg::svdvals(b) / scale, linalg::svdvals(a), 1e-13, 1e-13));
      auto const [q, r] = linalg::qr(b);
      CHECK(orthonormal_columns(q));
      CHECK(allclose(matmul(q, r / scale), a, 1e-13, 1e-13));
    }
  }
  SUBCASE("small elements of float have singular vectors of their own") {
    tensor<float, 2, 2> const a = {{1e-9f, 0}, {0, -5e-13f}};
    auto const [u, s, vh] = linalg::svd(a);
    auto const back = eval(matmul(u * s, vh));
    CHECK(back(1, 1) == doctest::Approx(-5e-13));
    // Beside a diagonal of zeros: a denormal is none.
    tensor<double, 3, 3> const denormal = {{1, 0, 0}, {0, 0, 0}, {0, 5e-324, 0}};
    CHECK(orthonormal_columns(std::get<1>(linalg::eigh(denormal))));
  }
  SUBCASE("what is not finite gives nan") {
    for (double const bad : {double(std::nan("")), inf, -inf}) {
      auto a = positive<double, 4>();
      a(2, 1) = bad;
      CHECK(bool(all(isnan(linalg::eigvalsh(a)))));
      CHECK(bool(all(isnan(linalg::svdvals(a)))));
      CHECK(bool(all(isnan(std::get<0>(linalg::svd(a))))));
      CHECK(bool(any(isnan(std::get<1>(linalg::qr(a))))));
    }
  }
  SUBCASE("no elements") {
    CHECK(linalg::eigvalsh(tensor<double, 0, 0>{}).size() == 0);
    CHECK(std::get<1>(linalg::svd(tensor<double, 3, 0>{})).size() == 0);
    CHECK(std::get<0>(linalg::qr(tensor<double, 0, 3, 2>{})).size() == 0);
  }
}
TEST_CASE("batches") {
  tensor<double, 3, 4, 4> a;
  for (int k = 0; k < 3; ++k) row(a, k) = positive<double, 4>() + static_cast<double>(k) * eye<double, 4>();
  auto const [w, v] = linalg::eigh(a);
  auto const [q, r] = linalg::qr(a);
  auto const [u, s, vh] = linalg::svd(a);
  auto const [mapped_w, mapped_v] = vmap([](auto const& m) { return linalg::eigh(m); })(a);
  for (int k = 0; k < 3; ++k) {
    auto const one = eval(pick<0>(a, k));
    CHECK(array_equal(pick<0>(w, k), linalg::eigvalsh(one)));
    CHECK(array_equal(pick<0>(r, k), std::get<1>(linalg::qr(one))));
    CHECK(array_equal(pick<0>(s, k), linalg::svdvals(one)));
  }
  CHECK(array_equal(mapped_w, w));
  CHECK(array_equal(mapped_v, v));
  CHECK(allclose(matmul(u * expand_dims<1>(s), vh), a, 1e-13, 1e-13));
  CHECK(allclose(matmul(q, r), a, 1e-13, 1e-13));
  // Transposed, and a number of rows that is chosen at run time.
  CHECK(allclose(linalg::svdvals(matrix_transpose(a)), s, 1e-13, 1e-13));
  auto const tall = spread<tensor<double, 7, 3>>(-1, 1);
  tensor<double, dyn, 3> rows = tall;
  auto const [tall_q, tall_r] = linalg::qr(rows);
  CHECK(array_equal(tall_r, std::get<1>(linalg::qr(tall))));
  CHECK(allclose(linalg::svdvals(rows), linalg::svdvals(tall), 1e-14, 1e-14));
  rows = spread<tensor<double, 2, 3>>(-1, 1);
  CHECK_THROWS_AS(linalg::qr(rows), shape_error const&);
}
TEST_CASE("one factorisation for all parts") {
  constexpr auto f = compile([](auto const& a) { return linalg::svd(a); });
  static_assert(kernel_count(f.plan<tensor<double, 6, 4>>) <= 3);
  CHECK(f.plan<tensor<double, 6, 4>>.size.opaques == 1);
}
