// Losses against closed forms, at their edges, and their gradients.
#include <dimity/dimity.hpp>
#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <limits>

using namespace dimity;

TEST_CASE("cross entropy of labels") {
  tensor<double, 2, 3> const logits = {{1, 2, 3}, {1000, 0, -1000}};
  tensor<std::int32_t, 2> const labels = {2, 0};
  tensor<double, 2> const l = nn::cross_entropy(logits, labels);
  CHECK(l(0) == doctest::Approx(std::log(std::exp(-2.0) + std::exp(-1.0) + 1)));
  CHECK(l(1) == 0);
  tensor<double, 2> const far = nn::cross_entropy(logits, tensor<std::int32_t, 2>{0, 2});
  CHECK(far(1) == 2000);
  tensor<std::int64_t, 2> const wide = {2, 0};
  CHECK(allclose(nn::cross_entropy(logits, wide), l));
  tensor<double> const one = nn::cross_entropy(tensor<double, 3>{1, 2, 3}, tensor<std::int32_t>(1));
  CHECK(static_cast<double>(one) == doctest::Approx(l(0) + 1));
  constexpr double inf = std::numeric_limits<double>::infinity();
  tensor<double> const masked = nn::cross_entropy(tensor<double, 3>{-inf, 0, 0}, tensor<std::int32_t>(1));
  CHECK(static_cast<double>(masked) == doctest::Approx(std::log(2.0)));
}
TEST_CASE("its gradient is softmax minus one-hot") {
  tensor<double, 2, 3> const logits = {{1, 2, 3}, {-4, 0, 2}};
  tensor<std::int32_t, 2> const labels = {0, 2};
  tensor<double, 2, 3> const g = grad([](auto const& x, auto const& y) { return mean(nn::cross_entropy(x, y)); })(logits, labels);
  tensor<double, 2, 3> expected = softmax(logits, axis<-1>);
  expected(0, 0) -= 1;
  expected(1, 2) -= 1;
  expected = expected * 0.5;
  CHECK(allclose(g, expected));
}
TEST_CASE("cross entropy of distributions") {
  tensor<double, 2, 3> const logits = {{1, 2, 3}, {-4, 0, 2}}, target = {{0, 0, 1}, {0.25, 0.25, 0.5}};
  tensor<double, 2> const l = nn::cross_entropy(logits, target);
  tensor<double, 2, 3> const logp = log_softmax(logits, axis<-1>);
  CHECK(l(0) == doctest::Approx(-logp(0, 2)));
  CHECK(l(1) == doctest::Approx(-(0.25 * logp(1, 0) + 0.25 * logp(1, 1) + 0.5 * logp(1, 2))));
}
TEST_CASE("mse, l1, binary cross entropy") {
  tensor<double, 3> const a = {1, 2, 3}, b = {1, 4, 0};
  CHECK(allclose(nn::mse(a, b), tensor<double, 3>{0, 4, 9}));
  CHECK(allclose(nn::l1(a, b), tensor<double, 3>{0, 2, 3}));
  CHECK(allclose(nn::mse(a, 2.0), tensor<double, 3>{1, 0, 1}));
  tensor<double, 4> const z = {-800, -1, 0.5, 800}, t = {0, 1, 0.25, 1};
  tensor<double, 4> const l = nn::binary_cross_entropy_with_logits(z, t);
  CHECK((l(0) == 0 && l(3) == 0));
  CHECK(l(1) == doctest::Approx(std::log1p(std::exp(1.0))));
  CHECK(l(2) == doctest::Approx(-0.25 * std::log(1 / (1 + std::exp(-0.5))) - 0.75 * std::log(1 - 1 / (1 + std::exp(-0.5)))));
  tensor<double, 4> const g = grad([](auto const& x, auto const& y) { return sum(nn::binary_cross_entropy_with_logits(x, y)); })(z, t);
  CHECK(allclose(g, sigmoid(z) - t));
  tensor<double, 3> const signs = grad([](auto const& x, auto const& y) { return sum(nn::l1(x, y)); })(a, b);
  CHECK((signs(0) == 0 && signs(1) == -1 && signs(2) == 1));
}
