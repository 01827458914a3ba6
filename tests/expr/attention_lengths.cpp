// Attention against its definition: lengths that blocks do not divide, large scores, broadcast operands, nothing to attend to.
// heavy: many programs
#include "../golden/golden.hpp"

#include <cmath>
#include <limits>

using namespace dimity;

namespace {

/// The definition, in double: `takes(i, j)` says whether query i takes key j.
template <class Q, class K, class V, class Takes>
std::vector<double> reference(Q const& q, K const& k, V const& v, double scale, Takes const& takes) {
  std::size_t const t = q.extent(0), s = k.extent(0), e = v.extent(1);
  std::vector<double> y(t * e, 0.0), p(s);
  for (std::size_t i = 0; i < t; ++i) {
    double largest = -std::numeric_limits<double>::infinity(), sum = 0;
    for (std::size_t j = 0; j < s; ++j) {
      p[j] = 0;
      for (std::size_t x = 0; x < q.extent(1); ++x) p[j] += scale * q(i, x) * k(j, x);
      if (takes(i, j)) largest = std::max(largest, p[j]);
    }
    for (std::size_t j = 0; j < s; ++j) sum += p[j] = takes(i, j) ? std::exp(p[j] - largest) : 0;
    for (std::size_t j = 0; j < s; ++j)
      for (std::size_t x = 0; x < e; ++x) y[i * e + x] += p[j] / sum * v(j, x);
  }
  return y;
}
/// In blocks; `Whole`: also by the formula.
template <class T, extent_t Queries, extent_t Keys, bool Causal, bool Whole = false>
void check_lengths(double magnitude, double tolerance) {
  auto const q = eval(static_cast<T>(magnitude) * random::normal<T, Queries, 8>(key{1}));
  auto const k = eval(random::normal<T, Keys, 8>(key{2}));
  auto const v = eval(random::normal<T, Keys, 3>(key{3}));
  auto const expected = reference(q, k, v, 0.25, [](std::size_t i, std::size_t j) { return !Causal || j <= i; });
  auto const y = eval(scaled_dot_product_attention<attention_options{.causal = Causal, .scale = 0.25, .block_queries = 32, .block_keys = 64}>(q, k, v));
  CAPTURE(Queries);
  CAPTURE(Keys);
  golden::check_close("in blocks", golden::span_of(y), expected, tolerance, tolerance);
  if constexpr (!Whole) return;
  auto const whole = eval(scaled_dot_product_attention<attention_options{.causal = Causal, .scale = 0.25}>(q, k, v));
  golden::check_close("whole", golden::span_of(whole), expected, tolerance, tolerance);
}

}  // namespace

TEST_CASE("lengths that blocks do not divide") {
  check_lengths<double, 1, 1, false, true>(1, 1e-12);
  check_lengths<double, 1, 129, true>(1, 1e-12);
  check_lengths<double, 65, 200, false>(1, 1e-12);
  check_lengths<double, 200, 65, true>(1, 1e-12);
  check_lengths<float, 129, 129, true>(1, 1e-5);
}
TEST_CASE("large scores overflow nothing") {
  check_lengths<double, 33, 70, false, true>(1e4, 1e-9);
  check_lengths<float, 33, 70, true, true>(1e4, 1e-2);
}
TEST_CASE("leading axes broadcast, and large scores are computed in blocks that the library chooses") {
  auto const q = eval(random::normal<float, 2, 3, 200, 8>(key{1}));
  auto const k = eval(random::normal<float, 3, 200, 8>(key{2}));
  auto const v = eval(random::normal<float, 2, 1, 200, 4>(key{3}));
  auto const mask = eval(random::bernoulli<2, 1, 1, 200>(key{4}, 0.7f));
  auto const y = eval(scaled_dot_product_attention(q, k, v, mask));
  for (int b = 0; b < 2; ++b)
    for (int h = 0; h < 3; ++h) {
      auto const expected = reference(eval(pick<0>(pick<0>(q, b), h)), eval(pick<0>(k, h)), eval(pick<0>(pick<0>(v, b), 0)), 1 / std::sqrt(8.0),
                                      [&](std::size_t, std::size_t j) { return mask(b, 0, 0, static_cast<int>(j)); });
      auto const part = eval(pick<0>(pick<0>(y, b), h));
      golden::check_close("entry", golden::span_of(part), expected, 1e-5, 1e-5);
    }
}
TEST_CASE("nothing to attend to gives 0") {
  auto const q = eval(random::normal<double, 3, 5>(key{1}));
  tensor<double, 0, 5> const k;
  tensor<double, 0, 2> const v;
  auto const y = eval(scaled_dot_product_attention(q, k, v));
  CHECK(allclose(y, zeros<double, 3, 2>()));
  tensor<double, dyn, 5> const no_keys(0);
  tensor<double, dyn, 2> const no_values(0);
  auto const z = eval(scaled_dot_product_attention(q, no_keys, no_values));
  CHECK(allclose(z, zeros<double, 3, 2>()));
}
