// A value that a loop is given and that is also read in place after it, by one kernel only: it must be stored before the loop, whatever else the planner moves.
#include <doctest/doctest.h>

#include <dimity/dimity.hpp>

#include <cmath>

namespace {

using namespace dimity;

constexpr auto before_and_after = [](auto const& x) {
  auto const a = exp(x);
  auto const r = fori_loop(0, 3, [](auto const&, auto const& state, auto const& given) { return state * 0.5f + given; }, x, a);
  return std::tuple(a, a * r);
};
constexpr auto branch_and_after = [](auto const& x, auto const& flag) {
  auto const a = exp(x);
  auto const r = cond(flag, [](auto const& given) { return given + 1.0f; }, [](auto const& given) { return given * given; }, a);
  return std::tuple(a, a * r);
};

}  // namespace

TEST_CASE("what a loop or a branch is given is there when it begins") {
  tensor<float, 5, 7> x;
  for (int i = 0; i < 35; ++i) x.data()[i] = 0.1f * static_cast<float>(i) - 1;
  auto const [a, y] = compile(before_and_after)(x);
  auto const [b, z] = compile(branch_and_after)(x, tensor<bool>(true));
  auto const [c, w] = compile(branch_and_after)(x, tensor<bool>(false));
  for (int i = 0; i < 35; ++i) {
    float const e = std::exp(x.data()[i]);
    CHECK(a.data()[i] == doctest::Approx(e));
    CHECK(y.data()[i] == doctest::Approx(e * (e * (1 + 0.5f + 0.25f) + x.data()[i] / 8)));
    CHECK(z.data()[i] == doctest::Approx(e * (e + 1)));
    CHECK(w.data()[i] == doctest::Approx(e * e * e));
  }
}
