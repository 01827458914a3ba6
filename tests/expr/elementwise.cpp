// Promotion against NumPy's tables; properties of evaluation: fusion changes no bits, a destination may be read, any number of elements works.
#include "../golden/golden.hpp"
#include "../golden/promotion.hpp"

using namespace dimity;

namespace {

constexpr dtype nth(int i) { return static_cast<dtype>(i); }

constexpr bool promotion_is_numpys() {
  for (int a = 0; a < 11; ++a)
    for (int b = 0; b < 11; ++b)
      if (promote(nth(a), nth(b)) != nth(golden::promote_types[a][b])) return false;
  return true;
}
static_assert(promotion_is_numpys());

/// The element type of an operation on tensors of every pair of types.
template <class Operation, int... I>
constexpr bool result_is(std::integer_sequence<int, I...>, int const (&table)[11]) {
  return ((detail::result_of<Operation, detail::operand_info<type_of<nth(I)>, shape<2>>, detail::operand_info<type_of<nth(I)>, shape<2>>>::value.type == nth(table[I])) && ...);
}
template <class Operation, int A, int... B>
constexpr bool row_is(std::integer_sequence<int, B...>) {
  return ((detail::result_of<Operation, detail::operand_info<type_of<nth(A)>, shape<2>>, detail::operand_info<type_of<nth(B)>, shape<2>>>::value.type == nth(golden::promote_types[A][B])) && ...);
}
template <class Operation, int... A>
constexpr bool table_is(std::integer_sequence<int, A...> all) {
  return (row_is<Operation, A>(all) && ...);
}
using all_types = std::make_integer_sequence<int, 11>;
static_assert(table_is<detail::arithmetic_operation<detail::primitive::add>>(all_types{}));
static_assert(result_is<detail::floating_operation<detail::primitive::divide>>(all_types{}, golden::divide_type));
template <class Operation, int... I>
constexpr bool reduction_is(std::integer_sequence<int, I...>, int const (&table)[11]) {
  return ((detail::result_of<Operation, detail::operand_info<type_of<nth(I)>, shape<2>>>::value.type == nth(table[I])) && ...);
}
static_assert(reduction_is<detail::reduce_operation<detail::primitive::sum, 1, false>>(all_types{}, golden::sum_type));
static_assert(reduction_is<detail::mean_operation<1, false>>(all_types{}, golden::mean_type));

template <class X>
using value_of = typename std::remove_cvref_t<X>::value_type;

template <int... I>
constexpr bool python_int_is(std::integer_sequence<int, I...>) {
  // NumPy's Python integer is int64 beside truth values; a C++ int is int32.
  return ((I == 0 || promote_scalar(nth(I), dtype::int32) == nth(golden::plus_python_int_type[I])) && ...);
}
static_assert(python_int_is(all_types{}));

template <class T, extent_t N>
struct example {
  tensor<T, N> a, b;
  example() {
    for (extent_t i = 0; i < N; ++i) {
      a(i) = static_cast<T>(static_cast<double>(i * 7 % 23) + 0.5);
      b(i) = static_cast<T>(static_cast<double>(i * 5 % 11) - 3.25);
    }
  }
  tensor<T, N> fused() const { return where(a < b, a * b + a, maximum(b - a, a)) - b * 3; }
};
template <class T, extent_t N>
void check_size() {
  example<T, N> const e;
  tensor<T, N> const fused = e.fused();
  bool same = true;
  for (extent_t i = 0; i < N; ++i) {
    T const a = e.a(i), b = e.b(i);
    T const product = static_cast<T>(a * b), difference = static_cast<T>(b - a), tripled = static_cast<T>(b * 3);  // one rounding a statement
    T const sum = static_cast<T>(product + a);
    T const chosen = a < b ? sum : difference < a ? a : difference;
    same = same && fused(i) == static_cast<T>(chosen - tripled);
  }
  CAPTURE(N);
  CHECK(same);
}
/// Computed in one kernel and step by step.
template <class T, extent_t N>
void fused_is_stepwise() {
  example<T, N> const e;
  auto const &a = e.a, &b = e.b;
  tensor<T, N> const fused = e.fused();
  auto const product = eval(a * b);
  auto const sum = eval(product + a);
  auto const difference = eval(b - a);
  auto const larger = eval(maximum(difference, a));
  auto const condition = eval(a < b);
  auto const chosen = eval(where(condition, sum, larger));
  auto const tripled = eval(b * 3);
  tensor<T, N> const stepwise = chosen - tripled;
  CHECK(std::memcmp(fused.data(), stepwise.data(), sizeof(T) * N) == 0);
}

tensor<float, 6, 6> square_matrix() { return reshape<6, 6>(arange<float, 36>(1)); }

}  // namespace

TEST_CASE("a plain scalar does not widen a tensor") {
  tensor<float, 3> const f = {1, 2, 3};
  tensor<double, 3> const d = {1, 2, 3};
  tensor<std::int8_t, 3> const n = {1, 2, 3};
  tensor<bool, 3> const t = {true, false, true};
  static_assert(std::is_same_v<value_of<decltype(f * 2.0)>, float>);
  static_assert(std::is_same_v<value_of<decltype(2 * f)>, float>);
  static_assert(std::is_same_v<value_of<decltype(f + std::int64_t{1})>, float>);
  static_assert(std::is_same_v<value_of<decltype(pow(f, 2.0))>, float>);
  static_assert(std::is_same_v<value_of<decltype(d * 2.0f)>, double>);
  static_assert(std::is_same_v<value_of<decltype(n + 1)>, std::int8_t>);
  static_assert(std::is_same_v<value_of<decltype(n * 2.5)>, double>);
  static_assert(std::is_same_v<value_of<decltype(n * 2.5f)>, float>);
  static_assert(std::is_same_v<value_of<decltype(t + 1)>, int>);
  static_assert(std::is_same_v<value_of<decltype(t * 1.5f)>, float>);
  static_assert(std::is_same_v<value_of<decltype(f < 1.0)>, bool>);
  static_assert(std::is_same_v<value_of<decltype(where(t, f, 0.0))>, float>);
  static_assert(std::is_same_v<value_of<decltype(clip(f, 0, 1.0))>, float>);
  CHECK(array_equal(f * 0.1, f * 0.1f));
  CHECK(array_equal(n * 2.5, tensor<double, 3>{2.5, 5, 7.5}));
}
TEST_CASE("operands of different types meet in the promoted one") {
  tensor<std::int32_t, 3> const n = {1, -2, 16777217};
  tensor<float, 3> const f = {0.5f, 0.5f, 0};
  tensor<std::uint8_t, 3> const u = {255, 0, 7};
  static_assert(std::is_same_v<value_of<decltype(n + f)>, double>);
  static_assert(std::is_same_v<value_of<decltype(u + f)>, float>);
  static_assert(std::is_same_v<value_of<decltype(u - n)>, std::int32_t>);
  CHECK(array_equal(n + f, tensor<double, 3>{1.5, -1.5, 16777217}));
  CHECK(array_equal(u - n, tensor<std::int32_t, 3>{254, 2, -16777210}));
  CHECK(array_equal(u + u, tensor<std::uint8_t, 3>{254, 0, 14}));
  tensor<double, 3> const widened = f;
  CHECK(widened(0) == 0.5);
}
TEST_CASE("any number of elements") {
  check_size<float, 1>();
  check_size<float, 3>();
  check_size<float, 16>();
  check_size<float, 17>();
  check_size<float, 37>();
  check_size<float, 1000>();
  check_size<double, 1>();
  check_size<double, 3>();
  check_size<double, 16>();
  check_size<double, 37>();
  check_size<std::int32_t, 17>();
  check_size<std::int64_t, 37>();
  check_size<std::int16_t, 37>();
}
TEST_CASE("fusion changes no bits") {
  fused_is_stepwise<float, 37>();
  fused_is_stepwise<double, 17>();
}
TEST_CASE("the destination may be read") {
  auto const m = square_matrix();
  auto a = m;
  a = a + a;
  CHECK(array_equal(a, m * 2));
  a = m;
  a = transpose(a);
  for (int i = 0; i < 6; ++i)
    for (int j = 0; j < 6; ++j) CHECK(a(i, j) == m(j, i));
  a = m;
  a = a + transpose(a);
  CHECK(a(1, 4) == m(1, 4) + m(4, 1));
  CHECK(a(4, 1) == m(1, 4) + m(4, 1));
  a = m;
  a = softmax(a, axis<0>);
  CHECK(array_equal(a, eval(softmax(m, axis<0>))));
  a = m;
  a = a - mean(a, axis<1>, keep_dims);
  CHECK(array_equal(a, eval(m - mean(m, axis<1>, keep_dims))));
  a = m;
  a = a / sum(a);
  CHECK(array_equal(a, eval(m / sum(m))));
  a = m;
  a = flip(a, axis<0, 1>);
  CHECK(a(0, 0) == m(5, 5));
  CHECK(a(5, 5) == m(0, 0));
  a = m;
  a = roll<1>(a, axis<0>) * a;
  CHECK(a(0, 2) == m(5, 2) * m(0, 2));
  CHECK(a(3, 2) == m(2, 2) * m(3, 2));
}
TEST_CASE("views of the destination may be read") {
  auto const m = square_matrix();
  auto a = m;
  row(a, 0) = row(a, 1) + row(a, 0);
  for (int j = 0; j < 6; ++j) CHECK(a(0, j) == m(0, j) + m(1, j));
  a = m;
  rows<4>(a, 1) = rows<4>(a, 0) * 2;  // overlapping, shifted by a row
  for (int i = 1; i < 5; ++i)
    for (int j = 0; j < 6; ++j) CHECK(a(i, j) == 2 * m(i - 1, j));
  a = m;
  rows<4>(a, 0) = rows<4>(a, 1);
  for (int j = 0; j < 6; ++j) CHECK(a(0, j) == m(1, j));
  for (int j = 0; j < 6; ++j) CHECK(a(3, j) == m(4, j));
  a = m;
  column(a, 2) = row(a, 3);
  for (int i = 0; i < 6; ++i) CHECK(a(i, 2) == m(3, i));
  a = m;
  row(a, 3) = column(a, 2);
  for (int j = 0; j < 6; ++j) CHECK(a(3, j) == m(j, 2));
  a = m;
  row(a, 3) = sum(a, axis<0>);
  for (int j = 0; j < 6; ++j) CHECK(a(3, j) == 96 + 6 * j);
  a = m;
  a = a - row(a, 0);
  for (int j = 0; j < 6; ++j) CHECK(a(5, j) == 30);
  for (int j = 0; j < 6; ++j) CHECK(a(0, j) == 0);
}
TEST_CASE("compound assignment") {
  auto const m = square_matrix();
  auto a = m;
  a += 1;
  CHECK(array_equal(a, m + 1));
  a -= m;
  CHECK(array_equal(a, ones_like(m)));
  a *= m;
  a /= 2;
  CHECK(array_equal(a, m / 2));
  a = m;
  a += transpose(a);
  CHECK(a(0, 5) == m(0, 5) + m(5, 0));
  a = m;
  a += row(a, 5);
  CHECK(a(0, 0) == m(0, 0) + m(5, 0));
  CHECK(a(5, 1) == 2 * m(5, 1));
  a = m;
  auto r = row(a, 1);
  r += row(a, 0);
  CHECK(a(1, 2) == m(1, 2) + m(0, 2));
  auto c = column(a, 4);
  c *= 10;
  CHECK(a(2, 4) == 10 * m(2, 4));
  tensor<std::int32_t, 4> n = {7, -7, 12, 0};
  n %= 4;
  CHECK(array_equal(n, tensor<std::int32_t, 4>{3, 1, 0, 0}));
  n <<= 2;
  n |= 1;
  n ^= 8;
  n >>= 1;
  CHECK(array_equal(n, tensor<std::int32_t, 4>{2, 6, 4, 4}));
  n &= 2;
  n += 0.75;  // as in NumPy's C++: the result goes back to the element type
  CHECK(array_equal(n, tensor<std::int32_t, 4>{2, 2, 0, 0}));
}
TEST_CASE("a value used twice, and temporaries inside an expression") {
  tensor<float, 5> const x = {1, 2, 3, 4, 5};
  auto const make = [] { return tensor<float, 5>{10, 20, 30, 40, 50}; };
  auto const e = x * make() + make();
  tensor<float, 5> const y = e;
  CHECK(array_equal(y, tensor<float, 5>{20, 60, 120, 200, 300}));
  CHECK(array_equal(e, y));
  auto const s = x + 1;
  CHECK(array_equal(s * s, tensor<float, 5>{4, 9, 16, 25, 36}));
}
TEST_CASE("truth values beside every element type") {
  tensor<double, 19> d = arange<double, 19>();
  tensor<float, 19> f = arange<float, 19>(9, -1);
  tensor<std::int16_t, 19> n = arange<std::int16_t, 19>(-9);
  tensor<bool, 19> const c = (d > 3) && (f > 2) && (n < 5);
  tensor<bool, 19> const either = (d > 15.5) || (f == 0) || (n == -9);
  for (int i = 0; i < 19; ++i) {
    CAPTURE(i);
    CHECK(c(i) == (i > 3 && 9 - i > 2 && i - 9 < 5));
    CHECK(either(i) == (i > 15 || i == 9 || i == 0));
  }
  tensor<double, 19> const mixed = where(f < 3, d, cast<double>(n)) + cast<double>(c);
  for (int i = 0; i < 19; ++i) CHECK(mixed(i) == (9 - i < 3 ? i : i - 9) + (c(i) ? 1 : 0));
}
TEST_CASE("casts follow C++") {
  tensor<float, 5> const x = {-1.75f, 0, 0.25f, 2.5f, 300};
  CHECK(array_equal(cast<std::int32_t>(x), tensor<std::int32_t, 5>{-1, 0, 0, 2, 300}));
  CHECK(array_equal(cast<bool>(x), tensor<bool, 5>{true, false, true, true, true}));
  CHECK(array_equal(cast<std::uint8_t>(cast<std::int32_t>(x)), tensor<std::uint8_t, 5>{255, 0, 0, 2, 44}));
  CHECK(array_equal(cast<double>(cast<bool>(x)), tensor<double, 5>{1, 0, 1, 1, 1}));
}
