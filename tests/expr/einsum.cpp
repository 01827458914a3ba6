#include <dimity/dimity.hpp>
#include <dimity/expr/einsum.hpp>
#include <doctest/doctest.h>

using namespace dimity;

namespace {

template <class T, extent_t... E>
tensor<T, E...> numbered(int factor = 1) {
  tensor<T, E...> x;
  int i = 0;
  for (T& e : x) e = static_cast<T>((i++ * factor * 7 + 3) % 11 - 5);
  return x;
}
template <class A, class B>
bool same(A const& a, B const& b) {
  static_assert(std::is_same_v<typename A::shape_type, typename B::shape_type>);
  for (std::size_t i = 0; i < a.size(); ++i)
    if (a.data()[i] != b.data()[i]) return false;
  return true;
}

}  // namespace

TEST_CASE("einsum of one operand: transposes, sums, diagonals") {
  auto const x = numbered<double, 3, 4>();
  auto const q = numbered<double, 4, 4>();
  auto const c = numbered<double, 3, 2, 3>();
  CHECK(same(eval(einsum<"ij->ji">(x)), eval(transpose(x))));
  CHECK(same(eval(einsum<"ji">(x)), eval(transpose(x))));
  CHECK(same(eval(einsum<"ij->i">(x)), eval(sum(x, axis<1>))));
  CHECK(same(eval(einsum<"ij->j">(x)), eval(sum(x, axis<0>))));
  CHECK(static_cast<double>(einsum<"ij->">(x)) == static_cast<double>(sum(x)));
  CHECK(same(eval(einsum<"ii->i">(q)), eval(diagonal(q))));
  CHECK(static_cast<double>(einsum<"ii">(q)) == q(0, 0) + q(1, 1) + q(2, 2) + q(3, 3));
  tensor<double, 2, 3> const d = einsum<"iji->ji">(c);
  for (int i = 0; i < 3; ++i)
    for (int j = 0; j < 2; ++j) CHECK(d(j, i) == c(i, j, i));
  tensor<double, 2> const e = einsum<"iji">(c);
  for (int j = 0; j < 2; ++j) CHECK(e(j) == c(0, j, 0) + c(1, j, 1) + c(2, j, 2));
  auto const r = numbered<double, 2, 2, 2>();
  CHECK(static_cast<double>(einsum<"iii->">(r)) == r(0, 0, 0) + r(1, 1, 1));
}

TEST_CASE("einsum of two operands: products") {
  auto const a = numbered<double, 3, 4>();
  auto const b = numbered<double, 4, 5>(3);
  auto const bt = eval(transpose(b));
  auto const v = numbered<double, 4>(2);
  auto const w = numbered<double, 5>(5);
  auto const ab = eval(matmul(a, b));
  CHECK(same(eval(einsum<"ij,jk->ik">(a, b)), ab));
  CHECK(same(eval(einsum<"ij,jk">(a, b)), ab));
  CHECK(same(eval(einsum<" i k , j k -> i j ">(a, bt)), ab));
  CHECK(same(eval(einsum<"ij,jk->ki">(a, b)), eval(transpose(ab))));
  CHECK(same(eval(einsum<"ij,j->i">(a, v)), eval(matmul(a, v))));
  CHECK(same(eval(einsum<"j,ij->i">(v, a)), eval(matmul(a, v))));
  CHECK(static_cast<double>(einsum<"i,i->">(v, v)) == static_cast<double>(sum(v * v)));
  CHECK(same(eval(einsum<"i,j->ij">(v, w)), eval(outer(v, w))));
  CHECK(same(eval(einsum<"i,j->ji">(v, w)), eval(outer(w, v))));
  CHECK(same(eval(einsum<"ij,ij->ij">(a, a)), eval(a * a)));
  CHECK(same(eval(einsum<"ij,j->ij">(a, v)), eval(a * v)));
  CHECK(static_cast<double>(einsum<"ij,ij->">(a, a)) == static_cast<double>(sum(a * a)));
  CHECK(static_cast<double>(einsum<"ij,kl->">(a, b)) == static_cast<double>(sum(a)) * static_cast<double>(sum(b)));
  tensor<double, 3, 4> const scaled = einsum<",ij->ij">(eval(full<double>(2.0)), a);
  CHECK(same(scaled, eval(a * 2.0)));
  // A diagonal inside a product.
  auto const q = numbered<double, 4, 4>();
  CHECK(same(eval(einsum<"jj,jk->k">(q, b)), eval(matmul(eval(diagonal(q)), b))));
}

TEST_CASE("einsum with batch labels and several contracted ones") {
  auto const a = numbered<double, 2, 3, 4>();
  auto const b = numbered<double, 2, 4, 5>(3);
  CHECK(same(eval(einsum<"bij,bjk->bik">(a, b)), eval(matmul(a, b))));
  tensor<double, 3, 5, 2> const moved = einsum<"bij,bjk->ikb">(a, b);
  auto const plain = eval(matmul(a, b));
  for (int n = 0; n < 2; ++n)
    for (int i = 0; i < 3; ++i)
      for (int k = 0; k < 5; ++k) CHECK(moved(i, k, n) == plain(n, i, k));
  // Attention scores and their use: [batch, query, head, d] with [batch, key, head, d].
  auto const q = numbered<double, 2, 3, 2, 4>();
  auto const k = numbered<double, 2, 5, 2, 4>(3);
  tensor<double, 2, 2, 3, 5> const scores = einsum<"bqhd,bkhd->bhqk">(q, k);
  tensor<double, 2, 3, 2, 4> const mixed = einsum<"bhqk,bkhd->bqhd">(scores, k);
  for (int n = 0; n < 2; ++n)
    for (int h = 0; h < 2; ++h)
      for (int i = 0; i < 3; ++i) {
        double row[4] = {};
        for (int j = 0; j < 5; ++j) {
          double s = 0;
          for (int d = 0; d < 4; ++d) s += q(n, i, h, d) * k(n, j, h, d);
          CHECK(scores(n, h, i, j) == s);
          for (int d = 0; d < 4; ++d) row[d] += s * k(n, j, h, d);
        }
        for (int d = 0; d < 4; ++d) CHECK(mixed(n, i, h, d) == row[d]);
      }
  // Two contracted labels, in different orders.
  auto const f = numbered<double, 3, 4, 2>();
  auto const g = numbered<double, 2, 4, 5>(2);
  tensor<double, 3, 5> const fg = einsum<"ajb,bjc->ac">(f, g);
  for (int i = 0; i < 3; ++i)
    for (int c = 0; c < 5; ++c) {
      double s = 0;
      for (int j = 0; j < 4; ++j)
        for (int d = 0; d < 2; ++d) s += f(i, j, d) * g(d, j, c);
      CHECK(fg(i, c) == s);
    }
  // Rows of two batches: products of aligned rows.
  tensor<double, 2> const rows = einsum<"bi,bi->b">(eval(reshape<2, 12>(a)), eval(reshape<2, 12>(numbered<double, 2, 3, 4>(5))));
  CHECK(rows(0) == static_cast<double>(sum(row(a, 0) * row(numbered<double, 2, 3, 4>(5), 0))));
}

TEST_CASE("einsum of three and more operands") {
  auto const x = numbered<double, 3>();
  auto const y = numbered<double, 4>(3);
  auto const m = numbered<double, 3, 4>(2);
  CHECK(static_cast<double>(einsum<"i,ij,j->">(x, m, y)) == static_cast<double>(sum(x * matmul(m, y))));
  auto const a = numbered<double, 2, 3>();
  auto const b = numbered<double, 3, 4>(3);
  auto const c = numbered<double, 4, 5>(5);
  auto const d = numbered<double, 5, 2>(2);
  CHECK(same(eval(einsum<"ij,jk,kl->il">(a, b, c)), eval(matmul(matmul(a, b), c))));
  CHECK(static_cast<double>(einsum<"ij,jk,kl,li->">(a, b, c, d)) == static_cast<double>(einsum<"ii">(eval(matmul(matmul(matmul(a, b), c), d)))));
  // Khatri-Rao products, as in tensor decompositions: one label stays in all three.
  auto const u = numbered<double, 2, 3>();
  auto const v = numbered<double, 4, 3>(2);
  auto const w = numbered<double, 5, 3>(3);
  tensor<double, 2, 4, 5> const cp = einsum<"ir,jr,kr->ijk">(u, v, w);
  for (int i = 0; i < 2; ++i)
    for (int j = 0; j < 4; ++j)
      for (int k = 0; k < 5; ++k) {
        double s = 0;
        for (int r = 0; r < 3; ++r) s += u(i, r) * v(j, r) * w(k, r);
        CHECK(cp(i, j, k) == s);
      }
}

TEST_CASE("einsum with an ellipsis") {
  auto const a = numbered<double, 2, 3, 4, 5>();
  auto const b = numbered<double, 5, 6>(3);
  CHECK(same(eval(einsum<"...ij,jk->...ik">(a, b)), eval(matmul(a, b))));
  CHECK(same(eval(einsum<"...j,jk">(a, b)), eval(matmul(a, b))));
  CHECK(same(eval(einsum<"i...->...i">(a)), eval(permute<1, 2, 3, 0>(a))));
  CHECK(same(eval(einsum<"...i->...">(a)), eval(sum(a, axis<-1>))));
  auto const one = numbered<double, 1, 4, 5>(2);
  CHECK(same(eval(einsum<"...,...->...">(a, one)), eval(a * one)));
  auto const left = numbered<double, 2, 1, 3, 4>();
  auto const right = numbered<double, 5, 4, 2>(3);
  CHECK(same(eval(einsum<"...ij,...jk->...ik">(left, right)), eval(matmul(left, right))));
}

TEST_CASE("einsum keeps the common dtype and works inside expressions") {
  auto const i = numbered<std::int32_t, 3, 4>();
  auto const p = einsum<"ij,kj->ik">(i, i);
  static_assert(std::is_same_v<decltype(p)::value_type, std::int32_t>);
  CHECK(same(eval(p), eval(matmul(i, transpose(i)))));
  tensor<bool, 2, 2> const t = {{true, false}, {true, true}};
  static_assert(std::is_same_v<decltype(einsum<"ij->j">(t))::value_type, std::int64_t>);
  CHECK(eval(einsum<"ij->j">(t))(0) == 2);
  auto const f = numbered<float, 3, 4>();
  static_assert(std::is_same_v<decltype(einsum<"ij,ij->">(f, numbered<double, 3, 4>()))::value_type, double>);
  tensor<float, 3, 3> const e = relu(einsum<"ij,kj->ik">(f + 1.0f, exp(f * 0.0f))) * 2.0f;
  for (int a = 0; a < 3; ++a)
    for (int b = 0; b < 3; ++b) {
      float s = 0;
      for (int j = 0; j < 4; ++j) s += f(a, j) + 1.0f;
      CHECK(e(a, b) == std::max(s, 0.0f) * 2.0f);
    }
}

namespace {

template <class X>
using plan_of = detail::planned<detail::expression_source<X>>;

}  // namespace

TEST_CASE("einsum copies nothing that strides can say") {
  tensor<float, 8, 16> const a = numbered<float, 8, 16>(), b = numbered<float, 8, 16>(3);
  using product = plan_of<decltype(einsum<"ik,jk->ij">(a, b))>;
  static_assert(product::size.kernels == 0 && product::size.opaques == 1);
  using turned = plan_of<decltype(einsum<"ik,jk->ji">(a, b))>;
  static_assert(turned::size.kernels == 0 && turned::size.opaques == 1);
  using inner = plan_of<decltype(einsum<"ij,ij->i">(a, b))>;
  static_assert(inner::size.kernels == 1 && inner::size.opaques == 0);
  tensor<float, 2, 3, 4, 5> const q = numbered<float, 2, 3, 4, 5>();
  using scores = plan_of<decltype(einsum<"bqhd,bkhd->bhqk">(q, q))>;
  static_assert(scores::size.kernels == 0 && scores::size.opaques == 1);
}
