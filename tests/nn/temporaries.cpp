#include <dimity/dimity.hpp>
#include <doctest/doctest.h>
using namespace dimity;
// Expressions that are kept own the temporaries that layers were given.
template <class Layer, class X>
void check_kept(Layer const& layer, X const& x) {
  auto const wanted = eval(layer(x));
  auto const kept = layer(X(x));
  auto const other = eval(x + x);  // takes the memory that a temporary gave back
  CHECK(allclose(eval(kept), wanted));
  CHECK(other.size() == x.size());
}
TEST_CASE("layers own the temporaries they are given") {
  auto const x = random::normal<float, 4, 12, 16>(key{2});
  check_kept(nn::init<nn::linear<float, 16, 8>>(key{1}), x);
  check_kept(nn::init<nn::linear_without_bias<float, 16, 8>>(key{1}), x);
  check_kept(nn::init<nn::layer_norm<float, 16>>(key{1}), x);
  check_kept(nn::init<nn::rms_norm<float, 16>>(key{1}), x);
  check_kept(nn::init<nn::multi_head_attention<float, 16, 2>>(key{1}), x);
  check_kept(nn::init<nn::residual<nn::linear<float, 16, 16>>>(key{1}), x);
  check_kept(nn::init<nn::conv2d<float, 4, 3, 3>>(key{1}), x);
  check_kept(nn::init<nn::embedding<float, 10, 16>>(key{1}), eval(random::integers<std::int32_t, 400>(key{3}, 0, 10)));
  check_kept(nn::init<nn::conv2d_without_bias<float, 4, 3, 3>>(key{1}), x);
  check_kept(nn::init<nn::conv_transpose2d<float, 4, 3, 3>>(key{1}), x);
  check_kept(nn::init<nn::conv_transpose1d<float, 12, 3, 3>>(key{1}), x);
  check_kept(nn::init<nn::conv1d<float, 12, 3, 3>>(key{1}), x);
}
