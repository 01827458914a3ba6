// Products against NumPy. The elements are small integers, which every element type multiplies and adds exactly.
#include "../golden/golden.hpp"

#include <random>

using namespace dimity;

namespace {

golden::file const& data() {
  static golden::file const f("products");
  return f;
}
template <class X>
void check(std::string const& name, X const& x) {
  auto const y = eval(x);
  using R = std::remove_cvref_t<decltype(y)>;
  std::vector<std::int64_t> extents;
  for (int i = 0; i < R::rank; ++i) extents.push_back(R::shape_type::at(i));
  CAPTURE(name);
  CHECK(extents == data().at(name).extents);
  golden::check_same(name, golden::span_of(y), data().values<std::int16_t>(name));
}

template <class Shape>
std::string name_of_shape() {
  std::string s;
  for (int i = 0; i < Shape::rank; ++i) s += (i ? "x" : "") + std::to_string(Shape::at(i));
  return s;
}
template <class T, extent_t... A, extent_t... B>
void product(shape<A...> a, shape<B...> b) {
  std::string const name = name_of_shape<decltype(a)>() + "/" + name_of_shape<decltype(b)>();
  CAPTURE(name_of(dtype_of<T>));
  check(name, matmul(data().get<T, A...>(name + "/a"), data().get<T, B...>(name + "/b")));
}
template <class T, extent_t M, extent_t K, extent_t N>
void matrices() {
  product<T>(shape<M, K>{}, shape<K, N>{});
}

template <class T>
struct operands {
  tensor<T, 17, 12> x = data().get<T, 17, 12>("x");
  tensor<T, 12, 21> y = data().get<T, 12, 21>("y");
  tensor<T, 21> bias = data().get<T, 21>("bias");
};

}  // namespace

TEST_CASE("matrices of all sizes") {
  matrices<float, 1, 1, 1>();
  matrices<float, 2, 3, 5>();
  matrices<float, 3, 7, 2>();
  matrices<float, 5, 16, 17>();
  matrices<float, 7, 5, 33>();
  matrices<float, 16, 16, 16>();
  matrices<float, 17, 33, 7>();
  matrices<float, 33, 64, 31>();
  matrices<float, 64, 3, 64>();
  matrices<float, 1, 17, 5>();
  matrices<float, 5, 17, 1>();
  matrices<float, 1, 64, 1>();
  matrices<float, 37, 1, 19>();
}
TEST_CASE("matrices of doubles") {
  matrices<double, 3, 7, 2>();
  matrices<double, 5, 16, 17>();
  matrices<double, 33, 64, 31>();
  matrices<double, 5, 17, 1>();
}
TEST_CASE("matrices of integers") {
  matrices<std::int32_t, 3, 7, 2>();
  matrices<std::int32_t, 17, 33, 7>();
  matrices<std::int32_t, 1, 17, 5>();
  matrices<std::int64_t, 5, 16, 17>();
  matrices<std::uint8_t, 2, 3, 5>();  // no sum exceeds 255 here
}
TEST_CASE("integer products keep their type, and wrap around") {
  tensor<std::uint8_t, 1, 2> const a = {{200, 3}};
  tensor<std::uint8_t, 2, 1> const b = {{2}, {1}};
  static_assert(std::is_same_v<decltype(eval(matmul(a, b))), tensor<std::uint8_t, 1, 1>>);
  CHECK(eval(matmul(a, b))(0, 0) == 147);
}
TEST_CASE("vectors and batches") {
  product<float>(shape<3, 4, 5>{}, shape<5, 6>{});
  product<float>(shape<3, 4, 5>{}, shape<3, 5, 6>{});
  product<float>(shape<4, 5>{}, shape<3, 5, 6>{});
  product<float>(shape<2, 1, 4, 5>{}, shape<3, 5, 6>{});
  product<float>(shape<5>{}, shape<3, 5, 6>{});
  product<float>(shape<3, 4, 5>{}, shape<5>{});
  product<float>(shape<5>{}, shape<5>{});
  product<float>(shape<7, 16>{}, shape<16>{});
  product<float>(shape<17>{}, shape<17, 33>{});
  product<float>(shape<1, 4, 5>{}, shape<6, 5, 3>{});
  product<float>(shape<2, 2, 1, 3>{}, shape<2, 1, 3, 1>{});
  product<double>(shape<2, 1, 4, 5>{}, shape<3, 5, 6>{});
  product<std::int32_t>(shape<3, 4, 5>{}, shape<5>{});
}
TEST_CASE("which shapes matmul takes") {
  static_assert(matmul_compatible<shape<2, 3>, shape<3, 4>>);
  static_assert(matmul_compatible<shape<3>, shape<3>>);
  static_assert(!matmul_compatible<shape<2, 3>, shape<2, 3>>);
  static_assert(!matmul_compatible<shape<>, shape<3>>);
}
TEST_CASE("transposed, sliced and computed operands, epilogues") {
  using T = float;
  operands<T> const o;
  auto const& x = o.x;
  auto const& bias = o.bias;
  auto const& y = o.y;
  tensor<T, 12, 17> const xt = transpose(x);
  tensor<T, 21, 12> const yt = transpose(y);
  check("left_transposed", matmul(transpose(xt), y));
  check("left_transposed", matmul(x, transpose(yt)));
  check("left_transposed", matmul(transpose(xt), transpose(yt)));
  check("left_transposed", transpose(matmul(yt, xt)));
  check("relu", relu(matmul(x, y) + bias));
  check("scaled", 3 * matmul(x, y) - 1);
  check("two_products", matmul(x, y) + matmul(x + 1, y));
  check("chain", matmul(matmul(x, y), transpose(matmul(x, y))));
  check("prologue", matmul(relu(x), y + 1));
  check("column_sums", sum(matmul(x, y), axis<0>));
  check("flipped", matmul(flip(x, axis<0>), slice<1, 0, to_end, 2>(y)));
  check("sliced", matmul(slice<1, 2, 9>(x), slice<0, 3, 10>(y)));
}
TEST_CASE("what reduces to products") {
  operands<float> const o;
  auto const& x = o.x;
  auto const& y = o.y;
  auto const t = data().get<float, 3, 4, 5>("t");
  auto const s = data().get<float, 4, 5, 2>("s");
  check("outer", outer(o.bias, slice<0, 0, 5>(o.bias)));
  check("inner", inner(x, transpose(y)));
  check("inner_vectors", inner(o.bias, o.bias));
  check("inner_3", inner(t, permute<2, 0, 1>(s)));
  check("tensordot", tensordot(t, s));
  check("tensordot_1", tensordot<1>(t, permute<1, 0, 2>(s)));
  check("tensordot_0", tensordot<0>(slice<0, 0, 3>(o.bias), slice<0, 0, 4>(o.bias)));
  check("dot", dot(o.bias, o.bias));
  check("dot_matrix", dot(y, o.bias));
  float const scalar = dot(o.bias, o.bias);
  CHECK(scalar == data().as<float>("dot")[0]);
}
TEST_CASE("the destination may be an operand") {
  auto a = data().get<float, 9, 9>("square");
  auto const b = a;
  a = matmul(a, a);
  check("square_product", a);
  a = b;
  a = matmul(transpose(a), a);
  check("transposed_square", a);
  a = b;
  a += matmul(a, a);
  CHECK(array_equal(a, b + eval(matmul(b, b))));
}
TEST_CASE("products without terms are zero") {
  tensor<float, 3, 0> const a;
  tensor<float, 0, 2> const b;
  CHECK(array_equal(matmul(a, b), zeros<float, 3, 2>()));
}
TEST_CASE("error of a float product of 512 terms") {
  tensor<float, 19, 512> a;
  tensor<float, 512, 23> b;
  std::mt19937 engine(4);
  std::normal_distribution<float> normal;
  for (auto& v : a) v = normal(engine);
  for (auto& v : b) v = normal(engine);
  tensor<float, 19, 23> const c = matmul(a, b);
  tensor<double, 19, 23> const exact = matmul(cast<double>(a), cast<double>(b));
  tensor<double, 19, 23> const size = matmul(abs(cast<double>(a)), abs(cast<double>(b)));
  CHECK(double(max(abs(cast<double>(c) - exact) / size)) < 16 * 6e-8);
}
