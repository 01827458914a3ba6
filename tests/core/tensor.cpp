#include <dimity/dimity.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <numeric>
#include <vector>

using namespace dimity;

TEST_CASE("a new tensor is zero") {
  tensor<float, 2, 3> const x;
  CHECK(std::count(x.begin(), x.end(), 0.0f) == 6);
  tensor<bool, 5> const t;
  CHECK(std::count(t.begin(), t.end(), false) == 5);
}
TEST_CASE("from nested lists") {
  tensor<float, 2, 3> const a = {{1, 2, 3}, {4, 5, 6}};
  CHECK(a(0, 2) == 3);
  CHECK(a(1, 0) == 4);
  tensor<std::int32_t, 2, 1, 2> const b = {{{1, 2}}, {{3, 4}}};
  CHECK(b(1, 0, 1) == 4);
  tensor<float, 3> const c{7, 8, 9};
  CHECK(c(2) == 9);
  tensor<float, 1> const d = {5};
  CHECK(d(0) == 5);
  tensor<bool, 2> const e = {true, false};
  CHECK(e(0));
}
TEST_CASE("lists of other lengths are refused, and the message says which axis") {
  using matrix = tensor<float, 2, 3>;
  using long_vector = tensor<float, 100>;
  CHECK_THROWS_AS((matrix{{1, 2, 3}}), shape_error);
  CHECK_THROWS_AS((matrix{{1, 2, 3}, {4, 5}}), shape_error);
  CHECK_THROWS_AS((matrix{{1, 2, 3}, {4, 5, 6}, {7, 8, 9}}), shape_error);
  CHECK_THROWS_AS((long_vector{1, 2}), shape_error);
  CHECK_THROWS_WITH((matrix{{1, 2, 3}, {4, 5, 6, 7}}), "tensor from nested lists: axis 1 has extent 3, the list has 4 items");
  CHECK_THROWS_AS((matrix{{1, 2, 3}}), error);
}
TEST_CASE("from spans") {
  std::vector<double> const values = {1, 2, 3, 4};
  tensor<double, 2, 2> const x(std::span<double const>{values});
  CHECK(x(1, 0) == 3);
  using wrong = tensor<double, 3>;
  CHECK_THROWS_WITH_AS((wrong(std::span<double const>{values})), "tensor from span: 4 elements for a tensor of 3", shape_error);
  std::array<float, 3> const array = {1, 2, 3};
  tensor<float, 3> const y(std::span<float const>{array});
  CHECK(y(2) == 3);
}
TEST_CASE("rank 0 is its scalar") {
  tensor<float> x = 2.5f;
  float const value = x;
  CHECK(value == 2.5f);
  CHECK(x() == 2.5f);
  x() = 3;
  CHECK(float(x) == 3);
  x = 4.0f;
  CHECK(float(x) + 1 == 5);
  static_assert(tensor<float>::rank == 0 && tensor<float>::size() == 1);
}
TEST_CASE("facts, access and iteration") {
  using matrix = tensor<double, 3, 4>;
  static_assert(matrix::rank == 2 && matrix::size() == 12 && matrix::extent(0) == 3 && matrix::extent(-1) == 4);
  static_assert(std::is_same_v<matrix::value_type, double> && std::is_same_v<matrix::shape_type, shape<3, 4>>);
  static_assert(operand<matrix> && !operand<double>);
  matrix x(uninitialized);
  std::iota(x.begin(), x.end(), 0.0);
  CHECK(x(2, 3) == 11);
  CHECK(x(1, 1) == 5);
  x(1, 1) = -1;
  CHECK(x.data()[5] == -1);
  CHECK(x.span().size() == 12);
  matrix const& y = x;
  CHECK(y.span()[5] == -1);
  CHECK(*std::max_element(y.begin(), y.end()) == 11);
  x = 8;
  CHECK(std::count(x.begin(), x.end(), 8.0) == 12);
}
TEST_CASE("copies are independent") {
  tensor<float, 2> a = {1, 2};
  auto b = a;
  b(0) = 9;
  CHECK(a(0) == 1);
  tensor<float, 200> c;
  c = 1;
  auto d = c;
  d(0) = 9;
  CHECK(c(0) == 1);
  d = c;
  CHECK(d(0) == 1);
}
TEST_CASE("small tensors in constant expressions") {
  constexpr auto trace = [] {
    tensor<std::int32_t, 2, 2> x = {{1, 2}, {3, 4}};
    x(0, 0) = 10;
    auto const copy = x;
    return copy(0, 0) + copy(1, 1);
  }();
  static_assert(trace == 14);
}
TEST_CASE("assignment widens, and never narrows silently") {
  tensor<std::int16_t, 3> const n = {1, 2, 3};
  tensor<double, 3> const d = n;
  CHECK(d(2) == 3);
  tensor<double, 3> e;
  e = n * 2;
  CHECK(e(2) == 6);
  tensor<std::int32_t, 3> const wide = n;
  CHECK(wide(1) == 2);
}
TEST_CASE("elements of every type") {
  tensor<std::uint64_t, 2> const big = {~std::uint64_t{0}, 1};
  CHECK(eval(big + std::uint64_t{0})(0) == ~std::uint64_t{0});
  tensor<dual<float>, 2> const x = {dual<float>(2, 1), dual<float>(3, 0)};
  tensor<dual<float>, 2> const y = x * x;
  CHECK(y(0).value == 4);
  CHECK(y(0).tangent == 4);
  CHECK(y(1).tangent == 0);
}
