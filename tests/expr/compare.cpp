#include "../golden/golden.hpp"

using namespace dimity;

TEST_CASE("allclose") {
  float const inf = std::numeric_limits<float>::infinity(), nan = std::numeric_limits<float>::quiet_NaN();
  tensor<float, 3> const x = {1, -2, inf};
  CHECK(allclose(x, x));
  CHECK(allclose(x * 1.000001f, x));
  CHECK(!allclose(x * 1.001f, x));
  CHECK(allclose(x * 1.001f, x, 1e-2));
  CHECK(!allclose(x, -x));
  CHECK(!allclose(x, tensor<float, 3>{1, -2, 3e38f}));
  CHECK(!allclose(tensor<float, 3>{1, -2, 3e38f}, x));
  CHECK(allclose(tensor<float, 2>{0, 1}, tensor<float, 2>{5e-9f, 1}));
  CHECK(!allclose(tensor<float, 2>{0, 1}, tensor<float, 2>{5e-9f, 1}, 1e-5, 1e-9));
  tensor<float, 2> const y = {nan, 1};
  CHECK(!allclose(y, y));
  CHECK(allclose(y, y, 1e-5, 1e-8, true));
  CHECK(!allclose(y, tensor<float, 2>{1, 1}, 1e-5, 1e-8, true));
}
TEST_CASE("allclose broadcasts, promotes and takes integers") {
  tensor<double, 2, 2> const x = {{1, 2}, {1, 2}};
  CHECK(allclose(x, tensor<float, 2>{1, 2}));
  CHECK(allclose(tensor<std::int32_t, 2>{1, 2}, tensor<std::int32_t, 2>{1, 2}));
  CHECK(!allclose(tensor<std::int32_t, 2>{1, 2}, tensor<std::int32_t, 2>{1, 3}));
  CHECK(allclose(x, tensor<std::int64_t, 2>{1, 2}));
}
TEST_CASE("array_equal") {
  tensor<float, 3> const x = {1, -0.0f, 3};
  CHECK(array_equal(x, x));
  CHECK(array_equal(x, tensor<float, 3>{1, 0, 3}));
  CHECK(!array_equal(x, tensor<float, 3>{1, 0, 4}));
  CHECK(!array_equal(x, tensor<float, 1, 3>{{1, 0, 3}}));
  CHECK(!array_equal(tensor<float, 1>{std::numeric_limits<float>::quiet_NaN()}, tensor<float, 1>{std::numeric_limits<float>::quiet_NaN()}));
  CHECK(array_equal(tensor<bool, 20>(), zeros<bool, 20>()));
  tensor<bool, 20> t;
  t = true;
  CHECK(array_equal(t, ones<bool, 20>()));
  CHECK(!array_equal(t, zeros<bool, 20>()));
}
