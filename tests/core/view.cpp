#include <dimity/dimity.hpp>

#include <doctest/doctest.h>

#include <vector>

using namespace dimity;

TEST_CASE("views of memory") {
  float raw[6] = {0, 1, 2, 3, 4, 5};
  auto const v = view<2, 3>(raw + 0);
  static_assert(std::is_same_v<decltype(v), tensor_view<float, shape<2, 3>, strides<3, 1>> const>);
  CHECK(v(1, 2) == 5);
  v(0, 0) = 9;
  CHECK(raw[0] == 9);
  float const* const constant = raw;
  auto const c = view<3, 2>(constant);
  CHECK(c(2, 1) == 5);
  static_assert(std::is_same_v<decltype(c(0, 0)), float const&>);
  CHECK(v.data() == raw);
  CHECK(v.size() == 6);
  CHECK(v.extent(-1) == 3);
}
TEST_CASE("views of spans check the number of elements") {
  std::vector<double> values = {1, 2, 3, 4};
  auto const v = view<2, 2>(std::span(values));
  CHECK(v(1, 1) == 4);
  CHECK_THROWS_WITH_AS((view<5>(std::span(values))), "view of span: 4 elements for a shape of 5", shape_error);
}
TEST_CASE("views of arrays") {
  float one[3] = {1, 2, 3};
  float two[2][3] = {{1, 2, 3}, {4, 5, 6}};
  std::int32_t const three[2][1][2] = {{{1, 2}}, {{3, 4}}};
  CHECK(view(one)(2) == 3);
  CHECK(view(two)(1, 0) == 4);
  CHECK(view(three)(1, 0, 1) == 4);
  CHECK(float(sum(view(two))) == 21);
}
TEST_CASE("assigning to a view writes through it") {
  tensor<float, 2, 3> x;
  auto const v = view(x);
  v = 5;
  CHECK(x(1, 2) == 5);
  tensor<float, 2, 3> const y = {{1, 2, 3}, {4, 5, 6}};
  v = y;
  CHECK(x(1, 1) == 5);
  v = y * 2;
  CHECK(x(1, 2) == 12);
  float raw[6] = {};
  auto w = view<2, 3>(raw + 0);
  w = v;  // elements, not the pointer
  CHECK(raw[5] == 12);
  auto u = view<2, 3>(raw + 0);
  auto const other = view<2, 3>(x.data());
  u = other;
  CHECK(u.data() == raw);
}
TEST_CASE("strided views") {
  float raw[12] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
  tensor_view<float, shape<3, 2>, strides<4, 2>> const every_other(raw);
  CHECK(every_other(2, 1) == 10);
  tensor_view<float, shape<4>, strides<-1>> const backwards(raw + 3);
  CHECK(backwards(0) == 3);
  CHECK(backwards(3) == 0);
  tensor<float, 4> const copy = backwards;
  CHECK(copy(1) == 2);
  tensor<float, 3, 2> const sums = every_other + every_other;
  CHECK(sums(1, 1) == 12);
  every_other = -1;
  CHECK(raw[10] == -1);
  CHECK(raw[11] == 11);
  every_other = zeros<float, 3, 2>() + 3;
  CHECK(raw[8] == 3);
  CHECK(raw[9] == 9);
  tensor_view<float, shape<3>, strides<0>> const same(raw + 5);  // one element, seen three times
  tensor<float, 3> const repeated = same * 2;
  CHECK(repeated(2) == 10);
}
TEST_CASE("a view of elements that are not const is one of const elements") {
  float raw[2] = {1, 2};
  auto const v = view<2>(raw + 0);
  tensor_view<float const, shape<2>, strides<1>> const c = v;
  CHECK(c(1) == 2);
}
TEST_CASE("a view of rank 0") {
  float x = 3;
  auto const v = view(&x);
  CHECK(float(v) == 3);
  v = 4.0f;
  CHECK(x == 4);
}
