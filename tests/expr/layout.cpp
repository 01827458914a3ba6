// Broadcasting and the layout functions against NumPy: all on small integers, so everything is exact.
#include "../golden/golden.hpp"

using namespace dimity;

namespace {

golden::file const& data() {
  static golden::file const f("layout");
  return f;
}

/// Shape and elements as NumPy's.
template <class X>
void check(std::string const& name, X const& x) {
  auto const y = eval(x);
  using R = std::remove_cvref_t<decltype(y)>;
  std::vector<std::int64_t> extents;
  for (int i = 0; i < R::rank; ++i) extents.push_back(R::shape_type::at(i));
  CAPTURE(name);
  CHECK(extents == data().at(name).extents);
  golden::check_same(name, golden::span_of(y), data().values<typename R::value_type>(name));
}

tensor<std::int32_t, 4, 5, 6> x456() { return data().get<std::int32_t, 4, 5, 6>("x"); }
tensor<std::int32_t, 5, 7> m57() { return data().get<std::int32_t, 5, 7>("m"); }

template <extent_t... E>
auto counted(std::int32_t start, std::int32_t step) {
  tensor<std::int32_t, E...> x;
  for (auto& v : x) {
    v = start;
    start += step;
  }
  return x;
}
template <class A, class B>
void check_broadcast(std::string const& name, A const& a, B const& b) {
  check("broadcast/" + name, a * b - a);
}

}  // namespace

TEST_CASE("broadcasting") {
  auto const a = [](auto shape) { return [&]<extent_t... E>(dimity::shape<E...>) { return counted<E...>(1, 3); }(shape); };
  auto const b = [](auto shape) { return [&]<extent_t... E>(dimity::shape<E...>) { return counted<E...>(2, -5); }(shape); };
  check_broadcast("2x1x3/4x1", a(shape<2, 1, 3>{}), b(shape<4, 1>{}));
  check_broadcast("1/5", a(shape<1>{}), b(shape<5>{}));
  check_broadcast("3x4/4", a(shape<3, 4>{}), b(shape<4>{}));
  check_broadcast("3x4/3x1", a(shape<3, 4>{}), b(shape<3, 1>{}));
  check_broadcast("3x1/1x4", a(shape<3, 1>{}), b(shape<1, 4>{}));
  check_broadcast("2x3x4/3x1", a(shape<2, 3, 4>{}), b(shape<3, 1>{}));
  check_broadcast("2x3x4/1x1x1", a(shape<2, 3, 4>{}), b(shape<1, 1, 1>{}));
  check_broadcast("scalar/2x3", a(shape<>{}), b(shape<2, 3>{}));
  check_broadcast("5x1x17/5x3x1", a(shape<5, 1, 17>{}), b(shape<5, 3, 1>{}));
  check_broadcast("2x1x1x3/4x1x3", a(shape<2, 1, 1, 3>{}), b(shape<4, 1, 3>{}));
  check_broadcast("1x33/7x1", a(shape<1, 33>{}), b(shape<7, 1>{}));
  check_broadcast("0x3/1x3", a(shape<0, 3>{}), b(shape<1, 3>{}));
  check_broadcast("2x3x1/2x1x37", a(shape<2, 3, 1>{}), b(shape<2, 1, 37>{}));
}
TEST_CASE("which shapes broadcast") {
  static_assert(broadcastable<shape<2, 1, 3>, shape<4, 1>>);
  static_assert(broadcastable<shape<>, shape<2, 3>>);
  static_assert(broadcastable<shape<0, 3>, shape<1, 3>>);
  static_assert(!broadcastable<shape<2, 3>, shape<2>>);
  static_assert(!broadcastable<shape<0>, shape<2>>);
  static_assert(!broadcastable<shape<4, 3>, shape<2, 4, 2>>);
}
TEST_CASE("shapes") {
  auto const x = x456();
  auto const m = m57();
  check("reshape", reshape<10, 12>(x));
  check("reshape_transposed", reshape<8, 15>(transpose(x)));
  check("flatten", flatten(x));
  check("transpose", transpose(x));
  check("matrix_transpose", matrix_transpose(x));
  check("swap_axes", swap_axes<0, 1>(x));
  check("permute", permute<2, 0, 1>(x));
  check("permute_twice", permute<1, 0, 2>(permute<-1, 0, 1>(x)));
  check("expand_dims", expand_dims<0, 2>(m));
  check("squeeze", squeeze(expand_dims<0, 2>(m)));
  check("squeeze", squeeze<0, -2>(expand_dims<0, 2>(m)));
  check("broadcast_to", broadcast_to<3, 5, 7>(slice<0, 0, 1>(m)));
  check("computed", flip(transpose(x * 2 + 1), axis<0>));
}
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
  check("flip", flip(x, axis<1>));
  check("flip_two", flip(x, axis<0, -1>));
  check("pick_first", pick<0>(x, 2));
  check("pick_middle", pick<1>(x, -1));
  check("pick_last", pick<2>(x, tensor<std::int64_t>(3)));
  check("dynamic_slice", dynamic_slice<1, 3>(x, 2));
  check("dynamic_slice_clamped", dynamic_slice<1, 3>(x, 4));
  check("dynamic_update_slice", dynamic_update_slice<1>(x, -slice<1, 0, 2>(x), 1));
  check("pick_first", row(x, 2));
  auto const parts = split<3, 2>(x);
  static_assert(std::tuple_size_v<std::remove_cvref_t<decltype(parts)>> == 3);
  check("split_1", std::get<1>(parts));
}
TEST_CASE("joined and repeated") {
  auto const x = x456();
  auto const m = m57();
  auto const b = counted<2, 5, 6>(100, 1);
  check("roll", roll<2>(x, axis<1>));
  check("roll_back", roll<-1>(x, axis<2>));
  check("roll_far", roll<13>(x, axis<0>));
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
  check("pad", pad<1, 2, 0, 3>(m));
}
TEST_CASE("diagonals and triangles") {
  auto const x = x456();
  auto const m = m57();
  check("diagonal", diagonal(m));
  check("diagonal_up", diagonal<3>(m));
  check("diagonal_down", diagonal<-2>(m));
  check("diagonal_square", diagonal(counted<6, 6>(0, 1)));
  check("tril", tril(m));
  check("tril_up", tril<2>(m));
  check("tril_down", tril<-1>(x));
  check("triu", triu(m));
  check("triu_up", triu<1>(x));
  check("triu_down", triu<-3>(m));
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
