// Extents chosen at run time at a call: what is checked, what is thrown, which memory is used; and products of many shapes in one binary.
#include "run_time_extents.hpp"

using namespace dimity;
using namespace run_time;

TEST_CASE("run-time extents: long rows and sums") {
  auto const check = [](extent_t n) {
    tensor<float, dyn> x(n);
    double want = 0;
    for (std::size_t i = 0; i < x.size(); ++i) want += x(i) = static_cast<float>(i % 7) - 2.5f;
    CHECK(static_cast<double>(float(sum(x))) == doctest::Approx(want));
    CHECK(static_cast<double>(float(sum(x * 2.0f))) == doctest::Approx(2 * want));
    tensor<float, dyn> const y = x + 1.0f;
    REQUIRE(y.extent(0) == static_cast<std::size_t>(n));
    for (std::size_t i = 0; i < x.size(); ++i) REQUIRE(y(i) == x(i) + 1.0f);
    if (n > 0) CHECK(float(max(x)) == (n > 6 ? 3.5f : x(n - 1)));
  };
  for (extent_t n : {0, 1, 2, 7, 15, 16, 17, 31, 32, 33, 64, 100, 257, 1000, 100003}) check(n);
}

TEST_CASE("run-time extents: products of many shapes") {
  // One binary: every product below runs in the same kernel.
  auto const product = [](tensor<double, dyn, dyn> const& a, tensor<double, dyn, dyn> const& b) { return eval(matmul(a, b)); };
  for (auto const [m, k, n] : {std::array<int, 3>{1, 1, 1}, {1, 300, 1}, {7, 0, 5}, {0, 4, 3}, {5, 17, 33}, {8, 256, 16}, {9, 257, 31}, {130, 513, 40}, {3, 700, 8}, {64, 64, 64}}) {
    tensor<double, dyn, dyn> a(m, k), b(k, n);
    for (std::size_t i = 0; i < a.size(); ++i) a.data()[i] = static_cast<double>((i * 7) % 11) - 5;
    for (std::size_t i = 0; i < b.size(); ++i) b.data()[i] = static_cast<double>((i * 5) % 13) - 6;
    auto const c = product(a, b);
    REQUIRE(c.extent(0) == static_cast<std::size_t>(m));
    REQUIRE(c.extent(1) == static_cast<std::size_t>(n));
    int wrong = 0;
    for (int i = 0; i < m; ++i)
      for (int j = 0; j < n; ++j) {
        double want = 0;
        for (int l = 0; l < k; ++l) want += a(i, l) * b(l, j);
        wrong += c(i, j) != want;
      }
    CHECK_MESSAGE(wrong == 0, m, " ", k, " ", n);
  }
}

TEST_CASE("run-time extents: what does not agree is found before anything is written") {
  tensor<double, dyn, dyn> a(3, 4), b(3, 5), c(2, 2);
  c = 7.0;
  auto const message = [](auto const& f) -> std::string {
    try {
      f();
    } catch (shape_error const& e) {
      return e.what();
    }
    return "nothing was thrown";
  };
  CHECK(message([&] { c = a + b; }).find("(3, 4), (3, 5)") != std::string::npos);
  CHECK(c.extent(0) == 2);
  CHECK(c(1, 1) == 7.0);
  CHECK(message([&] { c = matmul(a, b); }).find("do not fit") != std::string::npos);
  CHECK(message([&] { (void)eval(concat<0>(a, b)); }).find("do not fit") != std::string::npos);
  tensor<float, batch, 2> x(3), y(4);
  CHECK(message([&] { (void)eval(x * y); }).find("axis 0 of argument 1 has 4 elements, the others need 3") != std::string::npos);
  tensor<double, 3, 4> known;
  CHECK(message([&] { known = c; }).find("axis 0 of the destination has 3 elements, the value has 2") != std::string::npos);
  CHECK(message([&] { (void)eval(reshape<dyn, 5>(a)); }).find("do not fit") != std::string::npos);
  CHECK(message([&] { tensor<float, dyn> z(-1); }).find("negative") != std::string::npos);
  double memory[12] = {};
  auto window = view<dyn, 4>(memory, 3);
  CHECK(message([&] { window = concat<0>(a, a); }).find("the destination has 3") != std::string::npos);
  window = a + 1.0;
  CHECK(memory[11] == 1.0);
  // A block in use is neither lost nor read after it was written.
  a(0, 1) = 5;
  a = transpose(a);
  CHECK(a.extent(0) == 4);
  CHECK(a(1, 0) == 5);
  tensor<double, dyn, dyn> square(3, 3);
  for (int i = 0; i < 9; ++i) square.data()[i] = i;
  square = transpose(square);
  CHECK(square(0, 1) == 3);
  square += square;
  CHECK(square(0, 1) == 6);
}

TEST_CASE("run-time extents: reshape finds the extent that is left") {
  tensor<float, dyn> x(12);
  for (int i = 0; i < 12; ++i) x(i) = static_cast<float>(i);
  tensor<float, dyn, 4> const y = reshape<dyn, 4>(x);
  CHECK(y.extent(0) == 3);
  CHECK(y(2, 1) == 9);
  tensor<float, batch, 4> const named = reshape<batch, 4>(x);
  CHECK(named.extent(0) == 3);
  tensor<float, 2, 6> const known = reshape<2, 6>(x);
  CHECK(known(1, 0) == 6);
  tensor<float, dyn> wrong(13);
  CHECK_THROWS_AS((void)eval(reshape<dyn, 4>(wrong)), shape_error);
}

TEST_CASE("run-time extents: comparison, printing, nested lists") {
  tensor<float, batch, 2> const x = {{1, 2}, {3, 4}, {5, 6}};
  CHECK(x.extent(0) == 3);
  CHECK(to_string(x) == "[[1. 2.]\n [3. 4.]\n [5. 6.]]");
  CHECK(to_string(x * 2.0f) == "[[ 2.  4.]\n [ 6.  8.]\n [10. 12.]]");
  CHECK(allclose(x, x + 1e-9f));
  CHECK(array_equal(x, x));
  CHECK_THROWS_AS((tensor<float, batch, 2>({{1, 2}, {3}})), shape_error);
  tensor<float, 3, 2> const known = x;
  CHECK(known(2, 1) == 6);
  tensor<float, batch, 2> const again = known;
  CHECK(again.extent(0) == 3);
  CHECK(again(2, 1) == 6);
}

TEST_CASE("run-time extents: rows and columns of a tensor") {
  auto const known = made<tensor<float, 5, 4>>();
  auto x = as<dyn, dyn>(known);
  check_same(eval(row(known, 2)), eval(row(x, 2)));
  check_same(eval(column(known, 1)), eval(column(x, 1)));
  check_same(eval(column(known, 1)), eval(column(as<dyn, 4>(known), 1)));
  check_same(eval(rows<2>(known, 3)), eval(rows<2>(x, 3)));
  check_same(eval(row(known, 2)), eval(row(as<dyn, 4>(known), 2)));
  row(x, 1) = 7.0f;
  CHECK(x(1, 3) == 7.0f);
  CHECK(x(2, 0) == known(2, 0));
  rows<2>(x, 3) = rows<2>(x, 0) * 2.0f;
  CHECK(x(4, 3) == 14.0f);
  float memory[3] = {1, 2, 3};
  CHECK_THROWS_AS((void)(view<dyn>(memory + 0, -1)), shape_error);
}

TEST_CASE("run-time extents: labels, layers, inverses, inner products") {
  tensor<double, dyn, dyn> logits(4, 3);
  tensor<std::int32_t, dyn> labels(2);
  CHECK_THROWS_AS((void)eval(nn::cross_entropy(logits, labels)), shape_error);
  CHECK(double(float(sum(nn::cross_entropy(logits, tensor<std::int32_t, dyn>(4))))) == doctest::Approx(4 * std::log(3.0)));
  nn::linear<double, 3, 2> layer;
  layer.weight = 1.0;
  CHECK(eval(layer(logits)).extent(1) == 2);
  tensor<double, 2, 2> const m = {{2, 1}, {1, 3}};
  check_same(eval(linalg::inv(m)), eval(linalg::inv(as<dyn, dyn>(m))));
  check_same(eval(linalg::det(m)), eval(linalg::det(as<dyn, dyn>(m))));
  tensor<double, 2> const v = {1, -2};
  check_same(eval(inner(m, v)), eval(inner(as<dyn, dyn>(m), v)));
  check_same(eval(take(m, tensor<std::int32_t, 3>{3, 0, 2})), eval(take(as<dyn, dyn>(m), tensor<std::int32_t, 3>{3, 0, 2})));
  CHECK(!array_equal(as<dyn>(v), tensor<double, dyn>(3)));
  CHECK(array_equal(as<dyn>(v), v));
}

TEST_CASE("run-time extents: an extent as a value") {
  tensor<double, dyn, 3> x(5);
  x = 2.0;
  CHECK(std::int64_t(extent<0>(x)) == 5);
  CHECK(std::int64_t(extent<1>(x * 2.0)) == 3);
  constexpr auto f = compile([](auto const& x) { return sum(x) / cast<double>(extent<0>(x)); });
  CHECK(double(f(x)) == 6);
  CHECK(double(f(tensor<double, 4, 3>(x.data() ? std::span<double const>(x.data(), 12) : std::span<double const>()))) == 6);
}

TEST_CASE("run-time extents: a block that is large enough is used again") {
  tensor<double, dyn> a(100), b(50);
  b = 3.0;
  double const* const memory = a.data();
  a = b * 2.0;
  CHECK(a.data() == memory);
  CHECK(a.extent(0) == 50);
  CHECK(a(49) == 6.0);
  a = concat(a, a);
  CHECK(a.extent(0) == 100);
  CHECK(a(99) == 6.0);
}
