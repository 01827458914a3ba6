// Large sums over rows are made in blocks of rows: the same numbers as from a plain loop, and the same bits for every number of threads and every way to state the extents.
#include <doctest/doctest.h>

#include <dimity/dimity.hpp>
#include <dimity/plan/print.hpp>
#include <dimity/threads.hpp>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>

namespace {

using namespace dimity;

template <class X>
X numbers(unsigned seed) {
  X x;
  std::uint32_t state = seed;
  for (std::size_t i = 0; i < x.size(); ++i) {
    state = state * 1664525u + 1013904223u;
    using T = typename X::value_type;
    if constexpr (std::is_integral_v<T>) x.data()[i] = static_cast<T>(state >> 29);
    else x.data()[i] = static_cast<T>(static_cast<float>(state >> 8) * 0x1p-23f - 1.0f);
  }
  return x;
}
bool same_bits(auto const& a, auto const& b) { return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(*a.data())) == 0; }

/// Whatever it costs, threads are asked for.
struct divide_all {
  double const before = detail::least_share;
  divide_all() { detail::least_share = 1e-3; }
  ~divide_all() { detail::least_share = before; }
};
template <class F>
void check_threads(F const& f, auto const& one, auto const&... args) {
  divide_all const all;
  for (int const n : {2, 3, 16}) CHECK(same_bits(compile(f, cpu{.threads = n})(args...), one));
}

constexpr auto sums = [](auto const& x) { return sum(x, axis<0>); };
constexpr auto maxima = [](auto const& x) { return max(x, axis<0>); };
constexpr auto minima = [](auto const& x) { return min(x, axis<0>); };
constexpr auto products = [](auto const& x) { return prod(1.0f + x * 0.01f, axis<0>); };

template <extent_t Rows, extent_t Columns>
void check_columns() {
  CAPTURE(Rows);
  CAPTURE(Columns);
  auto x = numbers<tensor<float, Rows, Columns>>(7);
  x(Rows / 2, 1) = std::numeric_limits<float>::quiet_NaN();
  auto const s = compile(sums)(x), m = compile(maxima)(x), l = compile(minima)(x), p = compile(products)(x);
  int wrong = 0;
  for (extent_t j = 0; j < Columns; ++j) {
    double sum = 0, product = 1;
    float highest = -2, lowest = 2;
    for (extent_t i = 0; i < Rows; ++i) {
      sum += static_cast<double>(x(i, j));
      product *= 1.0 + static_cast<double>(x(i, j)) * 0.01;
      highest = std::max(highest, x(i, j));
      lowest = std::min(lowest, x(i, j));
    }
    if (j == 1) wrong += !std::isnan(s(j)) + !std::isnan(m(j)) + !std::isnan(l(j)) + !std::isnan(p(j));
    else wrong += !(std::abs(s(j) - sum) < 1e-4) + !(std::abs(p(j) - product) < 1e-3 * product) + (m(j) != highest) + (l(j) != lowest);
  }
  CHECK(wrong == 0);
  check_threads(sums, s, x);
  check_threads(maxima, m, x);
  check_threads(products, p, x);
}

constexpr auto normalize = [](auto const& x, auto const& gain, auto const& offset) {
  return (x - mean(x, axis<-1>, keep_dims)) * rsqrt(var(x, axis<-1>, keep_dims) + 1e-5f) * gain + offset;
};
constexpr auto normalize_back = [](auto const& x, auto const& gain, auto const& offset, auto const& g) { return vjp(normalize, std::tuple{x, gain, offset}, g); };

}  // namespace

TEST_CASE("how many blocks") {
  using detail::row_blocks;
  static_assert(row_blocks(31, 1 << 20) == 1 && row_blocks(32, 1 << 20) == 2 && row_blocks(63, 1 << 20) == 2 && row_blocks(95, 1 << 20) == 2 && row_blocks(96, 1 << 20) == 3);
  static_assert(row_blocks(512, 1 << 20) == 16 && row_blocks(1 << 20, 1 << 20) == 16);
  static_assert(row_blocks(512, (1 << 15) - 1) == 1 && row_blocks(512, 1 << 15) == 16 && row_blocks(512, 0) == 1);
  // Memory for what one block leaves: threads have their own for theirs.
  static_assert(compile(sums).plan<tensor<float, 600, 100>>.workspace_bytes == 448);  // 400, in whole cache lines
  static_assert(compile(sums).plan<tensor<float, 300, 100>>.workspace_bytes == 0);
  CHECK(to_string(compile(sums).plan<tensor<float, 600, 100>>).find("column reduction [600] x [100], 1 value, in 16 blocks of rows;") != std::string::npos);
}

TEST_CASE("sums, products and extremes of columns") {
  check_columns<31, 1100>();
  check_columns<32, 1027>();
  check_columns<97, 400>();
  check_columns<1000, 33>();
  check_columns<5003, 7>();
}

TEST_CASE("other element types") {
  auto const n = numbers<tensor<std::int32_t, 700, 65>>(3);
  auto const total = compile(sums)(n);
  auto const d = numbers<tensor<double, 700, 65>>(4);
  auto const sum_of_d = compile(sums)(d);
  constexpr auto any_negative = [](auto const& x) { return any(x < -0.999, axis<0>); };
  constexpr auto all_below = [](auto const& x) { return all(x < 0.999, axis<0>); };
  auto const some = compile(any_negative)(d), every = compile(all_below)(d);
  auto const h = numbers<tensor<bfloat16, 700, 65>>(5);
  auto const sum_of_h = compile(sums)(h);
  int wrong = 0, found = 0;
  for (extent_t j = 0; j < 65; ++j) {
    std::int64_t count = 0;
    double sum = 0, half = 0;
    bool low = false, high = false;
    for (extent_t i = 0; i < 700; ++i) {
      count += n(i, j);
      sum += d(i, j);
      half += static_cast<double>(static_cast<float>(h(i, j)));
      low = low || d(i, j) < -0.999;
      high = high || !(d(i, j) < 0.999);
    }
    wrong += total(j) != count || !(std::abs(sum_of_d(j) - sum) < 1e-12) || some(j) != low || every(j) == high;
    wrong += !(std::abs(static_cast<double>(static_cast<float>(sum_of_h(j))) - half) <= 0.004 * std::abs(half) + 1e-4);
    found += low + high;
  }
  CHECK(wrong == 0);
  CHECK(found > 10);
  check_threads(sums, total, n);
  check_threads(sums, sum_of_d, d);
  check_threads(any_negative, some, d);
  check_threads(all_below, every, d);
  check_threads(sums, sum_of_h, h);
}

TEST_CASE("a kernel of rows that also adds them up") {
  using block = tensor<float, 200, 300>;
  auto const x = numbers<block>(11), g = numbers<block>(12);
  auto const gain = numbers<tensor<float, 300>>(13), offset = numbers<tensor<float, 300>>(14);
  auto const [y, back] = compile(normalize_back)(x, gain, offset, g);
  auto const& [dx, dgain, doffset] = back;
  auto const precise = compile(normalize_back)(eval(cast<double>(x)), eval(cast<double>(gain)), eval(cast<double>(offset)), eval(cast<double>(g)));
  CHECK(allclose(dx, eval(cast<float>(std::get<0>(std::get<1>(precise)))), 1e-4, 1e-5));
  CHECK(allclose(dgain, eval(cast<float>(std::get<1>(std::get<1>(precise)))), 1e-5, 1e-5));
  CHECK(allclose(doffset, eval(cast<float>(std::get<2>(std::get<1>(precise)))), 1e-5, 1e-5));
  divide_all const all;
  for (int const n : {2, 5}) {
    std::uint64_t const before = detail::thread_pool::shared().divided();
    auto const several = compile(normalize_back, cpu{.threads = n})(x, gain, offset, g);
    CHECK(detail::thread_pool::shared().divided() > before);
    CHECK(same_bits(std::get<0>(several), y));
    CHECK(same_bits(std::get<0>(std::get<1>(several)), dx));
    CHECK(same_bits(std::get<1>(std::get<1>(several)), dgain));
    CHECK(same_bits(std::get<2>(std::get<1>(several)), doffset));
  }
}

TEST_CASE("extents chosen at run time: the blocks of a call") {
  for (extent_t const rows : {0, 1, 40, 700}) {
    tensor<float, dyn, 65> x(rows);
    auto const all = numbers<tensor<float, 700, 65>>(21);
    std::copy_n(all.data(), x.size(), x.data());
    auto const s = eval(sum(exp(x), axis<0>));
    int wrong = 0;
    for (extent_t j = 0; j < 65; ++j) {
      double sum = 0;
      for (extent_t i = 0; i < rows; ++i) sum += std::exp(static_cast<double>(all(i, j)));
      wrong += !(std::abs(s(j) - sum) <= 1e-6 * sum);
    }
    CHECK(wrong == 0);
    if (rows == 700) CHECK(same_bits(s, eval(sum(exp(all), axis<0>))));
    divide_all const divided;
    CHECK(same_bits(eval(sum(exp(x), axis<0>), cpu{.threads = 3}), s));
  }
}

TEST_CASE("two axes of rows, of which one is kept") {
  auto const x = numbers<tensor<float, 64, 5, 300>>(31);
  auto const s = eval(sum(x * 2.0f, axis<0>));
  auto const t = eval(sum(x * 2.0f, axis<0, 1>));
  int wrong = 0;
  for (extent_t j = 0; j < 300; ++j) {
    double both = 0;
    for (extent_t b = 0; b < 5; ++b) {
      double sum = 0;
      for (extent_t i = 0; i < 64; ++i) sum += 2.0 * static_cast<double>(x(i, b, j));
      wrong += !(std::abs(s(b, j) - sum) < 1e-4);
      both += sum;
    }
    wrong += !(std::abs(t(j) - both) < 2e-4);
  }
  CHECK(wrong == 0);
  divide_all const all;
  CHECK(same_bits(eval(sum(x * 2.0f, axis<0>), cpu{.threads = 4}), s));
  CHECK(same_bits(eval(sum(x * 2.0f, axis<0, 1>), cpu{.threads = 4}), t));
}
