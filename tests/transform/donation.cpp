// Moved arguments: their memory becomes the results', in place where that is right, through scratch memory where it is not.
#include <dimity/dimity.hpp>
#include <doctest/doctest.h>

#include "allocations.hpp"

#include <array>
#include <tuple>
#include <utility>

using namespace dimity;
using matrix = tensor<double, 32, 32>;

namespace {

matrix numbers(double from) {
  matrix m;
  for (auto& e : m) e = from += 0.25;
  return m;
}
template <class F>
matrix in_place(F const& f, matrix x, bool same_memory) {
  double const* const memory = x.data();
  auto const before = test::allocation_count();
  matrix y = compile(f)(std::move(x));
  CHECK(test::allocation_count() == before);
  CHECK((y.data() == memory) == same_memory);
  return y;
}

}  // namespace

TEST_CASE("elementwise work overwrites its argument") {
  constexpr auto f = [](auto const& x) { return tanh(x) * 2.0 + x; };
  matrix const x = numbers(-1);
  (void)compile(f)(x);
  CHECK(allclose(in_place(f, x, true), f(x)));
}
TEST_CASE("rows are in place, transposes and products through scratch memory") {
  constexpr auto rows = [](auto const& x) { return softmax(x * 0.01, axis<-1>); };
  constexpr auto turned = [](auto const& x) { return transpose(x) + x; };
  constexpr auto product = [](auto const& x) { return matmul(x, x); };
  constexpr auto centred = [](auto const& x) { return x - mean(x, axis<0>, keep_dims); };
  matrix const x = numbers(-1);
  (void)compile(rows)(x);
  (void)compile(turned)(matrix(x));
  (void)compile(product)(matrix(x));
  (void)compile(centred)(matrix(x));
  CHECK(allclose(in_place(rows, x, true), rows(x)));
  CHECK(allclose(in_place(turned, x, true), turned(x)));
  CHECK(allclose(in_place(product, x, true), product(x)));
  CHECK(allclose(in_place(centred, x, true), centred(x)));
}
TEST_CASE("a kept argument is not touched, a donated one need not be of the result's type") {
  constexpr auto f = [](auto const& a, auto const& b) { return a + b; };
  matrix const a = numbers(1);
  matrix b = numbers(2);
  double const* const memory = b.data();
  matrix const y = compile(f)(a, std::move(b));
  CHECK(y.data() == memory);
  CHECK(a(0, 0) == 1.25);
  CHECK(y(0, 0) == 3.5);
  constexpr auto total = [](auto const& x) { return sum(x); };
  CHECK(static_cast<double>(compile(total)(numbers(0))) == doctest::Approx(0.25 * 1024 * 1025 / 2));
}
TEST_CASE("results that trade places") {
  constexpr auto swap = [](auto const& a, auto const& b) { return std::tuple{b, a}; };
  constexpr auto crossed = [](auto const& a, auto const& b) { return std::tuple{a - b, a + b}; };
  matrix const a = numbers(1), b = numbers(500);
  auto const [p, q] = compile(swap)(matrix(a), matrix(b));
  CHECK((allclose(p, b) && allclose(q, a)));
  auto const [d, s] = compile(crossed)(matrix(a), matrix(b));
  CHECK((allclose(d, a - b) && allclose(s, a + b)));
  constexpr auto late = [](auto const& x, auto const& y) { return std::tuple{x * 2.0, matmul(x, y), sum(x)}; };
  auto const [twice, product, total] = compile(late)(matrix(a), matrix(b));
  CHECK(allclose(twice, a * 2.0));
  CHECK(allclose(product, matmul(a, b)));
  CHECK(allclose(total, sum(a)));
}
TEST_CASE("results behind those that take a donated argument have memory of their own") {
  // g++ 12 gave them memory behind the workspace when the first two results took none and then two did.
  constexpr auto f = compile([](auto const& bias, auto const& a, auto const& b) { return std::tuple{bias + 1.0, bias - 1.0, a * 2.0, b * 3.0, sum(bias), sum(a) + sum(b)}; });
  tensor<double, 3> const bias = full<double, 3>(2.0);
  matrix a = numbers(1), b = numbers(2);
  auto const want = f(bias, a, b);
  auto const got = f(bias, std::move(a), std::move(b));
  CHECK(allclose(std::get<0>(got), full<double, 3>(3.0)));
  CHECK(allclose(std::get<1>(got), full<double, 3>(1.0)));
  CHECK(allclose(std::get<2>(got), std::get<2>(want)));
  CHECK(allclose(std::get<3>(got), std::get<3>(want)));
  CHECK(static_cast<double>(std::get<4>(got)) == 6.0);
  CHECK(allclose(std::get<5>(got), std::get<5>(want)));
}
TEST_CASE("models are donated leaf by leaf, a loop of steps allocates nothing") {
  using state = std::array<matrix, 3>;
  constexpr auto step = compile([](auto const& s) { return std::array{s[0] + s[1] * 0.1, s[1] - s[0] * 0.1, sqrt(square(s[0]) + square(s[1]))}; });
  state s{numbers(0), numbers(1), numbers(2)};
  s = step(std::move(s));
  auto const before = test::allocation_count();
  for (int i = 0; i < 5; ++i) s = step(std::move(s));
  CHECK(test::allocation_count() == before);
  double x = 0.25, y = 1.25, r = 0;
  for (int i = 0; i < 6; ++i) {
    double const nx = x + y * 0.1, ny = y - x * 0.1;
    r = std::sqrt(x * x + y * y);
    x = nx;
    y = ny;
  }
  CHECK(s[0](0, 0) == doctest::Approx(x));
  CHECK(s[1](0, 0) == doctest::Approx(y));
  CHECK(s[2](0, 0) == doctest::Approx(r));
}
TEST_CASE("a product whose memory would be that of an argument, with work on it that reads the argument later") {
  constexpr auto f = [](auto const& a, auto const& w, auto const& x) {
    auto const y = matmul(a, w);
    return std::tuple{y, matmul(tanh(y), x)};
  };
  using square_matrix = tensor<double, 32, 32>;
  square_matrix const a = random::normal<double, 32, 32>(key{1}), w = random::normal<double, 32, 32>(key{2});
  square_matrix x = random::normal<double, 32, 32>(key{3});
  auto const want = compile(f)(a, w, x);
  auto const got = compile(f)(a, w, std::move(x));
  CHECK(allclose(std::get<0>(got), std::get<0>(want)));
  CHECK(allclose(std::get<1>(got), std::get<1>(want)));
}
