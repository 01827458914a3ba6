// Forward mode: values and tangents, tuples, agreement with reverse mode and with dual numbers.
#include <dimity/dimity.hpp>
#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <tuple>

using namespace dimity;

TEST_CASE("value and directional derivative") {
  tensor<double, 3> const x = {0.1, 0.5, 0.9}, d = {1, -2, 0.5};
  auto const [y, dy] = jvp([](auto const& a) { return sin(a) * a; }, std::tuple{x}, std::tuple{d});
  CHECK(allclose(y, sin(x) * x));
  CHECK(allclose(dy, d * (cos(x) * x + sin(x))));
}
TEST_CASE("several primals, several results, results without a tangent") {
  tensor<double, 2> const a = {1, 2}, b = {3, 4}, da = {1, 0}, db = {0, 1};
  auto const [y, dy] = jvp([](auto const& p, auto const& q) { return std::tuple{p * q, sum(q), p > 1.0, q * 0.0 + 5.0}; }, std::tuple{a, b}, std::tuple{da, db});
  CHECK((std::get<0>(dy)(0) == 3 && std::get<0>(dy)(1) == 2));
  CHECK(static_cast<double>(std::get<1>(dy)) == 1);
  CHECK((std::get<2>(y)(1) && !std::get<2>(y)(0) && !std::get<2>(dy)(1)));
  CHECK((std::get<3>(y)(0) == 5 && std::get<3>(dy)(0) == 0));
}
TEST_CASE("<u, Jv> is <J^T u, v>") {
  constexpr auto f = [](auto const& x, auto const& w) { return softmax(tanh(matmul(x, w)), axis<-1>); };
  tensor<double, 3, 4> x, dx;
  tensor<double, 4, 5> w, dw;
  tensor<double, 3, 5> u;
  double t = 0;
  for (auto* leaf : {&x, &dx})
    for (auto& e : *leaf) e = std::sin(t += 1.1);
  for (auto* leaf : {&w, &dw})
    for (auto& e : *leaf) e = std::sin(t += 1.3);
  for (auto& e : u) e = std::sin(t += 0.9);
  auto const dy = std::get<1>(jvp(f, std::tuple{x, w}, std::tuple{dx, dw}));
  auto const pulled = std::get<1>(vjp(f, std::tuple{x, w}, u));
  double const forward = sum(u * dy), reverse = static_cast<double>(sum(std::get<0>(pulled) * dx)) + static_cast<double>(sum(std::get<1>(pulled) * dw));
  CHECK(forward == doctest::Approx(reverse).epsilon(1e-13));
}
TEST_CASE("dual numbers in tensors agree") {
  tensor<double, 3> const x = {0.1, 0.5, 0.9};
  constexpr auto f = [](auto const& a) { return exp(a) / (a + 1.0) + log(a + 2.0) * cos(a); };
  auto const dy = std::get<1>(jvp(f, std::tuple{x}, std::tuple{tensor<double, 3>{1, 1, 1}}));
  tensor<dual<double>, 3> t;
  for (int i = 0; i < 3; ++i) t(i) = {x(i), 1.0};
  tensor<dual<double>, 3> const y = f(t);
  for (int i = 0; i < 3; ++i) CHECK(y(i).tangent == doctest::Approx(dy(i)).epsilon(1e-13));
}
