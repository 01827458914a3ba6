// layer_norm and rms_norm: NumPy's values, large means, nan, gradients, batches of any size, and one loop nest for all of it.
#include <dimity/dimity.hpp>
#include <dimity/plan/facts.hpp>
#include <dimity/transform/check_gradients.hpp>
#include <doctest/doctest.h>

#include <limits>

#include "../golden/golden.hpp"

using namespace dimity;

namespace {

golden::file const& data() {
  static golden::file const f("layers");
  return f;
}
constexpr auto apply = [](auto const& layer, auto const& x) { return layer(x); };
constexpr auto loss = [](auto const& layer, auto const& x) { return sum(square(layer(x)) * (1.0 + sin(x))); };

constexpr nn::normalization_options large{.eps = 1e-3};

template <class T>
void check_values(double tolerance) {
  auto const x = data().get<T, 3, 4, 5>("norm/x");
  nn::layer_norm<T, 5> const row{data().get<T, 5>("norm/row/weight"), data().get<T, 5>("norm/row/bias")};
  nn::layer_norm<T, 4, 5> const matrix{data().get<T, 4, 5>("norm/matrix/weight"), data().get<T, 4, 5>("norm/matrix/bias")};
  CHECK(allclose(row(x), data().get<T, 3, 4, 5>("norm/row/layer"), tolerance, tolerance));
  CHECK(allclose(matrix(x), data().get<T, 3, 4, 5>("norm/matrix/layer"), tolerance, tolerance));
  CHECK(allclose(nn::rms_norm<T, 5, large>{row.weight}(x), data().get<T, 3, 4, 5>("norm/row/rms"), tolerance, tolerance));
  CHECK(allclose(nn::rms_norm<T, 4, 5, large>{matrix.weight}(x), data().get<T, 3, 4, 5>("norm/matrix/rms"), tolerance, tolerance));
  CHECK(allclose(compile(apply)(row, x), row(x)));
}

}  // namespace

TEST_CASE("NumPy's values") {
  check_values<double>(1e-14);
  check_values<float>(2e-5);
}
TEST_CASE("no batch, one batch axis, and a batch chosen at run time") {
  auto const x = data().get<double, 3, 4, 5>("norm/x");
  nn::layer_norm<double, 5> const layer{data().get<double, 5>("norm/row/weight"), data().get<double, 5>("norm/row/bias")};
  auto const expected = data().get<double, 3, 4, 5>("norm/row/layer");
  tensor<double, 4, 5> const rows = layer(row(x, 1));
  tensor<double, 5> const one = layer(row(row(x, 1), 3));
  CHECK(allclose(rows, row(expected, 1)));
  CHECK(allclose(one, row(row(expected, 1), 3)));
  for (extent_t const n : {0, 1, 3}) {
    tensor<double, dim<"batch">, 4, 5> some(n);
    std::copy_n(x.data(), some.size(), some.data());
    auto const y = compile(apply)(layer, some);
    CHECK(y.extent(0) == static_cast<std::size_t>(n));
    for (extent_t i = 0; i < n; ++i) CHECK(allclose(row(y, i), row(expected, i)));
  }
}
TEST_CASE("parameters start at one and zero") {
  auto const layer = nn::init<nn::layer_norm<float, 2, 3>>(key{1});
  CHECK(array_equal(layer.weight, ones<float, 2, 3>()));
  CHECK(array_equal(layer.bias, zeros<float, 2, 3>()));
  CHECK(array_equal(nn::init<nn::rms_norm<float, 3>>(key{1}).weight, ones<float, 3>()));
  CHECK(parameter_count(layer) == 12);
}
TEST_CASE("a large mean costs no accuracy, a constant row gives the bias, nan stays in its row") {
  auto const layer = nn::init<nn::layer_norm<float, 4>>(key{1});
  tensor<float, 4> const far = layer(tensor<float, 4>{4096, 4097, 4098, 4099}), near = layer(tensor<float, 4>{0, 1, 2, 3});
  CHECK(allclose(far, near));
  tensor<float, 4> const flat = layer(full<float, 4>(7.0f));
  CHECK(array_equal(flat, zeros<float, 4>()));
  constexpr float nan = std::numeric_limits<float>::quiet_NaN();
  tensor<float, 2, 4> const some = layer(tensor<float, 2, 4>{{0, nan, 2, 3}, {0, 1, 2, 3}});
  CHECK((some(0, 0) != some(0, 0) && some(0, 3) != some(0, 3)));
  CHECK(allclose(row(some, 1), near));
}
TEST_CASE("gradients agree with differences") {
  auto const x = data().get<double, 3, 4, 5>("norm/x");
  CHECK(check_gradients(loss, nn::layer_norm<double, 5>{data().get<double, 5>("norm/row/weight"), data().get<double, 5>("norm/row/bias")}, row(x, 0)));
  CHECK(check_gradients(loss, nn::layer_norm<double, 4, 5>{data().get<double, 4, 5>("norm/matrix/weight"), data().get<double, 4, 5>("norm/matrix/bias")}, x));
  CHECK(check_gradients(loss, nn::rms_norm<double, 5>{data().get<double, 5>("norm/row/weight")}, x));
}
TEST_CASE("vmap, with one layer and with one for each entry") {
  auto const x = data().get<double, 3, 4, 5>("norm/x");
  nn::layer_norm<double, 5> const layer{data().get<double, 5>("norm/row/weight"), data().get<double, 5>("norm/row/bias")};
  tensor<double, 3, 4, 5> const y = vmap<whole, mapped>(apply)(layer, x);
  CHECK(allclose(y, layer(x)));
  std::array<nn::layer_norm<double, 5>, 3> layers{layer, layer, layer};
  for (auto& e : layers[2].weight) e *= 2;
  tensor<double, 3, 4, 5> const own = vmap<mapped, mapped>(apply)(stack_trees(layers), x);
  CHECK(allclose(row(own, 1), layer(row(x, 1))));
  CHECK(allclose(row(own, 2), layers[2](row(x, 2))));
}
TEST_CASE("plans: forwards one loop nest that reads and writes each row once, with what is around it, backwards one for all rows") {
  using x_t = tensor<float, 32, 64>;
  constexpr auto& forward = compile(apply).plan<nn::layer_norm<float, 64>, x_t>;
  static_assert(step_count(forward) == 1 && kernel_count(forward) == 1 && passes(forward) == 2);
  static_assert(bytes_read(forward) == 4 * (32 * 64 + 2 * 64) && bytes_written(forward) == 4 * 32 * 64);
  constexpr auto& matrix = compile(apply).plan<nn::layer_norm<float, 4, 16>, tensor<float, 32, 4, 16>>;
  static_assert(step_count(matrix) == 1 && passes(matrix) == 2);
  constexpr auto& rms = compile(apply).plan<nn::rms_norm<float, 64>, x_t>;
  static_assert(step_count(rms) == 1 && passes(rms) == 2);
  constexpr auto block = [](auto const& layer, auto const& x, auto const& y) { return gelu(layer(x + y)); };
  constexpr auto& around = compile(block).plan<nn::layer_norm<float, 64>, x_t, x_t>;
  static_assert(step_count(around) == 1 && passes(around) == 3);
  constexpr auto& backward = compile(grad<0, 1>([](auto const& layer, auto const& x) { return sum(square(layer(x))); })).plan<nn::layer_norm<float, 64>, x_t>;
  static_assert(step_count(backward) == 1 && passes(backward) == 2);
  CHECK(kernel_count(forward) == 1);
}
