// Tensors from nothing against NumPy.
#include "../golden/golden.hpp"

using namespace dimity;

namespace {

golden::file const& data() {
  static golden::file const f("layout");
  return f;
}
template <class X>
void check(std::string const& name, X const& x) {
  auto const y = eval(x);
  golden::check_same(name, golden::span_of(y), data().values<typename decltype(y)::value_type>(name));
}

}  // namespace

TEST_CASE("eye") {
  check("eye", eye<std::int32_t, 4>());
  check("eye_up", eye<std::int32_t, 3, 5, 2>());
  check("eye_down", eye<std::int32_t, 5, 3, -1>());
  CHECK(array_equal(eye<float, 3>() * 2, tensor<float, 3, 3>{{2, 0, 0}, {0, 2, 0}, {0, 0, 2}}));
}
TEST_CASE("arange and linspace") {
  check("arange", arange<std::int32_t, 19>(3, 2));
  check("arange_float", arange<float, 36>(0.5, 0.25));
  CHECK(array_equal(arange<double, 3>(), tensor<double, 3>{0, 1, 2}));
  auto const near = [](auto const& x, char const* name) { golden::check_close(name, golden::span_of(x), data().as<double>(name), 0, 2e-16); };
  near(eval(linspace<double, 13>(-1, 2)), "linspace");
  near(eval(linspace<double, 101>(0, 1)), "linspace_long");
  CHECK(eval(linspace<float, 1>(3, 7))(0) == 3);
  CHECK(eval(linspace<float, 2>(3, 7))(1) == 7);
  for (float const stop : {1.0f, 0.1f, 3.3f, 1e9f}) CHECK(eval(linspace<float, 11>(0, stop))(10) == stop);
}
TEST_CASE("zeros, ones, full and the like") {
  tensor<float, 2, 3> const x = {{1, 2, 3}, {4, 5, 6}};
  CHECK(array_equal(zeros<float, 2, 3>() + x, x));
  CHECK(array_equal(ones<bool, 2>(), tensor<bool, 2>{true, true}));
  CHECK(array_equal(full<std::int32_t, 2>(7), tensor<std::int32_t, 2>{7, 7}));
  CHECK(array_equal(zeros_like(x), x * 0));
  CHECK(array_equal(ones_like(x), x * 0 + 1));
  CHECK(array_equal(full_like(x, 2.5f), x * 0 + 2.5f));
  static_assert(std::is_same_v<decltype(eval(ones_like(x))), tensor<float, 2, 3>>);
  static_assert(std::is_same_v<decltype(empty<double, 2>()), tensor<double, 2>>);
  static_assert(std::is_same_v<decltype(eval(full<std::int64_t>(3))), tensor<std::int64_t>>);
  CHECK(std::int64_t(full<std::int64_t>((std::int64_t{1} << 60) + 1)) == (std::int64_t{1} << 60) + 1);
}
