// Broadcasting and the layout functions against NumPy: all on small integers, so everything is exact.
#include "../golden/layout.hpp"

using namespace dimity;
using namespace layout_golden;

namespace {

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
  check("flip", flip(x, axis<1>));
  check("flip_two", flip(x, axis<0, -1>));
  check("roll", roll<2>(x, axis<1>));
  check("roll_back", roll<-1>(x, axis<2>));
  check("roll_far", roll<13>(x, axis<0>));
  check("broadcast_to", broadcast_to<3, 5, 7>(slice<0, 0, 1>(m)));
  check("computed", flip(transpose(x * 2 + 1), axis<0>));
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
