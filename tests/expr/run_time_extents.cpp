// One binary for every extent: each function on tensors whose extents are chosen at run time gives what it gives on tensors of a known shape.
// heavy: many compiled derivatives
#include "run_time_extents.hpp"

using namespace dimity;
using namespace run_time;

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

TEST_CASE("run-time extents: products of no terms are zeros, and read nothing") {
  tensor<float, 6, dyn> const a(0);
  tensor<float, dyn, 24> const b(0);
  tensor<float, 24, dyn> const c(0);
  tensor<float, 1, dyn> const row(0);
  CHECK(array_equal(matmul(a, b), zeros<float, 6, 24>()));
  CHECK(array_equal(matmul(a, transpose(c)), zeros<float, 6, 24>()));
  CHECK(array_equal(matmul(row, transpose(c)), zeros<float, 1, 24>()));
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
