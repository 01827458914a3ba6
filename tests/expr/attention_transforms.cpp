// Attention in blocks under every transform, how much memory it takes, and of what its plan is made.
// heavy: many compiled derivatives
#include <dimity/dimity.hpp>
#include <dimity/plan/facts.hpp>
#include <dimity/transform/check_gradients.hpp>
#include <doctest/doctest.h>

using namespace dimity;

namespace {

constexpr attention_options in_blocks{.causal = true, .block_queries = 4, .block_keys = 8}, as_a_whole{.causal = true};
template <attention_options O>
constexpr auto attend = [](auto const&... x) { return scaled_dot_product_attention<O>(x...); };
template <attention_options O>
constexpr auto energy = [](auto const&... x) { return sum(square(sin(scaled_dot_product_attention<O>(x...)))); };
template <attention_options O>
constexpr auto slope_along = [](auto const& x, auto const& u, auto const& y, auto const& z) { return sum(grad(energy<O>)(x, y, z) * u); };

auto const q = eval(random::normal<double, 3, 9, 5>(key{1}));
auto const k = eval(random::normal<double, 3, 13, 5>(key{2}));
auto const v = eval(random::normal<double, 3, 13, 2>(key{3}));
auto const bias = eval(random::normal<double, 3, 9, 13>(key{4}));

template <extent_t Length>
using sequence = tensor<float, Length, 64>;
constexpr auto long_sequences = compile(grad<0, 1, 2>(energy<attention_options{}>));

}  // namespace

TEST_CASE("gradients agree with differences, forward mode with reverse mode") {
  CHECK(check_gradients(energy<in_blocks>, eval(pick<0>(q, 0)), eval(pick<0>(k, 0)), eval(pick<0>(v, 0)), eval(pick<0>(bias, 0))));
}
TEST_CASE("vmap: of the function, of its gradient, with keys that all entries share") {
  CHECK(allclose(vmap(attend<in_blocks>)(q, k, v, bias), attend<as_a_whole>(q, k, v, bias), 1e-12, 1e-12));
  auto const one = eval(pick<0>(k, 0));
  CHECK(allclose(vmap<mapped, whole, mapped>(attend<in_blocks>)(q, one, v), attend<as_a_whole>(q, one, v), 1e-12, 1e-12));
  auto const [dq, dk, dv, dbias] = vmap(grad<0, 1, 2, 3>(energy<in_blocks>))(q, k, v, bias);
  auto const [eq, ek, ev, ebias] = grad<0, 1, 2, 3>(energy<as_a_whole>)(q, k, v, bias);
  CHECK(allclose(dq, eq, 1e-12, 1e-12));
  CHECK(allclose(dk, ek, 1e-12, 1e-12));
  CHECK(allclose(dv, ev, 1e-12, 1e-12));
  CHECK(allclose(dbias, ebias, 1e-12, 1e-12));
}
TEST_CASE("second derivatives: forward over reverse, and reverse over reverse") {
  auto const a = eval(pick<0>(q, 0)), direction = eval(pick<0>(q, 1));
  auto const b = eval(pick<0>(k, 0));
  auto const c = eval(pick<0>(v, 0));
  CHECK(allclose(hvp(energy<in_blocks>)(a, direction, b, c), hvp(energy<as_a_whole>)(a, direction, b, c), 1e-11, 1e-11));
  auto const [dx, dy] = grad<0, 2>(slope_along<in_blocks>)(a, direction, b, c);
  auto const [ex, ey] = grad<0, 2>(slope_along<as_a_whole>)(a, direction, b, c);
  CHECK(allclose(dx, ex, 1e-11, 1e-11));
  CHECK(allclose(dy, ey, 1e-11, 1e-11));
}
TEST_CASE("memory grows with the length of the sequence, not with its square") {
  constexpr auto bytes = [](auto length) { return long_sequences.workspace_bytes<sequence<length()>, sequence<length()>, sequence<length()>>; };
  constexpr auto half = bytes(std::integral_constant<extent_t, 1024>{}), whole = bytes(std::integral_constant<extent_t, 2048>{});
  static_assert(whole < 2 * half);
  static_assert(whole < 2048 * 2048 * sizeof(float) / 4);
}
TEST_CASE("a plan has one loop over blocks of queries and one over blocks of keys, each way") {
  constexpr auto& plan = long_sequences.plan<sequence<1024>, sequence<1024>, sequence<1024>>;
  static_assert(control_count(plan) == 4);
  static_assert(contraction_count(plan) == 2 + 5);
  constexpr auto& few = long_sequences.plan<sequence<64>, sequence<64>, sequence<64>>;
  static_assert(control_count(few) == 0);
  static_assert(contraction_count(few) == 2 + 4);
}
