// Reductions over every set of axes against NumPy, which computed in float64.
#include "../golden/golden.hpp"

using namespace dimity;

namespace {

golden::file const& data() {
  static golden::file const f("reductions");
  return f;
}

/// f(x, axes) for every set of axes of a tensor of rank 3.
template <class X, class F>
void check_axes(std::string const& name, std::string const& label, X const& x, double relative, double absolute, F f) {
  auto const check = [&](std::string const& axes, auto set) {
    auto const y = eval(f(x, set));
    std::string const key = name + "/" + label + "/" + axes;
    golden::check_close(key, golden::span_of(y), data().as<double>(key), relative, absolute);
  };
  check("0", axis<0>);
  check("1", axis<-2>);
  check("2", axis<2>);
  check("01", axis<0, 1>);
  check("02", axis<-1, 0>);
  check("12", axis<1, 2>);
  check("012", axis<0, 1, 2>);
}
template <class T>
auto x456() {
  return data().get<T, 4, 5, 6>("x/4x5x6");
}

auto const sum_of = [](auto const& x, auto a) { return sum(x, a); };
auto const max_of = [](auto const& x, auto a) { return max(x, a); };
auto const variance_of = [](auto const& x, auto a) { return var(x, a); };
auto const logsumexp_of = [](auto const& x, auto a) { return logsumexp(x, a); };

}  // namespace

TEST_CASE("floats over all sets of axes") {
  auto const x = x456<float>();
  check_axes("sum", "4x5x6", x, 1e-6, 1e-6, sum_of);
  check_axes("prod", "4x5x6", x, 1e-5, 0, [](auto const& x, auto a) { return prod(x, a); });
  check_axes("max", "4x5x6", x, 0, 0, max_of);
  check_axes("min", "4x5x6", x, 0, 0, [](auto const& x, auto a) { return min(x, a); });
  check_axes("any", "4x5x6", x, 0, 0, [](auto const& x, auto a) { return any(x, a); });
  check_axes("all", "4x5x6", x, 0, 0, [](auto const& x, auto a) { return all(x, a); });
  check_axes("mean", "4x5x6", x, 1e-6, 1e-6, [](auto const& x, auto a) { return mean(x, a); });
  check_axes("var", "4x5x6", x, 2e-6, 0, variance_of);
  check_axes("std", "4x5x6", x, 2e-6, 0, [](auto const& x, auto a) { return dimity::std(x, a); });
  check_axes("norm", "4x5x6", x, 1e-6, 0, [](auto const& x, auto a) { return norm(x, a); });
  check_axes("logsumexp", "4x5x6", x, 1e-6, 0, logsumexp_of);
}
TEST_CASE("doubles over all sets of axes") {
  auto const x = x456<double>();
  check_axes("sum", "4x5x6", x, 1e-14, 1e-14, sum_of);
  check_axes("var", "4x5x6", x, 1e-14, 0, variance_of);
  check_axes("logsumexp", "4x5x6", x, 1e-14, 0, logsumexp_of);
}
TEST_CASE("an axis of extent 1, and rows with an odd tail") {
  auto const narrow = data().get<float, 3, 1, 17>("x/3x1x17");
  check_axes("sum", "3x1x17", narrow, 1e-6, 1e-6, sum_of);
  check_axes("max", "3x1x17", narrow, 0, 0, max_of);
  auto const odd = data().get<float, 2, 3, 33>("x/2x3x33");
  check_axes("sum", "2x3x33", odd, 1e-6, 2e-6, sum_of);
  check_axes("max", "2x3x33", odd, 0, 0, max_of);
  check_axes("var", "2x3x33", odd, 2e-6, 0, variance_of);
}
TEST_CASE("keep_dims keeps the reduced axes with extent 1") {
  auto const x = x456<float>();
  static_assert(std::is_same_v<decltype(eval(sum(x, axis<1>, keep_dims))), tensor<float, 4, 1, 6>>);
  static_assert(std::is_same_v<decltype(eval(sum(x, axis<0, 2>, keep_dims))), tensor<float, 1, 5, 1>>);
  static_assert(std::is_same_v<decltype(eval(sum(x, keep_dims))), tensor<float, 1, 1, 1>>);
  static_assert(std::is_same_v<decltype(eval(sum(x))), tensor<float>>);
  check_axes("sum", "4x5x6", x, 1e-6, 1e-6, [](auto const& x, auto a) { return sum(x, a, keep_dims); });
  check_axes("logsumexp", "4x5x6", x, 1e-6, 0, [](auto const& x, auto a) { return logsumexp(x, a, keep_dims); });
  CHECK(array_equal(max(x, axis<1>, keep_dims), expand_dims<1>(max(x, axis<1>))));
  CHECK(array_equal(argmax(x, axis<1>, keep_dims), expand_dims<1>(argmax(x, axis<1>))));
  CHECK(allclose(mean(x - mean(x, axis<2>, keep_dims), axis<2>), zeros<float, 4, 5>(), 0, 1e-6));
}
TEST_CASE("without axes, over everything") {
  auto const x = x456<float>();
  auto const want = [](char const* name) { return data().as<double>(std::string(name) + "/4x5x6/012")[0]; };
  CHECK(double(float(sum(x))) == doctest::Approx(want("sum")).epsilon(1e-6));
  CHECK(double(float(prod(x))) == want("prod"));
  CHECK(double(float(max(x))) == want("max"));
  CHECK(double(float(min(x))) == want("min"));
  CHECK(bool(any(x)) == true);
  CHECK(bool(all(x)) == false);
  CHECK(double(float(mean(x))) == doctest::Approx(want("mean")).epsilon(1e-6));
  CHECK(double(float(var(x))) == doctest::Approx(want("var")).epsilon(1e-6));
  CHECK(double(float(dimity::std(x))) == doctest::Approx(want("std")).epsilon(1e-6));
  CHECK(double(float(norm(x))) == doctest::Approx(want("norm")).epsilon(1e-6));
  CHECK(double(float(logsumexp(x))) == doctest::Approx(want("logsumexp")).epsilon(1e-6));
  CHECK(double(float(var<1>(x))) == doctest::Approx(want("var") * 120 / 119).epsilon(1e-6));
  float const total = sum(x * 2);  // a rank-0 expression is its scalar
  CHECK(total == doctest::Approx(2 * want("sum")).epsilon(1e-6));
}
