#include "on_cuda.hpp"

using namespace dimity;
using test::numbers, test::same_on_cuda, test::same_within;

namespace {
constexpr auto plain = [](auto const& x, auto const& w) { return conv2d(x, w); };
constexpr auto odd = [](auto const& x, auto const& w) { return conv2d<convolution_options{.stride = {2, 1}, .padding = {1, 2}, .dilation = {1, 2}, .groups = 2}>(x, w); };
constexpr auto odd_loss = [](auto const& x, auto const& w) { return sum(square(odd(x, w))); };
}  // namespace

TEST_CASE("cuda: convolutions and their gradients") {
  same_on_cuda(plain, numbers<float, 2, 3, 7, 9>(1), numbers<float, 4, 3, 3, 3>(2));
  same_on_cuda(vmap(plain), numbers<float, 3, 2, 3, 5, 6>(1), numbers<float, 3, 4, 3, 3, 3>(2));
  same_on_cuda(odd, numbers<float, 2, 4, 8, 9>(1), numbers<float, 6, 2, 3, 2>(2));
  same_within(1e-4, grad<0, 1>(odd_loss), numbers<float, 2, 4, 8, 9>(1), numbers<float, 6, 2, 3, 2>(2));
  same_on_cuda([](auto const& x, auto const& w, auto const& b) { return relu(conv2d(x, w) + b); }, numbers<double, 1, 2, 6, 6>(1), numbers<double, 3, 2, 3, 3>(2), numbers<double, 3, 1, 1>(3));
}

TEST_CASE("cuda: windows") {
  tensor<float, 2, 3, 9, 8> x = numbers<float, 2, 3, 9, 8>(1);
  x(0, 1, 4, 4) = std::numeric_limits<float>::quiet_NaN();
  auto const pools = [](auto const& v) { return std::tuple{max_pool2d<2>(v), avg_pool2d<2>(v)}; };
  same_on_cuda(pools, x);
  auto const loss = [](auto const& v) { return sum(square(max_pool2d<3, pooling_options{.stride = 2, .padding = 1}>(v))); };
  same_on_cuda(grad(loss), numbers<float, 2, 3, 9, 8>(1));
  same_on_cuda([](auto const& v, auto const& t) { return jvp([](auto const& u) { return max_pool2d<2>(u); }, std::tuple{v}, std::tuple{t}); }, numbers<float, 2, 3, 9, 8>(1), numbers<float, 2, 3, 9, 8>(2));
}
