// Attention, whole and in blocks: values and gradients against NumPy, lengths that blocks do not divide, masks, large scores, extents chosen at run time.
// heavy: many compiled derivatives
#include "../golden/golden.hpp"

#include <cmath>
#include <limits>

using namespace dimity;

namespace {

golden::file const& data() {
  static golden::file const f("attention");
  return f;
}
template <class X>
void check(std::string const& name, X const& x) {
  auto const y = eval(x);
  double const tolerance = std::is_same_v<typename X::value_type, float> ? 2e-5 : 1e-12;
  golden::check_close(name, golden::span_of(y), data().as<double>(name), tolerance, tolerance);
}

/// Blocks so small that there are several of each kind, and none is full.
constexpr attention_options blocks(bool causal) { return {.causal = causal, .block_queries = 4, .block_keys = 8}; }

template <attention_options O>
constexpr auto attend = [](auto const&... x) { return scaled_dot_product_attention<O>(x...); };
/// The product with u, which comes first.
template <attention_options O>
constexpr auto weighted = [](auto const& u, auto const&... x) { return sum(scaled_dot_product_attention<O>(x...) * u); };
template <attention_options O, int... Arguments>
constexpr auto result_and_gradients = [](auto const& u, auto const&... x) { return std::tuple{scaled_dot_product_attention<O>(x...), grad<Arguments...>(weighted<O>)(u, x...)}; };

template <class T, attention_options O>
void check_case(std::string const& prefix) {
  auto const q = data().get<T, 2, 9, 5>("q");
  auto const u = data().get<T, 2, 9, 3>("u");
  auto const k = data().get<T, 2, 13, 5>("k");
  auto const v = data().get<T, 2, 13, 3>("v");
  auto const bias = data().get<T, 2, 1, 13>("bias");
  tensor<bool, 9, 13> mask;
  auto const bits = data().as<bool>("mask");
  for (std::size_t i = 0; i < mask.size(); ++i) mask.data()[i] = bits[i];
  auto const check_parts = [](std::string const& name, auto const& found) {
    auto const& [y, d] = found;
    check(name + "/y", y);
    check(name + "/dq", std::get<0>(d));
    check(name + "/dk", std::get<1>(d));
    check(name + "/dv", std::get<2>(d));
    if constexpr (std::tuple_size_v<std::remove_cvref_t<decltype(d)>> == 4) check(name + "/dbias", std::get<3>(d));
  };
  check_parts(prefix.empty() ? "plain" : "causal", compile(result_and_gradients<O, 1, 2, 3>)(u, q, k, v));
  check_parts(prefix + "mask", compile(result_and_gradients<O, 1, 2, 3>)(u, q, k, v, mask));
  check_parts(prefix + "bias", compile(result_and_gradients<O, 1, 2, 3, 4>)(u, q, k, v, bias));
}

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
template <class T, extent_t Queries, extent_t Keys, bool Causal>
void check_lengths(double magnitude, double tolerance) {
  auto const q = eval(static_cast<T>(magnitude) * random::normal<T, Queries, 8>(key{1}));
  auto const k = eval(random::normal<T, Keys, 8>(key{2}));
  auto const v = eval(random::normal<T, Keys, 3>(key{3}));
  auto const expected = reference(q, k, v, 0.25, [](std::size_t i, std::size_t j) { return !Causal || j <= i; });
  auto const y = eval(scaled_dot_product_attention<attention_options{.causal = Causal, .scale = 0.25, .block_queries = 32, .block_keys = 64}>(q, k, v));
  CAPTURE(Queries);
  CAPTURE(Keys);
  golden::check_close("in blocks", golden::span_of(y), expected, tolerance, tolerance);
  auto const whole = eval(scaled_dot_product_attention<attention_options{.causal = Causal, .scale = 0.25}>(q, k, v));
  golden::check_close("whole", golden::span_of(whole), expected, tolerance, tolerance);
}

}  // namespace

TEST_CASE("attention and its gradients are NumPy's, whole and in blocks") {
  check_case<double, attention_options{}>("");
  check_case<double, attention_options{.causal = true}>("causal_");
  check_case<double, blocks(false)>("");
  check_case<double, blocks(true)>("causal_");
  check_case<float, blocks(true)>("causal_");
}
TEST_CASE("lengths that blocks do not divide") {
  check_lengths<double, 1, 1, false>(1, 1e-12);
  check_lengths<double, 1, 129, true>(1, 1e-12);
  check_lengths<double, 65, 200, false>(1, 1e-12);
  check_lengths<double, 200, 65, true>(1, 1e-12);
  check_lengths<float, 129, 129, true>(1, 1e-5);
}
TEST_CASE("large scores overflow nothing") {
  check_lengths<double, 33, 70, false>(1e4, 1e-9);
  check_lengths<float, 33, 70, true>(1e4, 1e-2);
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
