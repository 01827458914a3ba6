// One binary for every extent: each function on tensors whose extents are chosen at run time gives what it gives on tensors of a known shape.
#include <dimity/dimity.hpp>
#include <dimity/expr/print.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <string>

using namespace dimity;

namespace {

constexpr auto batch = dim<"batch">;

/// Elements without a pattern, some of them negative, equal, or 0.
template <class T>
T element_at(extent_t i) {
  return static_cast<T>(static_cast<double>((i * 37 + 11) % 23 - 9) / 4);
}
template <class X>
X made() {
  X x;
  for (std::size_t i = 0; i < x.size(); ++i) x.data()[i] = element_at<typename X::value_type>(static_cast<extent_t>(i));
  return x;
}
template <extent_t... R, class T, extent_t... E>
tensor<T, R...> as(tensor<T, E...> const& x) {
  tensor<T, R...> y;
  extent_t const extents[] = {E...};
  y.take_extents(extents);
  for (std::size_t i = 0; i < x.size(); ++i) y.data()[i] = x.data()[i];
  return y;
}
template <class X, class Y>
void check_same(X const& known, Y const& chosen) {
  REQUIRE(X::rank == Y::rank);
  for (int i = 0; i < X::rank; ++i) REQUIRE(known.extent(i) == chosen.extent(i));
  for (std::size_t i = 0; i < known.size(); ++i) {
    auto const a = static_cast<double>(known.data()[i]), b = static_cast<double>(chosen.data()[i]);
    bool const same = a == b || (a != a && b != b) || std::abs(a - b) <= 1e-6 * (1 + std::abs(a));
    CHECK_MESSAGE(same, "element ", i, ": ", a, " and ", b);
  }
}
/// f on [n, 6]: known, and with a first extent chosen at run time.
template <class F>
void check_rows(F const& f) {
  auto const x = made<tensor<float, 13, 6>>();
  check_same(eval(f(x)), eval(f(as<batch, 6>(x))));
}
/// The same with both, and with one row.
template <class F>
void check_unary(F const& f) {
  auto const x = made<tensor<float, 13, 6>>();
  auto const y = made<tensor<float, 1, 6>>();
  check_same(eval(f(x)), eval(f(as<dyn, dyn>(x))));
  check_same(eval(f(y)), eval(f(as<dyn, dyn>(y))));
}
/// The same for functions of two matrices [n, 6] and [n, 6].
template <class F>
void check_binary(F const& f) {
  auto const x = made<tensor<float, 13, 6>>();
  tensor<float, 13, 6> const y = x * 0.5f + 1.0f;
  auto const want = eval(f(x, y));
  check_same(want, eval(f(as<dyn, dyn>(x), as<dyn, dyn>(y))));
  check_same(want, eval(f(as<batch, 6>(x), as<batch, 6>(y))));
  check_same(want, eval(f(as<batch, 6>(x), as<dyn, 6>(y))));
}

}  // namespace

TEST_CASE("run-time extents: elementwise") {
  check_unary([](auto const& x) { return exp(x) * 2.0f - abs(x) / (square(x) + 1.0f); });
  check_rows([](auto const& x) { return where(x > 0.0f, sqrt(abs(x)), tanh(x)); });
  check_rows([](auto const& x) { return cast<std::int32_t>(x) % 3; });
  check_rows([](auto const& x) { return x > 0.0f && x < 1.0f; });
  check_binary([](auto const& x, auto const& y) { return maximum(x, y) + x * y; });
  auto const x = as<batch, 6>(made<tensor<float, 13, 6>>());
  check_same(eval(exp(x) + mean(x, axis<0>)), eval(exp(x) + mean(x, axis<0>), scalar));
  check_binary([](auto const& x, auto const& y) { return x + sum(y, axis<1>, keep_dims) * mean(x, axis<0>); });
}

TEST_CASE("run-time extents: reductions") {
  check_rows([](auto const& x) { return sum(x); });
  check_unary([](auto const& x) { return sum(x, axis<0>); });
  check_rows([](auto const& x) { return sum(x, axis<1>); });
  check_unary([](auto const& x) { return mean(x); });
  check_rows([](auto const& x) { return mean(x, axis<0>, keep_dims); });
  check_rows([](auto const& x) { return max(x, axis<1>) + min(x, axis<1>); });
  check_rows([](auto const& x) { return prod(x, axis<0>); });
  check_rows([](auto const& x) { return any(x > 2.0f, axis<1>); });
  check_rows([](auto const& x) { return all(x > -9.0f); });
  check_rows([](auto const& x) { return norm(x, axis<1>); });
  check_rows([](auto const& x) { return logsumexp(x, axis<1>); });
  check_unary([](auto const& x) { return logsumexp(x, axis<0>); });
  check_rows([](auto const& x) { return argmax(x, axis<0>); });
  check_rows([](auto const& x) { return argmin(x, axis<1>); });
  check_unary([](auto const& x) { return argmax(x); });
  check_unary([](auto const& x) { return cumulative_sum(x, axis<0>); });
  check_rows([](auto const& x) { return cumulative_prod(x, axis<1>); });
  check_rows([](auto const& x) { return var(x, axis<0>); });
  check_rows([](auto const& x) { return (x - mean(x, axis<0>)) / dimity::std(x, axis<0>); });
}

TEST_CASE("run-time extents: rows in several stages") {
  check_unary([](auto const& x) { return softmax(x, axis<1>); });
  check_rows([](auto const& x) { return softmax(x, axis<0>); });
  check_unary([](auto const& x) { return log_softmax(x, axis<1>); });
  check_rows([](auto const& x) { return (x - mean(x, axis<1>, keep_dims)) * rsqrt(var(x, axis<1>, keep_dims) + 1e-5f); });
  check_rows([](auto const& x) { return sum(exp(x) / sum(exp(x), axis<1>, keep_dims), axis<0>); });
  check_rows([](auto const& x) { return softmax(transpose(x), axis<1>); });
}

TEST_CASE("run-time extents: long rows and sums") {
  auto const check = [](extent_t n) {
    tensor<float, dyn> x(n);
    double want = 0;
    for (std::size_t i = 0; i < x.size(); ++i) want += x(i) = static_cast<float>(i % 7) - 2.5f;
    CHECK(static_cast<double>(float(sum(x))) == doctest::Approx(want));
    CHECK(static_cast<double>(float(sum(x * 2.0f))) == doctest::Approx(2 * want));
    tensor<float, dyn> const y = x + 1.0f;
    REQUIRE(y.extent(0) == static_cast<std::size_t>(n));
    for (std::size_t i = 0; i < x.size(); ++i) REQUIRE(y(i) == x(i) + 1.0f);
    if (n > 0) CHECK(float(max(x)) == (n > 6 ? 3.5f : x(n - 1)));
  };
  for (extent_t n : {0, 1, 2, 7, 15, 16, 17, 31, 32, 33, 64, 100, 257, 1000, 100003}) check(n);
}

TEST_CASE("run-time extents: layout") {
  check_rows([](auto const& x) { return transpose(x); });
  check_unary([](auto const& x) { return transpose(x) * 2.0f + 1.0f; });
  check_rows([](auto const& x) { return expand_dims<1>(x); });
  check_rows([](auto const& x) { return flatten(x); });
  check_unary([](auto const& x) { return flip(x, axis<0>); });
  check_rows([](auto const& x) { return flip(x, axis<1>) + x; });
  check_rows([](auto const& x) { return roll<2>(x, axis<0>); });
  check_rows([](auto const& x) { return tril(x) + triu<1>(x); });
  check_unary([](auto const& x) { return diagonal(x); });
  check_rows([](auto const& x) { return diagonal<1>(x); });
  check_rows([](auto const& x) { return tile<2, 1>(x); });
  check_rows([](auto const& x) { return repeat<3>(x, axis<0>); });
  check_rows([](auto const& x) { return pad<1, 2, 0, 1>(x); });
  check_unary([](auto const& x) { return concat<0>(x, x * 2.0f); });
  check_rows([](auto const& x) { return concat<1>(x, x); });
  check_rows([](auto const& x) { return stack<1>(x, x + 1.0f); });
  check_rows([](auto const& x) { return slice<1, 1, 4>(x); });
  check_rows([](auto const& x) { return slice<0, 1>(x); });
  check_rows([](auto const& x) { return slice<0, 0, -1>(x); });
  check_rows([](auto const& x) { return slice<0, 2, 9, 3>(x); });
  check_unary([](auto const& x) { return slice<0, -4, to_end>(x); });
  check_unary([](auto const& x) { return slice<0, -1, 2, -2>(x); });
  check_unary([](auto const& x) { return slice<0, 1>(x) - slice<0, 0, -1>(x); });
  check_rows([](auto const& x) { return pick<0>(x, 0); });
  check_rows([](auto const& x) { return pick<1>(x, 3); });
}

TEST_CASE("run-time extents: indexing") {
  tensor<std::int32_t, 4> const at = {0, 2, -1, 40};
  check_unary([&](auto const& x) { return take(x, at, axis<0>); });
  check_rows([&](auto const& x) { return take(x, at, axis<1>); });
  check_rows([&](auto const& x) { return take(x, as<dyn>(at), axis<0>); });
  check_rows([](auto const& x) { return take_along_axis(x, argmax(x, axis<1>, keep_dims), axis<1>); });
  check_rows([](auto const& x) { return argsort(x, axis<0>); });
  check_rows([](auto const& x) { return one_hot<4>(cast<std::int32_t>(x)); });
  check_unary([&](auto const& x) { return scatter_add(x, at, 1.0f, axis<1>); });
}

TEST_CASE("run-time extents: contractions") {
  auto const w = made<tensor<float, 6, 9>>();
  auto const v = made<tensor<float, 6>>();
  check_unary([&](auto const& x) { return matmul(x, w); });
  check_unary([&](auto const& x) { return relu(matmul(x, w) + 1.0f); });
  check_rows([&](auto const& x) { return matmul(x, v); });
  check_unary([&](auto const& x) { return matmul(transpose(x), x); });
  check_rows([&](auto const& x) { return matmul(x, transpose(x)); });
  check_unary([&](auto const& x) { return exp(matmul(x, transpose(x)) * 0.1f); });
  check_unary([&](auto const& x) { return einsum<"bi,ij->bj">(x, w); });
  check_rows([&](auto const& x) { return einsum<"bi,bi->b">(x, x); });
  check_rows([&](auto const& x) { return einsum<"bi,bj->ij">(x, x); });
  check_rows([&](auto const& x) { return tensordot<1>(x, w); });
  check_rows([&](auto const& x) { return outer(sum(x, axis<1>), v); });
  check_rows([](auto const& x) { return matmul(cast<std::int32_t>(x), transpose(cast<std::int32_t>(x))); });
}

TEST_CASE("run-time extents: products of many shapes") {
  // One binary: every product below runs in the same kernel.
  auto const product = [](tensor<double, dyn, dyn> const& a, tensor<double, dyn, dyn> const& b) { return eval(matmul(a, b)); };
  for (auto const [m, k, n] : {std::array<int, 3>{1, 1, 1}, {1, 300, 1}, {7, 0, 5}, {0, 4, 3}, {5, 17, 33}, {8, 256, 16}, {9, 257, 31}, {130, 513, 40}, {3, 700, 8}, {64, 64, 64}}) {
    tensor<double, dyn, dyn> a(m, k), b(k, n);
    for (std::size_t i = 0; i < a.size(); ++i) a.data()[i] = static_cast<double>((i * 7) % 11) - 5;
    for (std::size_t i = 0; i < b.size(); ++i) b.data()[i] = static_cast<double>((i * 5) % 13) - 6;
    auto const c = product(a, b);
    REQUIRE(c.extent(0) == static_cast<std::size_t>(m));
    REQUIRE(c.extent(1) == static_cast<std::size_t>(n));
    int wrong = 0;
    for (int i = 0; i < m; ++i)
      for (int j = 0; j < n; ++j) {
        double want = 0;
        for (int l = 0; l < k; ++l) want += a(i, l) * b(l, j);
        wrong += c(i, j) != want;
      }
    CHECK_MESSAGE(wrong == 0, m, " ", k, " ", n);
  }
}

TEST_CASE("run-time extents: batches of products") {
  auto const a = made<tensor<float, 3, 5, 6>>();
  auto const b = made<tensor<float, 3, 6, 4>>();
  auto const want = eval(matmul(a, b));
  check_same(want, eval(matmul(as<batch, 5, 6>(a), as<batch, 6, 4>(b))));
  check_same(want, eval(matmul(as<batch, dyn, 6>(a), as<batch, 6, 4>(b))));
  check_same(want, eval(matmul(as<dyn, dyn, dyn>(a), as<dyn, dyn, dyn>(b))));
  auto const w = made<tensor<float, 6, 2>>();
  check_same(eval(matmul(a, w)), eval(matmul(as<batch, dim<"time">, 6>(a), w)));
}

TEST_CASE("run-time extents: what does not agree is found before anything is written") {
  tensor<double, dyn, dyn> a(3, 4), b(3, 5), c(2, 2);
  c = 7.0;
  auto const message = [](auto const& f) -> std::string {
    try {
      f();
    } catch (shape_error const& e) {
      return e.what();
    }
    return "nothing was thrown";
  };
  CHECK(message([&] { c = a + b; }).find("(3, 4), (3, 5)") != std::string::npos);
  CHECK(c.extent(0) == 2);
  CHECK(c(1, 1) == 7.0);
  CHECK(message([&] { c = matmul(a, b); }).find("do not fit") != std::string::npos);
  CHECK(message([&] { (void)eval(concat<0>(a, b)); }).find("do not fit") != std::string::npos);
  tensor<float, batch, 2> x(3), y(4);
  CHECK(message([&] { (void)eval(x * y); }).find("axis 0 of argument 1 has 4 elements, the others need 3") != std::string::npos);
  tensor<double, 3, 4> known;
  CHECK(message([&] { known = c; }).find("axis 0 of the destination has 3 elements, the value has 2") != std::string::npos);
  CHECK(message([&] { (void)eval(reshape<dyn, 5>(a)); }).find("do not fit") != std::string::npos);
  CHECK(message([&] { tensor<float, dyn> z(-1); }).find("negative") != std::string::npos);
  double memory[12] = {};
  auto window = view<dyn, 4>(memory, 3);
  CHECK(message([&] { window = concat<0>(a, a); }).find("the destination has 3") != std::string::npos);
  window = a + 1.0;
  CHECK(memory[11] == 1.0);
  // A block in use is neither lost nor read after it was written.
  a(0, 1) = 5;
  a = transpose(a);
  CHECK(a.extent(0) == 4);
  CHECK(a(1, 0) == 5);
  tensor<double, dyn, dyn> square(3, 3);
  for (int i = 0; i < 9; ++i) square.data()[i] = i;
  square = transpose(square);
  CHECK(square(0, 1) == 3);
  square += square;
  CHECK(square(0, 1) == 6);
}

TEST_CASE("run-time extents: reshape finds the extent that is left") {
  tensor<float, dyn> x(12);
  for (int i = 0; i < 12; ++i) x(i) = static_cast<float>(i);
  tensor<float, dyn, 4> const y = reshape<dyn, 4>(x);
  CHECK(y.extent(0) == 3);
  CHECK(y(2, 1) == 9);
  tensor<float, batch, 4> const named = reshape<batch, 4>(x);
  CHECK(named.extent(0) == 3);
  tensor<float, 2, 6> const known = reshape<2, 6>(x);
  CHECK(known(1, 0) == 6);
  tensor<float, dyn> wrong(13);
  CHECK_THROWS_AS((void)eval(reshape<dyn, 4>(wrong)), shape_error);
}

TEST_CASE("run-time extents: comparison, printing, nested lists") {
  tensor<float, batch, 2> const x = {{1, 2}, {3, 4}, {5, 6}};
  CHECK(x.extent(0) == 3);
  CHECK(to_string(x) == "[[1. 2.]\n [3. 4.]\n [5. 6.]]");
  CHECK(to_string(x * 2.0f) == "[[ 2.  4.]\n [ 6.  8.]\n [10. 12.]]");
  CHECK(allclose(x, x + 1e-9f));
  CHECK(array_equal(x, x));
  CHECK_THROWS_AS((tensor<float, batch, 2>({{1, 2}, {3}})), shape_error);
  tensor<float, 3, 2> const known = x;
  CHECK(known(2, 1) == 6);
  tensor<float, batch, 2> const again = known;
  CHECK(again.extent(0) == 3);
  CHECK(again(2, 1) == 6);
}

TEST_CASE("run-time extents: rows and columns of a tensor") {
  auto const known = made<tensor<float, 5, 4>>();
  auto x = as<dyn, dyn>(known);
  check_same(eval(row(known, 2)), eval(row(x, 2)));
  check_same(eval(column(known, 1)), eval(column(x, 1)));
  check_same(eval(column(known, 1)), eval(column(as<dyn, 4>(known), 1)));
  check_same(eval(rows<2>(known, 3)), eval(rows<2>(x, 3)));
  check_same(eval(row(known, 2)), eval(row(as<dyn, 4>(known), 2)));
  row(x, 1) = 7.0f;
  CHECK(x(1, 3) == 7.0f);
  CHECK(x(2, 0) == known(2, 0));
  rows<2>(x, 3) = rows<2>(x, 0) * 2.0f;
  CHECK(x(4, 3) == 14.0f);
  float memory[3] = {1, 2, 3};
  CHECK_THROWS_AS((void)(view<dyn>(memory + 0, -1)), shape_error);
}

TEST_CASE("run-time extents: labels, layers, inverses, inner products") {
  tensor<double, dyn, dyn> logits(4, 3);
  tensor<std::int32_t, dyn> labels(2);
  CHECK_THROWS_AS((void)eval(nn::cross_entropy(logits, labels)), shape_error);
  CHECK(double(float(sum(nn::cross_entropy(logits, tensor<std::int32_t, dyn>(4))))) == doctest::Approx(4 * std::log(3.0)));
  nn::linear<double, 3, 2> layer;
  layer.weight = 1.0;
  CHECK(eval(layer(logits)).extent(1) == 2);
  tensor<double, 2, 2> const m = {{2, 1}, {1, 3}};
  check_same(eval(linalg::inv(m)), eval(linalg::inv(as<dyn, dyn>(m))));
  check_same(eval(linalg::det(m)), eval(linalg::det(as<dyn, dyn>(m))));
  tensor<double, 2> const v = {1, -2};
  check_same(eval(inner(m, v)), eval(inner(as<dyn, dyn>(m), v)));
  check_same(eval(take(m, tensor<std::int32_t, 3>{3, 0, 2})), eval(take(as<dyn, dyn>(m), tensor<std::int32_t, 3>{3, 0, 2})));
  CHECK(!array_equal(as<dyn>(v), tensor<double, dyn>(3)));
  CHECK(array_equal(as<dyn>(v), v));
}

TEST_CASE("run-time extents: an extent as a value") {
  tensor<double, dyn, 3> x(5);
  x = 2.0;
  CHECK(std::int64_t(extent<0>(x)) == 5);
  CHECK(std::int64_t(extent<1>(x * 2.0)) == 3);
  constexpr auto f = compile([](auto const& x) { return sum(x) / cast<double>(extent<0>(x)); });
  CHECK(double(f(x)) == 6);
  CHECK(double(f(tensor<double, 4, 3>(x.data() ? std::span<double const>(x.data(), 12) : std::span<double const>()))) == 6);
}

TEST_CASE("run-time extents: a block that is large enough is used again") {
  tensor<double, dyn> a(100), b(50);
  b = 3.0;
  double const* const memory = a.data();
  a = b * 2.0;
  CHECK(a.data() == memory);
  CHECK(a.extent(0) == 50);
  CHECK(a(49) == 6.0);
  a = concat(a, a);
  CHECK(a.extent(0) == 100);
  CHECK(a(99) == 6.0);
}
