// Convolutional layers: their gradients, under vmap, with a batch chosen at run time, and in plans.
// heavy: many compiled derivatives
#include <dimity/dimity.hpp>
#include <dimity/plan/facts.hpp>
#include <dimity/transform/check_gradients.hpp>
#include <doctest/doctest.h>

#include "allocations.hpp"

using namespace dimity;

namespace {

/// [.., 1, 8, 8] -> [.., 5]
template <class T>
struct network {
  nn::conv2d<T, 1, 3, 3, convolution_options{.padding = 1}> first;
  nn::conv2d_without_bias<T, 3, 4, size_2d{3, 2}, convolution_options{.padding = 1}> second;
  nn::linear<T, 40, 5> output;
  constexpr auto operator()(auto const& x) const {
    auto const h = max_pool2d<2>(relu(first(x)));
    auto const y = avg_pool2d<size_2d{2, 1}>(tanh(second(h)));
    return output(reshape<6, 40>(y));
  }
};
constexpr auto network_loss = [](auto const& model, auto const& x, auto const& labels) { return mean(nn::cross_entropy(model(x), labels)); };

constexpr auto layer = [](auto const& w, auto const& b, auto const& x) { return relu(conv2d<convolution_options{.padding = 1}>(x, w) + expand_dims<1, 2>(b)); };
constexpr auto loss = [](auto const& w, auto const& b, auto const& x) { return sum(square(layer(w, b, x))); };

}  // namespace

TEST_CASE("gradients of layers agree with differences") {
  auto const conv = [](auto const& l, auto const& x) { return sum(square(l(x))); };
  CHECK(check_gradients(conv, nn::init<nn::conv2d<double, 2, 4, size_2d{3, 2}, convolution_options{.stride = {1, 2}, .padding = 1, .groups = 2}>>(key{1}), random::normal<double, 2, 2, 5, 6>(key{2})));
  CHECK(check_gradients(conv, nn::init<nn::conv1d<double, 3, 2, 3, convolution_options{.dilation = 2}>>(key{3}), random::normal<double, 2, 3, 9>(key{4})));
  CHECK(check_gradients(conv, nn::init<nn::conv_transpose2d<double, 2, 3, 3, transposed_options{.stride = 2, .padding = 1, .output_padding = 1}>>(key{5}), random::normal<double, 1, 2, 3, 4>(key{6})));
  CHECK(check_gradients(conv, nn::init<nn::conv_transpose1d<double, 2, 4, 3, transposed_options{.stride = 2, .groups = 2}>>(key{7}), random::normal<double, 2, 2, 4>(key{8})));
}
TEST_CASE("a network's gradient agrees with differences, and training lowers its loss") {
  auto const x = eval(random::normal<double, 6, 1, 8, 8>(key{1}));
  tensor<std::int32_t, 6> const labels = {0, 1, 2, 3, 4, 0};
  auto model = nn::init<network<double>>(key{2});
  CHECK(check_gradients([](auto const& m, auto const& images) { return sum(square(m(images))); }, model, x));
  auto state = optim::adam(model, {.learning_rate = 1e-2});
  constexpr auto step = compile([](auto m, auto s, auto const& images, auto const& l) {
    auto const [value, gradient] = value_and_grad(network_loss)(m, images, l);
    auto const [next, next_state] = optim::update(s, m, gradient);
    return std::tuple{next, next_state, value};
  });
  double first = 0, value = 0;
  for (int i = 0; i < 60; ++i) {
    std::tie(model, state, value) = step(std::move(model), std::move(state), x, labels);
    if (i == 0) first = value;
  }
  CHECK(value < 0.1 * first);
}
TEST_CASE("one program for every batch") {
  auto const w = random::normal<double, 3, 2, 3, 3>(key{1});
  auto const b = random::normal<double, 3>(key{2});
  auto const all = eval(random::normal<double, 5, 2, 6, 7>(key{3}));
  auto const expected = compile(grad<0, 1>(loss))(w, b, all);
  constexpr auto gradient = compile(grad<0, 1>(loss));
  for (extent_t const n : {0, 1, 3, 5}) {
    tensor<double, dyn, 2, 6, 7> x(n);
    std::copy_n(all.data(), x.size(), x.data());
    auto const [gw, gb] = gradient(w, b, x);
    tensor<double, 3, 2, 3, 3> sum_w = zeros<double, 3, 2, 3, 3>();
    for (extent_t i = 0; i < n; ++i) {
      tensor<double, 1, 2, 6, 7> one(uninitialized);
      std::copy_n(all.data() + i * 84, 84, one.data());
      sum_w += std::get<0>(gradient(w, b, one));
    }
    CHECK(allclose(gw, sum_w, 1e-12, 1e-12));
    if (n == 5) CHECK(allclose(gb, std::get<1>(expected), 1e-12, 1e-12));
  }
}
TEST_CASE("under vmap: images, kernels, and gradients of each image") {
  auto const ws = eval(random::normal<double, 4, 3, 2, 3, 3>(key{1}));
  auto const b = eval(random::normal<double, 3>(key{2}));
  auto const xs = eval(random::normal<double, 4, 2, 2, 5, 6>(key{3}));
  auto const entry_x = [&](int i) {
    tensor<double, 2, 2, 5, 6> x(uninitialized);
    std::copy_n(xs.data() + i * 120, 120, x.data());
    return x;
  };
  auto const entry_w = [&](int i) {
    tensor<double, 3, 2, 3, 3> w(uninitialized);
    std::copy_n(ws.data() + i * 54, 54, w.data());
    return w;
  };
  auto const both = compile(vmap<mapped, whole, mapped>(layer))(ws, b, xs);
  auto const kernels = compile(vmap<mapped, whole, whole>(layer))(ws, b, entry_x(0));
  auto const images = compile(vmap<whole, whole, mapped>(layer))(entry_w(0), b, xs);
  auto const gradients = compile(vmap<whole, whole, mapped>(grad(loss)))(entry_w(0), b, xs);
  constexpr auto own = compile(layer);
  constexpr auto own_gradient = compile(grad(loss));
  for (int i = 0; i < 4; ++i) {
    std::size_t const size = 2 * 3 * 5 * 6;
    auto const same = [&](auto const& all, auto const& one) { return allclose(view<2, 3, 5, 6>(all.data() + static_cast<std::size_t>(i) * size), one, 1e-12, 1e-12); };
    CHECK(same(both, own(entry_w(i), b, entry_x(i))));
    CHECK(same(kernels, own(entry_w(i), b, entry_x(0))));
    CHECK(same(images, own(entry_w(0), b, entry_x(i))));
    CHECK(allclose(view<3, 2, 3, 3>(gradients.data() + i * 54), own_gradient(entry_w(0), b, entry_x(i)), 1e-12, 1e-12));
  }
}
TEST_CASE("plans: bias and activation run in the convolution's epilogue") {
  using w_t = tensor<float, 8, 4, 3, 3>;
  using b_t = tensor<float, 8>;
  using x_t = tensor<float, 16, 4, 12, 12>;
  constexpr auto& forward = compile(layer).plan<w_t, b_t, x_t>;
  static_assert(contraction_count(forward) == 1 && epilogue_count(forward) == 1 && kernel_count(forward) == 0);
  constexpr auto& backward = compile(grad<0, 1>(loss)).plan<w_t, b_t, x_t>;
  // The kernel's gradient, of another shape than the product that it is, is written where it goes.
  static_assert(contraction_count(backward) == 2 && epilogue_count(backward) == 0 && step_count(backward) == 4);
  static_assert(contraction_flops(forward) == 2LL * 16 * 8 * 12 * 12 * 4 * 9);
}
TEST_CASE("values are those of the plain loops, and nothing is allocated") {
  auto const w = eval(random::normal<float, 8, 4, 3, 3>(key{1}));
  auto const b = eval(random::normal<float, 8>(key{2}));
  auto const x = eval(random::normal<float, 2, 4, 12, 12>(key{3}));
  CHECK(allclose(eval(layer(w, b, x)), eval(layer(w, b, x), scalar), 1e-4, 1e-4));
  constexpr auto total = compile(loss);
  (void)total(w, b, x);
  std::size_t const before = test::allocation_count();
  tensor<float> const value = total(w, b, x);
  CHECK(test::allocation_count() == before);
  CHECK(static_cast<float>(value) > 0);
}
