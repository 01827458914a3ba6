// debug::print and debug::check_finite inside compiled functions: what they show, when, and that nothing else changes.
#include <dimity/debug.hpp>
#include <dimity/dimity.hpp>
#include <dimity/plan/facts.hpp>

#include <doctest/doctest.h>

#include <cstdio>
#include <string>
#include <unistd.h>

using namespace dimity;

namespace {

/// What f writes to stdout.
template <class F>
std::string written_by(F const& f) {
  std::fflush(stdout);
  std::FILE* const file = std::tmpfile();
  int const own = dup(1);
  dup2(fileno(file), 1);
  f();
  std::fflush(stdout);
  dup2(own, 1);
  close(own);
  std::rewind(file);
  std::string text;
  for (int c; (c = std::fgetc(file)) != EOF;) text += static_cast<char>(c);
  std::fclose(file);
  return text;
}

constexpr auto shown = [](auto const& x) {
  auto y = debug::print(square(x), "y");
  return sum(y);
};
constexpr auto checked = [](auto const& x) { return sum(debug::check_finite(log(x), "log x")); };
constexpr auto in_a_loop = [](auto const& x) {
  return std::get<0>(scan([](auto const& h, auto const& e) { return std::tuple{debug::print(h + e, "h"), std::tuple<>{}}; }, zeros<double>() + 0.0 * sum(x), x));
};

}  // namespace

TEST_CASE("a value is printed when it is computed") {
  tensor<double, 2> const x = {1, 3};
  CHECK(written_by([&] { CHECK(double(compile(shown)(x)) == 10); }) == "y = [1. 9.]\n");
  CHECK(written_by([&] { CHECK(allclose(grad(shown)(x), 2.0 * x)); }) == "");  // of a sum's gradient nothing needs y
  CHECK(written_by([&] {
          auto const [value, slope] = value_and_grad(shown)(x);
          CHECK(double(value) == 10);
          CHECK(allclose(slope, 2.0 * x));
        }) == "y = [1. 9.]\n");
  CHECK(written_by([&] { (void)eval(vmap(shown)(tensor<double, 2, 1>{{1}, {2}})); }) == "y =\n[[1.]\n [4.]]\n");
  CHECK(written_by([&] { (void)debug::print(x + 1.0, "now"); }) == "now = [2. 4.]\n");
  CHECK(written_by([&] { (void)compile(shown)(tensor<double, dyn>(x)); }) == "y = [1. 9.]\n");
}
TEST_CASE("in a loop each iteration prints") {
  CHECK(written_by([] { CHECK(double(compile(in_a_loop)(tensor<double, 3>{1, 2, 3})) == 6); }) == "h = 1.0\nh = 3.0\nh = 6.0\n");
}
TEST_CASE("what is not finite is found, with its place") {
  tensor<double, 2, 3> x = {{1, 2, 3}, {4, 5, 6}};
  CHECK(double(compile(checked)(x)) == doctest::Approx(std::log(720.0)));
  x(1, 0) = -1;
  x(1, 2) = 0;
  try {
    (void)compile(checked)(x);
    CHECK(false);
  } catch (finite_error const& e) {
    CHECK(std::string(e.what()) == "check_finite: log x has 1 nan and 1 inf among 6 elements, the first at [1, 0]");
  }
  x = 2.0;
  CHECK(allclose(grad(checked)(x), full_like(x, 0.5)));
}
