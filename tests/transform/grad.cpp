// grad, value_and_grad, vjp: which arguments, which types, what is zero.
#include <dimity/dimity.hpp>
#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <tuple>

using namespace dimity;

namespace {

constexpr auto energy = [](auto const& x, auto const& w, auto const& b) { return sum(square(matmul(x, w) + b)); };
constexpr auto product = [](auto const& a, auto const& b) { return sum(a * a * b); };

}  // namespace

TEST_CASE("the first argument, or those that are numbered, in that order") {
  tensor<double, 2, 2> const x = {{1, 2}, {3, 4}}, w = {{0.5, -1}, {2, 0.25}};
  tensor<double, 2> const b = {0.1, -0.2};
  tensor<double, 2, 2> const r = 2.0 * (matmul(x, w) + b);
  CHECK(allclose(grad(energy)(x, w, b), matmul(r, transpose(w))));
  CHECK(allclose(grad<1>(energy)(x, w, b), matmul(transpose(x), r)));
  auto const [gb, gx] = grad<2, 0>(energy)(x, w, b);
  CHECK(allclose(gb, sum(r, axis<0>)));
  CHECK(allclose(gx, matmul(r, transpose(w))));
  auto const [value, gradients] = value_and_grad<1, 2>(energy)(x, w, b);
  CHECK(allclose(value, energy(x, w, b)));
  CHECK(allclose(std::get<1>(gradients), gb));
}
TEST_CASE("the same argument passed twice is two arguments") {
  tensor<double, 2> const x = {2, 3};
  CHECK(allclose(grad(product)(x, x), 2.0 * x * x));
  CHECK(allclose(grad<1>(product)(x, x), x * x));
  // Also where a traced function passes one value twice.
  constexpr auto inner = [](auto const& v) { return sum(grad<1>(product)(v, v)); };
  CHECK(static_cast<double>(compile(inner)(x)) == 13);
}
TEST_CASE("unused arguments and results that depend on nothing have zero gradients") {
  tensor<double, 3> const x = {1, 2, 3};
  CHECK(allclose(grad<1>([](auto const& a, auto const&) { return sum(a); })(x, x), zeros<double, 3>()));
  CHECK(allclose(grad([](auto const& a) { return sum(a * 0.0 + 1.0); })(x), zeros<double, 3>()));
  CHECK(allclose(grad([](auto const& a) { return sum(floor(a)); })(x), zeros<double, 3>()));
}
TEST_CASE("integers and scalars among the arguments") {
  constexpr auto weighted = [](auto const& x, auto const& i, auto const& s) { return s * sum(x * cast<double>(i)); };
  tensor<double, 3> const x = {1, 2, 3};
  tensor<std::int32_t, 3> const i = {4, 5, 6};
  CHECK(allclose(grad(weighted)(x, i, 2.0), 2.0 * cast<double>(i)));
  CHECK(static_cast<double>(grad<2>(weighted)(x, i, 2.0)) == 32);
  auto const gi = grad<1>(weighted)(x, i, 2.0);
  CHECK((gi(0) == 0 && gi(1) == 0 && gi(2) == 0));
}
TEST_CASE("float stays float, mixed types follow their argument") {
  constexpr auto mixed = [](auto const& a, auto const& b) { return sum(a * b); };
  auto const [ga, gb] = grad<0, 1>(mixed)(tensor<float, 2>{1, 2}, tensor<double, 2>{3, 4});
  static_assert(std::is_same_v<std::remove_cvref_t<decltype(ga)>, tensor<float, 2>>);
  static_assert(std::is_same_v<std::remove_cvref_t<decltype(gb)>, tensor<double, 2>>);
  CHECK((ga(0) == 3 && ga(1) == 4 && gb(0) == 1 && gb(1) == 2));
}
TEST_CASE("vjp pulls a cotangent of any shape back, also of tuples") {
  tensor<double, 3> const x = {1, 2, 3}, u = {1, -1, 0.5};
  auto const [y, back] = vjp([](auto const& a) { return exp(a); }, std::tuple{x}, u);
  CHECK(allclose(y, exp(x)));
  CHECK(allclose(std::get<0>(back), u * exp(x)));
  auto const [values, pulled] = vjp([](auto const& a, auto const& b) { return std::tuple{a * b, sum(a)}; }, std::tuple{x, u}, std::tuple{u, tensor<double>(2)});
  CHECK(allclose(std::get<0>(pulled), u * u + 2.0));
  CHECK(allclose(std::get<1>(pulled), u * x));
  CHECK(static_cast<double>(std::get<1>(values)) == 6);
}
TEST_CASE("a value with many users collects from all of them") {
  tensor<double, 2> const x = {0.3, 0.7};
  tensor<double, 2> const g = grad([](auto const& a) {
    auto h = a;
    for (int i = 0; i < 4; ++i) h = h * a + sin(h);
    return sum(h);
  })(x);
  for (int i = 0; i < 2; ++i) {
    dual<double> t{x(i), 1.0}, h = t;
    for (int j = 0; j < 4; ++j) h = h * t + sin(h);
    CHECK(g(i) == doctest::Approx(h.tangent));
  }
}
