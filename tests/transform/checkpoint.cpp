// checkpoint changes memory, not values.
#include "derivatives.hpp"

using namespace dimity;
using test::spread;

namespace {

constexpr auto block = [](auto const& h, auto const& w) { return tanh(matmul(sin(matmul(exp(matmul(h, w)), w)), w)); };
constexpr auto checkpointed = [](auto const& x, auto const& w) {
  auto h = x;
  for (int i = 0; i < 6; ++i) h = checkpoint(block)(h, w);
  return sum(h);
};
constexpr auto plain = [](auto const& x, auto const& w) {
  auto h = x;
  for (int i = 0; i < 6; ++i) h = block(h, w);
  return sum(h);
};
using input = tensor<double, 32, 5>;
using weight = tensor<double, 5, 5>;

}  // namespace

TEST_CASE("values and gradients are those of the function") {
  auto const x = spread<input>(-1, 1);
  auto const w = spread<weight>(-0.4, 0.4);
  CHECK(double(compile(checkpointed)(x, w)) == doctest::Approx(double(compile(plain)(x, w))).epsilon(1e-14));
  CHECK(allclose(grad<1>(checkpointed)(x, w), grad<1>(plain)(x, w), 1e-12, 1e-12));
  CHECK(allclose(grad<0>(checkpointed)(x, w), grad<0>(plain)(x, w), 1e-12, 1e-12));
  test::check_derivatives([](auto const& a, auto const& b) { return std::tuple{checkpoint(block)(a, b)}; }, spread<tensor<double, 3, 5>>(-1, 1), w);
}
TEST_CASE("less scratch memory: what lies between the ends of a checkpoint is not kept") {
  constexpr auto with = compile(grad<1>(checkpointed));
  constexpr auto without = compile(grad<1>(plain));
  constexpr std::size_t small = with.workspace_bytes<input, weight>, large = without.workspace_bytes<input, weight>;
  MESSAGE("with checkpoints " << small << " bytes, without " << large);
  static_assert(small < large * 3 / 4);
}
TEST_CASE("with structs, several results, vmap on either side, and twice") {
  auto const x = spread<tensor<double, 3, 5>>(-1, 1);
  auto const w = spread<weight>(-0.4, 0.4);
  constexpr auto f = [](auto const& a, auto const& b) {
    auto const [p, q] = checkpoint([](auto const& both) { auto const h = exp(std::get<0>(both)); return std::tuple{h * h, sum(h * std::get<1>(both))}; })(std::tuple{a, b});
    return sum(p) * q;
  };
  constexpr auto g = [](auto const& a, auto const& b) {
    auto const h = exp(a);
    return sum(h * h) * sum(h * b);
  };
  CHECK(allclose(grad<0>(f)(x, x), grad<0>(g)(x, x), 1e-12, 1e-12));
  CHECK(allclose(grad<1>(f)(x, x), grad<1>(g)(x, x), 1e-12, 1e-12));
  auto const each = vmap<mapped, whole>(grad<1>([](auto const& a, auto const& b) { return sum(checkpoint(block)(a, b)); }))(x, w);
  auto const plain_each = vmap<mapped, whole>(grad<1>([](auto const& a, auto const& b) { return sum(block(a, b)); }))(x, w);
  CHECK(allclose(each, plain_each, 1e-12, 1e-12));
  auto const outside = grad<1>([](auto const& a, auto const& b) { return sum(vmap<mapped, whole>(checkpoint(block))(a, b)); })(x, w);
  CHECK(allclose(outside, sum(plain_each, axis<0>), 1e-12, 1e-12));
  auto const h = hvp([](auto const& b, auto const& a) { return sum(checkpoint(block)(a, b)); })(w, w, x);
  CHECK(allclose(h, hvp([](auto const& b, auto const& a) { return sum(block(a, b)); })(w, w, x), 1e-10, 1e-10));
}
