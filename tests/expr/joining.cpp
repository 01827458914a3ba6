// Joined, split, repeated and padded tensors against NumPy.
#include "../golden/layout.hpp"

using namespace dimity;
using namespace layout_golden;

TEST_CASE("joined and repeated") {
  auto const x = x456();
  auto const m = m57();
  auto const b = counted<2, 5, 6>(100, 1);
  check("concat", concat(x, b));
  check("concat_last", concat<2>(slice<0, 0, 2>(x), b));
  check("concat_three", concat<-1>(m, slice<1, 0, 2>(m), flip(m, axis<1>)));
  check("stack", stack(m, m + 1));
  check("stack_last", stack<-1>(m, m * 2, m * 3));
  check("tile", tile<2, 3>(m));
  check("tile_one", tile<2>(m));
  check("tile_more", tile<2, 1, 1>(m));
  check("repeat", repeat<3>(m, axis<0>));
  check("repeat_last", repeat<2>(m, axis<-1>));
  auto const parts = split<3, 2>(x);
  static_assert(std::tuple_size_v<std::remove_cvref_t<decltype(parts)>> == 3);
  check("split_1", std::get<1>(parts));
  check("pad", pad<1, 2, 0, 3>(m));
}
TEST_CASE("operands whose elements do not lie one behind the other") {
  tensor<int, 3, 2> a = {{1, 2}, {3, 4}, {5, 6}};
  tensor<int, 2, 2> const b = {{7, 8}, {9, 10}};
  CHECK(array_equal(concat<0>(transpose(b), a), tensor<int, 5, 2>{{7, 9}, {8, 10}, {1, 2}, {3, 4}, {5, 6}}));
  CHECK(array_equal(concat<1>(transpose(a), b), tensor<int, 2, 5>{{1, 3, 5, 7, 8}, {2, 4, 6, 9, 10}}));
  CHECK(array_equal(concat<1>(b, transpose(a)), tensor<int, 2, 5>{{7, 8, 1, 3, 5}, {9, 10, 2, 4, 6}}));
  CHECK(array_equal(concat<0>(a, flip(b, axis<0>)), tensor<int, 5, 2>{{1, 2}, {3, 4}, {5, 6}, {9, 10}, {7, 8}}));
  CHECK(array_equal(concat<1>(flip(b, axis<1>), broadcast_to<2, 1>(tensor<int, 1>{0})), tensor<int, 2, 3>{{8, 7, 0}, {10, 9, 0}}));
  CHECK(array_equal(take(transpose(a), tensor<int, 3>{1, 0, -1}, axis<0>), tensor<int, 3, 3>{{2, 4, 6}, {1, 3, 5}, {2, 4, 6}}));
  CHECK(array_equal(take(a, tensor<int, 2>{2, 0}, axis<0>), tensor<int, 2, 2>{{5, 6}, {1, 2}}));
}
