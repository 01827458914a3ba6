// Convolutions and pooling against NumPy. The elements are small integers, which every element type multiplies and adds exactly.
#include "../golden/golden.hpp"

#include <limits>
#include <vector>

using namespace dimity;

namespace {

golden::file const& data() {
  static golden::file const f("convolutions");
  return f;
}
template <class X>
void check(std::string const& name, X const& x) {
  auto const y = eval(x);
  using R = std::remove_cvref_t<decltype(y)>;
  std::vector<std::int64_t> extents;
  for (int i = 0; i < R::rank; ++i) extents.push_back(R::shape_type::at(i));
  CAPTURE(name);
  CHECK(extents == data().at(name).extents);
  golden::check_same(name, golden::span_of(y), data().values<std::int16_t>(name));
}
constexpr convolution_options padded{.padding = 1};

}  // namespace

TEST_CASE_TEMPLATE("convolutions of images", T, float, double, std::int32_t) {
  auto const x = data().get<T, 2, 4, 9, 11>("x");
  auto const w = data().get<T, 6, 4, 3, 3>("w");
  check("plain", conv2d(x, w));
  check("padded", conv2d<padded>(x, w));
  check("strided", conv2d<convolution_options{.stride = 2, .padding = 1}>(x, w));
  check("dilated", conv2d<convolution_options{.padding = 2, .dilation = 2}>(x, w));
  check("uneven", conv2d<convolution_options{.stride = {2, 3}, .padding = {1, 0}, .dilation = {1, 2}}>(x, slice<3, 0, 2>(w)));
  check("grouped", conv2d<convolution_options{.padding = 1, .groups = 2}>(x, slice<1, 0, 2>(w)));
  check("depthwise", conv2d<convolution_options{.padding = 1, .groups = 4}>(x, slice<1, 0, 1>(slice<0, 0, 4>(w))));
  check("pointwise", conv2d(x, slice<3, 0, 1>(slice<2, 0, 1>(w))));
  check("same", conv2d<convolution_options{.stride = 2, .padding = same_padding}>(x, w));
}
TEST_CASE("work behind a convolution of integers is done element by element, and writes no more than the result") {
  auto const check = []<class T>(T) {
    tensor<T, 2, 1, 5, 7> x = reshape<2, 1, 5, 7>(cast<T>(arange<std::int32_t, 70>()));
    tensor<T, 3, 1, 2, 3> const w = ones<T, 3, 1, 2, 3>();
    constexpr std::size_t size = 2 * 3 * 4 * 5;
    std::vector<T> memory(size + 64, T(77));
    view<2, 3, 4, 5>(memory.data()) = conv2d(x, w) * T(2) + T(1);
    tensor<float, 2, 3, 4, 5> const halves = cast<float>(conv2d(x, w)) * 0.5f;
    int wrong = 0;
    for (extent_t n = 0; n < 2; ++n)
      for (extent_t c = 0; c < 3; ++c)
        for (extent_t i = 0; i < 4; ++i)
          for (extent_t j = 0; j < 5; ++j) {
            T sum = 0;
            for (extent_t p = 0; p < 2; ++p)
              for (extent_t q = 0; q < 3; ++q) sum += x(n, 0, i + p, j + q);
            wrong += memory[static_cast<std::size_t>(((n * 3 + c) * 4 + i) * 5 + j)] != sum * 2 + 1 || halves(n, c, i, j) != static_cast<float>(sum) * 0.5f;
          }
    for (std::size_t i = size; i < memory.size(); ++i) wrong += memory[i] != 77;
    CHECK(wrong == 0);
  };
  check(std::int32_t{});
  check(std::int64_t{});
}
TEST_CASE_TEMPLATE("convolutions of signals, and transposes", T, float, double) {
  auto const x = data().get<T, 2, 4, 9, 11>("x");
  auto const w = data().get<T, 6, 4, 3, 3>("w");
  auto const signals = eval(reshape<2, 4, 11>(slice<2, 0, 1>(x)));
  auto const kernels = eval(slice<0, 0, 4>(w));
  check("length", conv1d<convolution_options{.stride = 2, .padding = 1}>(signals, reshape<6, 4, 3>(slice<2, 0, 1>(w))));
  check("transposed", conv_transpose2d(x, slice<1, 0, 2>(kernels)));
  check("transposed_strided", conv_transpose2d<transposed_options{.stride = 2, .padding = 1, .output_padding = 1}>(x, slice<1, 0, 3>(kernels)));
  check("transposed_grouped", conv_transpose2d<transposed_options{.stride = {2, 1}, .padding = 1, .dilation = {1, 2}, .groups = 2}>(x, slice<1, 0, 2>(kernels)));
  check("transposed_length", conv_transpose1d<transposed_options{.stride = 3}>(signals, reshape<4, 2, 3>(slice<2, 0, 1>(slice<1, 0, 2>(kernels)))));
}
TEST_CASE_TEMPLATE("pooling", T, float, double, std::int32_t) {
  auto const x = data().get<T, 2, 4, 9, 11>("x");
  check("max_pool", max_pool2d<2>(x));
  check("max_pool_overlapping", max_pool2d<3, pooling_options{.stride = 2, .padding = 1}>(x));
  check("max_pool_length", max_pool1d<3, pooling_options{.stride = 2, .dilation = 2}>(reshape<2, 4, 11>(slice<2, 0, 1>(x))));
  check("sum_pool", round(avg_pool2d<3, pooling_options{.stride = 2, .padding = 1}>(x) * 9));
}
TEST_CASE_TEMPLATE("the gradient of a largest element goes to the first of them, in vectors as in loops", T, float, double) {
  constexpr auto pooled = [](auto const& x, auto const& t) { return sum(max_pool2d<2>(x) * t); };
  constexpr auto gradient = compile(grad(pooled));
  constexpr auto reference = compile(grad(pooled), scalar);
  // Few different values, so that there are equal ones, an odd row and column left over, and a tail of vectors.
  tensor<T, 3, 2, 7, 43> x = floor(random::uniform<T, 3, 2, 7, 43>(key{1}) * T(3));
  auto const t = eval(random::normal<T, 3, 2, 3, 21>(key{2}));
  x(0, 0, 2, 5) = std::numeric_limits<T>::quiet_NaN();
  x(1, 1, 0, 0) = std::numeric_limits<T>::infinity();
  x(1, 1, 0, 1) = -std::numeric_limits<T>::infinity();
  auto const d = eval(gradient(x, t));
  CHECK(allclose(d, reference(x, t), T(0), T(0)));
  CHECK(d(0, 0, 2, 5) == t(0, 0, 1, 2));
  CHECK(d(1, 1, 0, 0) == t(1, 1, 0, 0));
  CHECK(d(0, 0, 6, 42) == 0);
  auto const y = eval(max_pool2d<2>(x));
  CHECK(std::isnan(y(0, 0, 1, 2)));
  CHECK(static_cast<T>(sum(d)) == doctest::Approx(static_cast<double>(static_cast<T>(sum(t)))).epsilon(1e-4));
}
