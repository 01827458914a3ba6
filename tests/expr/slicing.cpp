// Slices, rows and columns against NumPy.
#include "../golden/layout.hpp"

using namespace dimity;
using namespace layout_golden;

TEST_CASE("slices") {
  auto const x = x456();
  check("slice", slice<1, 1, 4>(x));
  check("slice_step", slice<2, 1, 6, 2>(x));
  check("slice_negative", slice<1, -1, to_end, -1>(x));
  check("slice_from_end", slice<0, -3, -1>(x));
  check("slice_back", slice<2, 5, 0, -2>(x));
  check("slice_back_to_end", slice<1, 3, to_end, -2>(x));
  check("slice_beyond", slice<0, 2, 99>(x));
  check("slice_empty", slice<1, 3, 3>(x));
  check("slice_of_slice", slice<0, 1, 3>(slice<1, 1, 4>(slice<1, -1, to_end, -1>(x))));
  check("pick_first", pick<0>(x, 2));
  check("pick_middle", pick<1>(x, -1));
  check("pick_last", pick<2>(x, tensor<std::int64_t>(3)));
  check("dynamic_slice", dynamic_slice<1, 3>(x, 2));
  check("dynamic_slice_clamped", dynamic_slice<1, 3>(x, 4));
  check("dynamic_update_slice", dynamic_update_slice<1>(x, -slice<1, 0, 2>(x), 1));
  check("pick_first", row(x, 2));
}
TEST_CASE("rows and columns are views that can be assigned to") {
  auto m = m57();
  row(m, 2) = arange<std::int32_t, 7>() * 10;
  column(m, 3) = -1;
  rows<2>(m, 3) = rows<2>(m, 0);
  check("assigned", m);
  column(m, 0) = column(m, 1) + column(m, 2);
  for (int i = 0; i < 5; ++i) CHECK(m(i, 0) == m(i, 1) + m(i, 2));
}
TEST_CASE("strided operands") {
  auto const m = m57();
  tensor<std::int32_t, 5> const sums = column(m, 1) + column(m, 6) * 2;
  for (int i = 0; i < 5; ++i) CHECK(sums(i) == m(i, 1) + 2 * m(i, 6));
  tensor<std::int32_t, 5, 3> const y = flip(slice<1, 0, to_end, 3>(m), axis<1>) + expand_dims<1>(column(m, 2));
  for (int i = 0; i < 5; ++i)
    for (int j = 0; j < 3; ++j) CHECK(y(i, j) == m(i, 3 * (2 - j)) + m(i, 2));
  float raw[3][4] = {{0, 1, 2, 3}, {4, 5, 6, 7}, {8, 9, 10, 11}};
  tensor_view<float const, shape<4, 3>, strides<1, 4>> const transposed(&raw[0][0]);
  tensor<float, 4, 3> const doubled = transposed * 2;
  CHECK(doubled(3, 1) == 14);
  CHECK(array_equal(doubled, transpose(view(raw)) * 2));
  CHECK(float(sum(transposed)) == 66);
}
TEST_CASE("a strided operand spans all between its first and its last element") {
  auto m = counted<40, 40>(0, 1);
  auto const before = m;
  row(m, 20) = column(m, 1) + 1;
  for (int i = 0; i < 40; ++i) CHECK(m(20, i) == before(i, 1) + 1);
  tensor<std::int32_t, 64> x = arange<std::int32_t, 64>();
  // Backwards: the pointer is at the end of what is read.
  view<32>(x.data()) = tensor_view<std::int32_t const, shape<32>, strides<-1>>(x.data() + 40) * 2;
  for (int i = 0; i < 32; ++i) CHECK(x(i) == 2 * (40 - i));
}
