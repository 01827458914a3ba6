// Products that are written out, against sums in long double, in every size and layout.
#include <doctest/doctest.h>

#include <dimity/dimity.hpp>

#include <cmath>
#include <cstdint>

namespace {

using namespace dimity;
using detail::matmul_problem;

constexpr double canary = 77;

template <class T, matmul_problem P>
void check_problem() {
  T a[64], b[64], c[40];
  for (int i = 0; i < 64; ++i) {
    a[i] = static_cast<T>(0.37 * ((i * 7) % 13) - 2);
    b[i] = static_cast<T>(0.21 * ((i * 5) % 17) - 1);
  }
  for (T& x : c) x = static_cast<T>(canary);
  constexpr std::int64_t to_row = P.n + 1;
  detail::mm::tiny_product<T, P>::run(a, b, c, to_row);
  for (std::int64_t i = 0; i < P.m; ++i) {
    for (std::int64_t j = 0; j < P.n; ++j) {
      long double sum = 0, size = 0;
      for (std::int64_t k = 0; k < P.k; ++k) {
        long double const term = static_cast<long double>(a[i * P.a_row + k * P.a_col]) * b[k * P.b_row + j * P.b_col];
        sum += term;
        size += std::fabs(term);
      }
      CHECK(std::fabs(static_cast<long double>(c[i * to_row + j]) - sum) <= 4 * size * std::numeric_limits<T>::epsilon());
    }
    CHECK(c[i * to_row + P.n] == static_cast<T>(canary));
  }
}
template <class T, std::int64_t M, std::int64_t N, std::int64_t K>
void check_layouts() {
  check_problem<T, matmul_problem{M, N, K, K, 1, N, 1}>();
  check_problem<T, matmul_problem{M, N, K, 1, M, N, 1}>();
  check_problem<T, matmul_problem{M, N, K, K, 1, 1, K}>();
  check_problem<T, matmul_problem{M, N, K, 2 * K + 1, 2, 0, 1}>();
  check_problem<T, matmul_problem{M, N, K, K, 1, 7, 2}>();
}
template <class T>
void check_sizes() {
  [&]<int... S>(std::integer_sequence<int, S...>) { (check_layouts<T, S % 4 + 1, S / 4 % 4 + 1, S / 16 + 1>(), ...); }(std::make_integer_sequence<int, 64>{});
}

template <class X>
X numbers(int seed) {
  X x;
  for (std::size_t i = 0; i < x.size(); ++i) x.data()[i] = static_cast<typename X::value_type>((static_cast<int>(i) * 37 + seed) % 101) / 50 - 1;
  return x;
}

}  // namespace

TEST_CASE("float") { check_sizes<float>(); }
TEST_CASE("double") { check_sizes<double>(); }

TEST_CASE("the destination may be an operand") {
  auto const a = numbers<tensor<float, 3, 3>>(1), b = numbers<tensor<float, 3, 3>>(50);
  auto const wanted = eval(matmul(a, b));
  CHECK(allclose(wanted, eval(matmul(a, b), scalar), 1e-6, 1e-6));
  auto x = a, y = b;
  x = matmul(x, b);
  y = matmul(a, y);
  // Not to the last bit: clang folds constants with fused operations that SSE2 does not have.
  CHECK(allclose(x, wanted, 1e-6, 1e-6));
  CHECK(allclose(y, wanted, 1e-6, 1e-6));
  auto z = a;
  z = matmul(z, transpose(z));
  CHECK(allclose(z, eval(matmul(a, transpose(a)), scalar), 1e-6, 1e-6));
  auto w = a;
  assign(w, matmul(w, w), scalar);
  CHECK(allclose(w, eval(matmul(a, a)), 1e-6, 1e-6));
}

TEST_CASE("batches, epilogues, gradients and what has been moved from") {
  auto const a = numbers<tensor<double, 100, 4, 3>>(3);
  auto const b = numbers<tensor<double, 100, 3, 2>>(9);
  CHECK(allclose(eval(matmul(a, b)), eval(matmul(a, b), scalar), 1e-14, 1e-14));
  auto const r = numbers<tensor<float, 4, 4>>(2);
  auto const v = numbers<tensor<float, 4>>(5);
  CHECK(allclose(eval(tanh(matmul(r, v)) + v), eval(tanh(matmul(r, v)) + v, scalar), 1e-6, 1e-6));
  auto const slope = grad([](auto const& m, auto const& x) { return sum(square(matmul(m, x))); })(r, v);
  auto const twice = eval(2.0f * outer(matmul(r, v), v));
  CHECK(allclose(slope, twice, 1e-5, 1e-5));
  tensor<float, 4, 4> gone = r;
  tensor<float, 4, 4> const taken = std::move(gone);
  gone = matmul(taken, taken);
  CHECK(allclose(gone, eval(matmul(r, r)), 1e-6, 1e-6));
}
