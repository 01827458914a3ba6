// Attention with several heads: against the formula written out, its gradients, causality, and training.
// heavy: many compiled derivatives
#include <dimity/dimity.hpp>
#include <dimity/transform/check_gradients.hpp>
#include <doctest/doctest.h>

using namespace dimity;

namespace {

using layer_type = nn::multi_head_attention<double, 12, 3>;
auto const layer = nn::init<layer_type>(key{1});
auto const queries = eval(random::normal<double, 2, 5, 12>(key{2}));
auto const keys = eval(random::normal<double, 2, 7, 12>(key{3}));
auto const values = eval(random::normal<double, 2, 7, 12>(key{4}));

}  // namespace

TEST_CASE("each head attends with its part of the embedding") {
  tensor<double, 2, 5, 12> const y = layer(queries, keys, values);
  tensor<double, 2, 5, 12> joined = zeros<double, 2, 5, 12>();
  auto const q = eval(layer.query(queries));
  auto const k = eval(layer.key(keys));
  auto const v = eval(layer.value(values));
  for (int h = 0; h < 3; ++h) {
    auto const part = [h](auto const& x) { return eval(dynamic_slice<2, 4>(x, 4 * h)); };
    auto const of_head = eval(matmul(softmax(matmul(part(q), swap_axes<-2, -1>(part(k))) * 0.5, axis<-1>), part(v)));
    joined = dynamic_update_slice<2>(joined, of_head, 4 * h);
  }
  CHECK(allclose(y, layer.output(joined), 1e-12, 1e-12));
}
TEST_CASE("a causal layer's result does not depend on what comes later, a mask shuts keys out") {
  using causal_type = nn::multi_head_attention<double, 12, 3, attention_options{.causal = true}>;
  causal_type const causal{layer.query, layer.key, layer.value, layer.output};
  tensor<double, 2, 7, 12> later = keys;
  for (int b = 0; b < 2; ++b)
    for (int i = 0; i < 12; ++i) later(b, 6, i) = 9;
  auto const before = eval(causal(keys)), after = eval(causal(later));
  CHECK(allclose(slice<1, 0, 6>(before), slice<1, 0, 6>(after), 1e-12, 1e-12));
  CHECK(!allclose(before, after, 1e-3, 1e-3));
  tensor<bool, 7> mask = {true, true, true, true, true, true, false};
  CHECK(allclose(layer(queries, keys, keys, mask), layer(queries, later, later, mask), 1e-12, 1e-12));
}
TEST_CASE("gradients of the layer agree with differences") {
  CHECK(check_gradients([](auto const& l, auto const& x) { return sum(square(l(x))); }, layer, queries));
}
TEST_CASE("one program for every batch") {
  constexpr auto f = compile([](auto const& l, auto const& x) { return l(x); });
  tensor<double, dim<"batch">, 5, 12> x(2);
  std::copy_n(queries.data(), x.size(), x.data());
  auto const y = f(layer, x);
  tensor<double, 2, 5, 12> const expected = f(layer, queries);
  REQUIRE(y.size() == expected.size());
  for (std::size_t i = 0; i < y.size(); ++i) CHECK(y.data()[i] == doctest::Approx(expected.data()[i]).epsilon(1e-12));
}
