#include <dimity/dimity.hpp>
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <vector>

using namespace dimity;

namespace {

/// The largest distance between the empirical distribution function of the numbers and `cdf`, times sqrt(n): above 1.95 once in a thousand cases (Kolmogorov).
template <class X, class F>
double kolmogorov(X const& x, F cdf) {
  std::vector<double> v(x.begin(), x.end());
  std::sort(v.begin(), v.end());
  double worst = 0;
  auto const n = static_cast<double>(v.size());
  for (std::size_t i = 0; i < v.size(); ++i) {
    double const p = cdf(v[i]);
    worst = std::max({worst, p - static_cast<double>(i) / n, static_cast<double>(i + 1) / n - p});
  }
  return worst * std::sqrt(n);
}
double normal_cdf(double x) { return 0.5 * std::erfc(-x * 0.7071067811865476); }

template <class X>
double average(X const& x, int power = 1) {
  double s = 0;
  for (auto v : x) s += std::pow(static_cast<double>(v), power);
  return s / static_cast<double>(x.size());
}
template <class A, class B>
double correlation(A const& a, B const& b) {
  double const ma = average(a), mb = average(b);
  double ab = 0, aa = 0, bb = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    double const x = static_cast<double>(a.data()[i]) - ma, y = static_cast<double>(b.data()[i]) - mb;
    ab += x * y;
    aa += x * x;
    bb += y * y;
  }
  return ab / std::sqrt(aa * bb);
}
template <class A, class B>
bool same(A const& a, B const& b) {
  static_assert(std::is_same_v<A, B>);
  for (std::size_t i = 0; i < a.size(); ++i)
    if (a.data()[i] != b.data()[i]) return false;
  return true;
}
std::uint64_t word(key const& k) { return k.words(0) | static_cast<std::uint64_t>(k.words(1)) << 32; }

}  // namespace

// Philox written in Python after the paper, quantiles by mpmath with 30 digits.
TEST_CASE("values for key{42} are those of an independent implementation") {
  key const k{42};
  double const normals[] = {0.28704189859125284, -0.078823476507023003, -1.4521371251237979, -0.41011294406982696, 2.2482117216101416, -0.44803663127446083};
  float const normals_f[] = {0.287041928f, -0.0788234288f, -1.45213722f, -0.410112998f, 2.24821228f, -0.448036709f};
  tensor<double, 2, 3> const n = random::normal<double, 2, 3>(k);
  tensor<float, 6> const f = random::normal<float, 6>(k);
  for (int i = 0; i < 6; ++i) {
    CHECK(std::abs(n.data()[i] / normals[i] - 1) < 1e-15);
    CHECK(std::abs(f(i) / normals_f[i] - 1) < 4e-7f);
  }
  tensor<double, 3> const u = random::uniform<double, 3>(k);
  CHECK(u(0) == 0.61295987919614869);
  CHECK(u(2) == 0.07323173677223449);
  tensor<float, 3> const v = random::uniform<float, 3>(k);
  CHECK(v(0) == 0.61295986175537109f);
  tensor<float, 3> const e = random::exponential<float, 3>(k);
  CHECK(e(0) == doctest::Approx(0.9492269248662156).epsilon(1e-6));
  CHECK(e(2) == doctest::Approx(0.07605173103509502).epsilon(1e-6));
  int const integers[] = {1, 0, -3, -1, 3, -1, 0, 0};
  std::int64_t const longs[] = {612959881310290, 468586518272544, 73231737481878, 340861549473911};
  int const order[] = {2, 5, 3, 7, 1, 6, 0, 4};
  auto const i = random::integers<std::int16_t, 8>(k, -3, 4);
  auto const l = random::integers<std::int64_t, 4>(k, 5, 1000000000000005);
  auto const p = random::permutation<8>(k);
  static_assert(std::is_same_v<decltype(p), tensor<std::int32_t, 8> const>);
  for (int j = 0; j < 8; ++j) {
    CHECK(i(j) == integers[j]);
    CHECK(p(j) == order[j]);
  }
  for (int j = 0; j < 4; ++j) CHECK(l(j) == longs[j]);
  auto const s = split<3>(k);
  CHECK(word(s[0]) == (198154557u | 368232300ull << 32));
  CHECK(word(s[1]) == (3739913461u | 957613662ull << 32));
  CHECK(word(s[2]) == (2272524336u | 460369858ull << 32));
  CHECK(word(fold_in(k, 7)) == (1012845850u | 1228914777ull << 32));
  CHECK(word(fold_in(k, -1)) == (1814388548u | 3656661783ull << 32));
  CHECK(word(fold_in(k, tensor<int>(7))) == word(fold_in(k, 7)));
  tensor<std::uint32_t, 6> const b = random::bits<6>(key{0x0123456789abcdef});
  CHECK(b(0) == 3092259374u);
  CHECK(b(5) == 1379798405u);
}

TEST_CASE("a key is made of a seed, copied and taken apart") {
  static_assert(std::is_aggregate_v<key> && detail::field_count<key> == 1);
  static_assert(std::is_same_v<typename rebind_tree<key, detail::to_traced>::type, basic_key<traced<std::uint32_t>>>);
  static_assert(detail::leaf_count<key> == 1 && detail::leaf_count<std::array<key, 3>> == 3);
  key const k{0x0000000500000007};
  CHECK(k.words(0) == 7);
  CHECK(k.words(1) == 5);
  CHECK(key{-1}.words(1) == 0xffffffffu);
  key const copy = k;
  key const from_words{tensor<std::uint32_t, 2>{7u, 5u}};
  CHECK(word(copy) == word(from_words));
  CHECK(word(key{}) == 0);
}

TEST_CASE("uniform: range, moments, distribution") {
  auto const u = random::uniform<double, 20000>(key{1});
  CHECK(kolmogorov(u, [](double x) { return x; }) < 1.95);
  CHECK(average(u) == doctest::Approx(0.5).epsilon(0.01));
  CHECK(average(u, 2) == doctest::Approx(1.0 / 3).epsilon(0.02));
  for (double x : u) CHECK_UNARY(x >= 0 && x < 1);
  auto const f = random::uniform<float, 100, 200>(key{2}, -2, 3.0);
  CHECK(kolmogorov(f, [](double x) { return (x + 2) / 5; }) < 1.95);
  for (float x : f) CHECK_UNARY(x >= -2.0f && x < 3.0f);
  // Two adjacent floats: rounding must not reach the excluded bound.
  float const low = 1, high = std::nextafter(1.0f, 2.0f);
  for (float x : random::uniform<float, 100>(key{3}, low, high)) CHECK(x == low);
  tensor<float, 3> const bounds = {1, 10, 100};
  auto const rows = random::uniform<float, 50, 3>(key{4}, bounds, bounds * 2.0f);
  for (int i = 0; i < 50; ++i)
    for (int j = 0; j < 3; ++j) CHECK_UNARY(rows(i, j) >= bounds(j) && rows(i, j) < 2 * bounds(j));
  float const one = random::uniform<float>(key{5});
  CHECK_UNARY(one >= 0 && one < 1);
}

TEST_CASE("normal: quantiles and moments") {
  auto const x = random::normal<double, 20000>(key{1});
  CHECK(kolmogorov(x, normal_cdf) < 1.95);
  CHECK(std::abs(average(x)) < 0.025);
  CHECK(average(x, 2) == doctest::Approx(1).epsilon(0.04));
  CHECK(std::abs(average(x, 3)) < 0.1);
  CHECK(average(x, 4) == doctest::Approx(3).epsilon(0.1));
  auto const f = random::normal<float, 20000>(key{2});
  CHECK(kolmogorov(f, normal_cdf) < 1.95);
  CHECK(average(f, 2) == doctest::Approx(1).epsilon(0.04));
  auto const t = random::truncated_normal<float, 20000>(key{3}, -1, 2);
  double const a = normal_cdf(-1), b = normal_cdf(2);
  CHECK(kolmogorov(t, [&](double v) { return (normal_cdf(v) - a) / (b - a); }) < 1.95);
  for (float v : t) CHECK_UNARY(v >= -1 && v <= 2);
}

TEST_CASE("exponential and gumbel are finite and distributed as they should be") {
  auto const e = random::exponential<float, 20000>(key{1});
  CHECK(kolmogorov(e, [](double x) { return 1 - std::exp(-x); }) < 1.95);
  for (float v : e) CHECK_UNARY(v > 0 && v < 17);
  auto const d = random::exponential<double, 20000>(key{1});
  CHECK(kolmogorov(d, [](double x) { return 1 - std::exp(-x); }) < 1.95);
  auto const g = random::gumbel<double, 20000>(key{2});
  CHECK(kolmogorov(g, [](double x) { return std::exp(-std::exp(-x)); }) < 1.95);
}

TEST_CASE("bernoulli") {
  auto const b = random::bernoulli<100, 200>(key{1}, 0.3);
  static_assert(std::is_same_v<decltype(b), tensor<bool, 100, 200> const>);
  CHECK(average(b) == doctest::Approx(0.3).epsilon(0.04));
  CHECK(average(random::bernoulli<1000>(key{2}, 0)) == 0);
  CHECK(average(random::bernoulli<1000>(key{2}, 1)) == 1);
  tensor<float, 3> const p = {0, 0.5f, 1};
  auto const each = random::bernoulli(key{3}, p);
  static_assert(std::is_same_v<decltype(each), tensor<bool, 3> const>);
  CHECK_UNARY(!each(0) && each(2));
  auto const rows = random::bernoulli<1000, 3>(key{4}, p);
  int hits = 0;
  for (int i = 0; i < 1000; ++i) {
    hits += rows(i, 1);
    CHECK_UNARY(!rows(i, 0) && rows(i, 2));
  }
  CHECK(std::abs(hits - 500) < 80);
}

TEST_CASE("integers stay inside and are even") {
  auto const i = random::integers<int, 30000>(key{1}, -3, 4);
  int count[7] = {};
  for (int v : i) {
    REQUIRE_UNARY(v >= -3 && v < 4);
    ++count[v + 3];
  }
  double chi2 = 0;
  for (int c : count) chi2 += std::pow(c - 30000 / 7.0, 2) / (30000 / 7.0);
  CHECK(chi2 < 22.5);  // 6 degrees of freedom: above 22.5 once in a thousand cases
  auto const bytes = random::integers<std::uint8_t, 4000>(key{2}, 0, 256);
  CHECK(*std::max_element(bytes.begin(), bytes.end()) == 255);
  CHECK(*std::min_element(bytes.begin(), bytes.end()) == 0);
  CHECK(kolmogorov(random::integers<std::int64_t, 5000>(key{3}, INT64_MIN, INT64_MAX), [](double x) { return x / 0x1p64 + 0.5; }) < 1.95);
  CHECK(kolmogorov(random::integers<std::uint64_t, 5000>(key{3}, 0, UINT64_MAX), [](double x) { return x / 0x1p64; }) < 1.95);
  for (int v : random::integers<int, 10>(key{4}, 5, 5)) CHECK(v == 5);
  for (int v : random::integers<int, 10>(key{4}, 5, 6)) CHECK(v == 5);
  for (int v : random::integers<int, 10>(key{4}, INT32_MIN, INT32_MIN + 2)) CHECK_UNARY(v == INT32_MIN || v == INT32_MIN + 1);
}

TEST_CASE("permutations and shuffles keep every element") {
  auto const p = random::permutation<1000>(key{1});
  std::set<int> const seen(p.begin(), p.end());
  CHECK(seen.size() == 1000);
  CHECK(*seen.rbegin() == 999);
  CHECK(std::abs(correlation(p, eval(arange<std::int32_t, 1000>()))) < 0.1);
  // All six orders of three, about equally often.
  int count[27] = {};
  for (int s = 0; s < 1200; ++s) {
    auto const q = random::permutation<3>(fold_in(key{2}, s));
    ++count[q(0) * 9 + q(1) * 3 + q(2)];
  }
  int orders = 0;
  for (int c : count) {
    if (c == 0) continue;
    ++orders;
    CHECK(std::abs(c - 200) < 55);
  }
  CHECK(orders == 6);
  tensor<float, 5, 2> const x = {{0, 0}, {1, 10}, {2, 20}, {3, 30}, {4, 40}};
  auto const y = random::permutation(key{3}, x);
  double first = 0;
  for (int i = 0; i < 5; ++i) {
    CHECK(y(i, 1) == 10 * y(i, 0));
    first += y(i, 0);
  }
  CHECK(first == 10);
}

TEST_CASE("categorical draws with the probabilities of its logits") {
  tensor<float, 4> const p = {0.1f, 0.2f, 0.3f, 0.4f};
  float const inf = std::numeric_limits<float>::infinity();
  auto const i = random::categorical(key{1}, broadcast_to<20000, 4>(log(p)));
  static_assert(std::is_same_v<decltype(i), tensor<std::int64_t, 20000> const>);
  double count[4] = {};
  for (auto v : i) ++count[v];
  double chi2 = 0;
  for (int c = 0; c < 4; ++c) chi2 += std::pow(count[c] - 20000 * p(c), 2) / (20000 * p(c));
  CHECK(chi2 < 16.3);  // 3 degrees of freedom: above 16.3 once in a thousand cases
  tensor<float, 3, 2> const logits = {{0, -inf}, {-inf, 5}, {-inf, -inf}};
  auto const c = random::categorical(key{2}, logits, axis<0>);
  CHECK(c(0) == 0);
  CHECK(c(1) == 1);
}

TEST_CASE("keys derived from one key are independent of it and of each other") {
  key const k{7};
  auto const [a, b] = split(k);
  auto const five = split<5>(k);
  CHECK(word(five[0]) == word(a));
  CHECK(word(five[1]) == word(b));
  std::set<std::uint64_t> words = {word(k)};
  for (int i = 0; i < 64; ++i)
    for (auto const& s : {key{i}, fold_in(k, i), fold_in(key{i}, 3), split(key{i})[0], split(key{i})[1]}) words.insert(word(s));
  // key{7} is counted once, and so is fold_in(key{7}, 3).
  CHECK(words.size() == 64 * 5 - 1);
  auto const x = random::normal<float, 10000>(k), y = random::normal<float, 10000>(a), z = random::normal<float, 10000>(b), w = random::normal<float, 10000>(fold_in(k, 1));
  for (double r : {correlation(x, y), correlation(x, z), correlation(y, z), correlation(x, w), correlation(y, w)}) CHECK(std::abs(r) < 0.04);
  auto const neighbour = random::normal<float, 10000>(key{8});
  CHECK(std::abs(correlation(x, neighbour)) < 0.04);
}

TEST_CASE("traced draws equal eager ones") {
  key const k{42};
  constexpr auto draws = compile([](auto key) {
    return std::tuple{random::normal<double, 8, 5>(key), random::normal<float, 33>(key), random::uniform<float, 7>(key, -1, 2), random::integers<int, 9>(key, 0, 100),
                      random::permutation<6>(key), random::bernoulli<5>(key, 0.5), random::exponential<float, 4>(key), random::bits<3>(key)};
  });
  auto const [n, f, u, i, p, b, e, w] = draws(k);
  CHECK(same(n, eval(random::normal<double, 8, 5>(k))));
  CHECK(same(f, eval(random::normal<float, 33>(k))));
  CHECK(same(u, eval(random::uniform<float, 7>(k, -1, 2))));
  CHECK(same(i, eval(random::integers<int, 9>(k, 0, 100))));
  CHECK(same(p, eval(random::permutation<6>(k))));
  CHECK(same(b, eval(random::bernoulli<5>(k, 0.5))));
  CHECK(same(e, eval(random::exponential<float, 4>(k))));
  CHECK(same(w, eval(random::bits<3>(k))));
  constexpr auto derive = compile([](auto key, auto step) { return std::tuple{split<3>(key), fold_in(key, step), fold_in(key, 7), random::normal<float, 4>(split(key)[1])}; });
  for (int step : {0, 1, -1}) {
    auto const [keys, folded, seven, child] = derive(k, tensor<int>(step));
    static_assert(std::is_same_v<decltype(folded), key const>);
    for (std::size_t j = 0; j < 3; ++j) CHECK(word(keys[j]) == word(split<3>(k)[j]));
    CHECK(word(folded) == word(fold_in(k, step)));
    CHECK(word(seven) == word(fold_in(k, 7)));
    CHECK(same(child, eval(random::normal<float, 4>(split(k)[1]))));
  }
}

TEST_CASE("what is drawn is constant to derivatives, and parameters are not") {
  // The reparametrised normal: d/d sigma of mean + sigma * z is z.
  constexpr auto loss = [](auto const& sigma, auto const& key) { return sum(random::normal<double, 5>(key) * sigma); };
  key const k{3};
  tensor<double> const sigma = 2.0;
  double const g = grad(loss)(sigma, k);
  CHECK(g == doctest::Approx(static_cast<double>(sum(random::normal<double, 5>(k)))).epsilon(1e-14));
}

TEST_CASE("erfinv") {
  double const table[][2] = {{0, 0}, {0.001, 0.000886227157466552123}, {0.1, 0.088855990494257692}, {0.3, 0.272462714726754345}, {0.5, 0.476936276204469873},
                             {0.7, 0.732869077959216785}, {0.84, 0.993535628347304187}, {0.86, 1.04354184363975884}, {0.9, 1.16308715367667416},
                             {0.99, 1.82138636771844946}, {0.999, 2.32675376551352449}, {0.99999, 3.12341327434157086}, {0.9999999, 3.76656258163847089}};
  for (auto const& [x, y] : table) {
    tensor<double> const d = x, minus = -x;
    CHECK(static_cast<double>(erfinv(d)) == doctest::Approx(y).epsilon(2e-15));
    CHECK(static_cast<double>(erfinv(minus)) == doctest::Approx(-y).epsilon(2e-15));
    tensor<float> const f = static_cast<float>(x);
    // What the float's own rounding of x does is not erfinv's error.
    tensor<double> const exact = static_cast<double>(static_cast<float>(x));
    CHECK(static_cast<float>(erfinv(f)) == doctest::Approx(static_cast<double>(erfinv(exact))).epsilon(6e-7));
  }
  tensor<double, 4> const ends = erfinv(tensor<double, 4>{1, -1, 1.5, -2});
  CHECK_UNARY(std::isinf(ends(0)) && ends(0) > 0 && std::isinf(ends(1)) && ends(1) < 0 && std::isnan(ends(2)) && std::isnan(ends(3)));
  tensor<float, 4> const ends_f = erfinv(tensor<float, 4>{1, -1, 1.5, -2});
  CHECK_UNARY(std::isinf(ends_f(0)) && ends_f(0) > 0 && std::isinf(ends_f(1)) && ends_f(1) < 0 && std::isnan(ends_f(2)) && std::isnan(ends_f(3)));
  // d erfinv(x) / dx = sqrt(pi) / 2 exp(erfinv(x)^2)
  tensor<double, 5> const at = {-0.95, -0.3, 0, 0.5, 0.999};
  tensor<float, 5> const at_f = cast<float>(at);
  constexpr auto total = [](auto const& x) { return sum(erfinv(x)); };
  tensor<double, 5> const d = grad(total)(at), expected = exp(square(erfinv(at))) * 0.886226925452758014;
  tensor<float, 5> const d_f = grad(total)(at_f);
  for (int i = 0; i < 5; ++i) {
    CHECK(d(i) == doctest::Approx(expected(i)).epsilon(1e-10));
    CHECK(d_f(i) == doctest::Approx(expected(i)).epsilon(2e-4));
  }
}
