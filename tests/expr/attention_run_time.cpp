// Attention with extents chosen at run time: values and gradients.
// heavy: many compiled derivatives
#include <dimity/dimity.hpp>
#include <doctest/doctest.h>

using namespace dimity;

TEST_CASE("all extents chosen at run time") {
  constexpr auto loss = [](auto const& q, auto const& k, auto const& v) { return sum(sin(scaled_dot_product_attention<attention_options{.causal = true, .block_queries = 8, .block_keys = 16}>(q, k, v))); };
  constexpr auto slope = compile(value_and_grad<0, 1, 2>(loss));
  auto const q = eval(random::normal<double, 2, 21, 5>(key{1}));
  auto const k = eval(random::normal<double, 2, 37, 5>(key{2}));
  auto const v = eval(random::normal<double, 2, 37, 3>(key{3}));
  auto const [value, d] = slope(q, k, v);
  tensor<double, dyn, dyn, 5> a(2, 21);
  tensor<double, dyn, dyn, 5> b(2, 37);
  tensor<double, dyn, dyn, 3> c(2, 37);
  a = q;
  b = k;
  c = v;
  auto const [same, e] = slope(a, b, c);
  CHECK(static_cast<double>(same) == doctest::Approx(static_cast<double>(value)).epsilon(1e-12));
  CHECK(allclose(std::get<0>(d), std::get<0>(e), 1e-12, 1e-12));
  CHECK(allclose(std::get<1>(d), std::get<1>(e), 1e-12, 1e-12));
  CHECK(allclose(std::get<2>(d), std::get<2>(e), 1e-12, 1e-12));
}
