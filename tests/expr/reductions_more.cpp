// Softmax, arg-reductions, cumulative ones; integers and truth values; nan, infinities, nothing at all; the error of long sums.
#include "../golden/golden.hpp"

#include <random>

using namespace dimity;

namespace {

golden::file const& data() {
  static golden::file const f("reductions");
  return f;
}

template <class X>
void check(std::string const& key, X const& x, double relative = 0, double absolute = 0) {
  auto const y = eval(x);
  golden::check_close(key, golden::span_of(y), data().as<double>(key), relative, absolute);
}

template <class X>
void check_softmax(std::string const& label, X const& x) {
  check("softmax/" + label + "/0", softmax(x, axis<0>), 1e-6);
  check("softmax/" + label + "/1", softmax(x, axis<1>), 1e-6);
  check("softmax/" + label + "/2", softmax(x, axis<-1>), 1e-6);
  check("softmax/" + label + "/12", softmax(x, axis<1, 2>), 1e-6);
  check("softmax/" + label + "/02", softmax(x, axis<0, 2>), 1e-6);
  check("softmax/" + label + "/012", softmax(x, axis<0, 1, 2>), 1e-6);
  check("log_softmax/" + label + "/0", log_softmax(x, axis<0>), 1e-6, 1e-6);
  check("log_softmax/" + label + "/1", log_softmax(x, axis<1>), 1e-6, 1e-6);
  check("log_softmax/" + label + "/2", log_softmax(x, axis<2>), 1e-6, 1e-6);
  check("log_softmax/" + label + "/01", log_softmax(x, axis<0, 1>), 1e-6, 1e-6);
}
template <class X>
void check_arg(std::string const& label, std::string const& type, X const& x) {
  check("argmax/" + label + "/0" + type, argmax(x, axis<0>));
  check("argmax/" + label + "/1" + type, argmax(x, axis<1>));
  check("argmax/" + label + "/2" + type, argmax(x, axis<-1>));
  check("argmin/" + label + "/0" + type, argmin(x, axis<0>));
  check("argmin/" + label + "/1" + type, argmin(x, axis<1>));
  check("argmin/" + label + "/2" + type, argmin(x, axis<2>));
}

/// Of the integers "k": (name)(axes)(element type).
template <class T>
void check_integers(std::string const& type) {
  tensor<std::int32_t, 2, 3, 33> const k = data().get<std::int32_t, 2, 3, 33>("k/2x3x33");
  tensor<T, 2, 3, 33> x;
  if constexpr (std::is_unsigned_v<T>) x = cast<T>(abs(k));
  else x = cast<T>(k);
  if constexpr (std::is_same_v<T, bool>) x = cast<bool>(k);
  auto const key = [&](char const* name, char const* axes) { return std::string(name) + "/2x3x33/" + axes + "/" + type; };
  using sum_type = std::conditional_t<std::is_unsigned_v<T> && !std::is_same_v<T, bool>, std::uint64_t, std::int64_t>;
  static_assert(std::is_same_v<typename decltype(sum(x))::value_type, sum_type>);
  static_assert(std::is_same_v<typename decltype(mean(x))::value_type, double>);
  static_assert(std::is_same_v<typename decltype(max(x))::value_type, T>);
  check(key("sum", "0"), sum(x, axis<0>));
  check(key("sum", "1"), sum(x, axis<1>));
  check(key("sum", "2"), sum(x, axis<2>));
  check(key("sum", "02"), sum(x, axis<0, 2>));
  check(key("sum", "012"), sum(x));
  check(key("prod", "1"), prod(x, axis<1>));
  check(key("max", "0"), max(x, axis<0>));
  check(key("max", "2"), max(x, axis<2>));
  check(key("min", "1"), min(x, axis<1>));
  check(key("min", "012"), min(x));
  check(key("any", "1"), any(x, axis<1>));
  check(key("all", "0"), all(x, axis<0>));
  check(key("all", "02"), all(x, axis<0, 2>));
  check(key("mean", "2"), mean(x, axis<2>), 1e-15);
}

/// NumPy's pairwise sum: eight accumulators over blocks of up to 128, blocks in a binary tree (numpy/core/src/umath/loops_utils.h.src).
float pairwise_sum(float const* x, std::size_t n) {
  if (n <= 128) {
    float r[8];
    for (std::size_t i = 0; i < 8; ++i) r[i] = x[i];
    std::size_t i = 8;
    for (; i + 8 <= n; i += 8)
      for (std::size_t j = 0; j < 8; ++j) r[j] += x[i + j];
    float s = ((r[0] + r[1]) + (r[2] + r[3])) + ((r[4] + r[5]) + (r[6] + r[7]));
    for (; i < n; ++i) s += x[i];
    return s;
  }
  std::size_t const half = n / 2 - (n / 2) % 8;
  return pairwise_sum(x, half) + pairwise_sum(x + half, n - half);
}

}  // namespace

TEST_CASE("softmax and log_softmax over one and several axes") {
  check_softmax("4x5x6", data().get<float, 4, 5, 6>("x/4x5x6"));
  check_softmax("2x3x33", data().get<float, 2, 3, 33>("x/2x3x33"));
}
TEST_CASE("softmax of large values neither overflows nor loses the sum") {
  tensor<float, 2, 3> const x = {{1000, 1001, 999}, {-1000, -1000, -1000}};
  tensor<float, 2, 3> const y = softmax(x, axis<1>);
  CHECK(allclose(sum(y, axis<1>), ones<float, 2>(), 1e-6));
  CHECK(y(1, 0) == doctest::Approx(1.0 / 3));
  CHECK(eval(logsumexp(x, axis<1>))(0) == doctest::Approx(1001.40760596));
}
TEST_CASE("argmax and argmin give the first of equals") {
  check_arg("4x5x6", "", data().get<float, 4, 5, 6>("x/4x5x6"));
  check_arg("2x3x33", "/int32", data().get<std::int32_t, 2, 3, 33>("k/2x3x33"));
  tensor<float, 2, 3> const x = {{3, 7, 1}, {7, 0, 0}};
  CHECK(std::int64_t(argmax(x)) == 1);
  CHECK(std::int64_t(argmin(x)) == 4);
  CHECK(std::int64_t(argmax(transpose(x))) == 1);
}
TEST_CASE("cumulative sums and products") {
  auto const x = data().get<float, 4, 5, 6>("x/4x5x6");
  check("cumulative_sum/4x5x6/0", cumulative_sum(x, axis<0>), 1e-6, 1e-6);
  check("cumulative_sum/4x5x6/1", cumulative_sum(x, axis<1>), 1e-6, 1e-6);
  check("cumulative_sum/4x5x6/2", cumulative_sum(x, axis<-1>), 1e-6, 1e-6);
  check("cumulative_prod/4x5x6/0", cumulative_prod(x, axis<0>), 1e-6);
  check("cumulative_prod/4x5x6/2", cumulative_prod(x, axis<2>), 1e-6);
  auto const k = data().get<std::int32_t, 2, 3, 33>("k/2x3x33");
  check("cumulative_sum/2x3x33/2/uint8", cumulative_sum(cast<std::uint8_t>(abs(k)), axis<2>));
  check("cumulative_sum/2x3x33/1/uint8", cumulative_sum(cast<std::uint8_t>(abs(k)), axis<1>));
}
TEST_CASE("int32") { check_integers<std::int32_t>("int32"); }
TEST_CASE("uint8") { check_integers<std::uint8_t>("uint8"); }
TEST_CASE("bool") { check_integers<bool>("bool"); }

TEST_CASE("nan and infinities") {
  auto const x = data().get<float, 5, 21>("special/x");
  check("special/sum/1", sum(x, axis<1>), 1e-6, 1e-6);
  check("special/sum/0", sum(x, axis<0>), 1e-6, 1e-6);
  check("special/prod/1", prod(x, axis<1>), 1e-5);
  check("special/max/1", max(x, axis<1>));
  check("special/max/0", max(x, axis<0>));
  check("special/min/1", min(x, axis<1>));
  check("special/min/0", min(x, axis<0>));
  check("special/any/1", any(x, axis<1>));
  check("special/all/0", all(x, axis<0>));
  check("special/mean/1", mean(x, axis<1>), 1e-6, 1e-6);
  check("special/var/1", var(x, axis<1>), 1e-6);
  check("special/norm/1", norm(x, axis<1>), 1e-6);
  check("special/logsumexp/1", logsumexp(x, axis<1>), 1e-6);
  check("special/logsumexp/0", logsumexp(x, axis<0>), 1e-6, 1e-6);
  check("special/argmax/1", argmax(x, axis<1>));
  check("special/argmin/1", argmin(x, axis<1>));
  check("special/softmax/1", softmax(x, axis<1>), 1e-6);
}
TEST_CASE("reductions of nothing") {
  tensor<float, 0> const none;
  CHECK(float(sum(none)) == 0);
  CHECK(float(prod(none)) == 1);
  CHECK(!bool(any(none)));
  CHECK(bool(all(none)));
  CHECK(std::isnan(float(mean(none))));
  tensor<float, 3, 0> const rows;
  CHECK(array_equal(sum(rows, axis<1>), zeros<float, 3>()));
  CHECK(array_equal(prod(rows, axis<1>), ones<float, 3>()));
  CHECK(array_equal(all(rows, axis<1>), tensor<bool, 3>{true, true, true}));
  static_assert(std::is_same_v<decltype(eval(sum(rows, axis<0>))), tensor<float, 0>>);
  CHECK(eval(sum(rows, axis<0>)).size() == 0);
  tensor<std::int32_t, 0, 4> const no_rows;
  CHECK(array_equal(sum(no_rows, axis<0>), zeros<std::int64_t, 4>()));
}
TEST_CASE("one element") {
  tensor<float, 1, 1> const x = {{-3}};
  CHECK(float(sum(x)) == -3);
  CHECK(float(var(x)) == 0);
  CHECK(float(logsumexp(x)) == -3);
  CHECK(std::int64_t(argmax(x)) == 0);
  CHECK(eval(softmax(x, axis<1>))(0, 0) == 1);
}
TEST_CASE("long sums are no less accurate than NumPy's pairwise sum") {
  constexpr extent_t n = 1'000'003;
  tensor<float, n> x;
  std::mt19937 engine(1);
  std::uniform_real_distribution<float> uniform(0, 1);
  double ours = 0, theirs = 0;
  for (int trial = 0; trial < 12; ++trial) {
    double exact = 0;  // 1e6 floats leave 9 bits of a double: exact to 1e-16 relative
    for (float& v : x) exact += static_cast<double>(v = uniform(engine));
    double const a = (static_cast<double>(float(sum(x))) - exact) / exact, b = (static_cast<double>(pairwise_sum(x.data(), x.size())) - exact) / exact;
    ours += a * a;
    theirs += b * b;
  }
  CAPTURE(std::sqrt(ours / 12));
  CAPTURE(std::sqrt(theirs / 12));
  CHECK(ours <= 1.5 * theirs);
}
TEST_CASE("long sums over the first axis") {
  constexpr extent_t n = 100'000;
  tensor<float, n, 5> x;
  std::mt19937 engine(2);
  std::uniform_real_distribution<float> uniform(0, 1);
  double exact[5] = {};
  for (extent_t i = 0; i < n; ++i)
    for (extent_t j = 0; j < 5; ++j) exact[j] += static_cast<double>(x(i, j) = uniform(engine));
  tensor<float, 5> const columns = sum(x, axis<0>);
  for (extent_t j = 0; j < 5; ++j) CHECK(std::fabs(static_cast<double>(columns(j)) - exact[j]) / exact[j] < 1e-4);  // NumPy adds row to row here as well: 3e-5
  float const whole = sum(x);
  double const total = exact[0] + exact[1] + exact[2] + exact[3] + exact[4];
  CHECK(std::fabs(static_cast<double>(whole) - total) / total < 3e-7);
}
