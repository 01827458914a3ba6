// checkpoint changes memory, not values.
// heavy: many compiled derivatives
#include "derivatives.hpp"

#include <dimity/plan/facts.hpp>

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
namespace {
constexpr auto named_block = [](auto const& h, auto const& w) { return tanh(matmul(sin(checkpoint_name<"middle">(matmul(exp(matmul(h, w)), w))), w)); };
template <auto Policy, auto const& Block>
struct tower {
  constexpr auto operator()(auto const& x, auto const& w) const {
    auto h = x;
    for (int i = 0; i < 6; ++i) h = checkpoint<Policy>(Block)(h, w);
    return sum(h);
  }
};
template <auto Policy, auto const& Block>
constexpr std::size_t workspace = compile(grad<1>(tower<Policy, Block>{})).template workspace_bytes<input, weight>;
template <auto Policy, auto const& Block>
constexpr int products = contraction_count(compile(grad<1>(tower<Policy, Block>{})).template plan<input, weight>);
}  // namespace
TEST_CASE("policies: between nothing and everything") {
  auto const x = spread<input>(-1, 1);
  auto const w = spread<weight>(-0.4, 0.4);
  auto const want = grad<1>(plain)(x, w);
  CHECK(allclose(grad<1>(tower<save_contractions, named_block>{})(x, w), want, 1e-12, 1e-12));
  CHECK(allclose(grad<1>(tower<save_names<"middle", "other">, named_block>{})(x, w), want, 1e-12, 1e-12));
  CHECK(allclose(grad<0>(tower<save_contractions, named_block>{})(x, w), grad<0>(plain)(x, w), 1e-12, 1e-12));
  constexpr std::size_t all = compile(grad<1>(plain)).workspace_bytes<input, weight>;
  MESSAGE("nothing " << workspace<save_nothing, named_block> << ", one name " << workspace<save_names<"middle">, named_block> << ", products " << workspace<save_contractions, named_block> << ", everything " << all);
  static_assert(workspace<save_nothing, named_block> < workspace<save_names<"middle">, named_block>);
  static_assert(workspace<save_names<"middle">, named_block> < workspace<save_contractions, named_block>);
  static_assert(workspace<save_contractions, named_block> <= all);  // products instead of their functions: as many arrays
  static_assert(workspace<save_names<"nobody">, named_block> == workspace<save_nothing, named_block>);
  // 6 blocks of 3 products: made again are none of them, 2, or all.
  static_assert(products<save_contractions, named_block> == contraction_count(compile(grad<1>(plain)).plan<input, weight>));
  static_assert(products<save_names<"middle">, named_block> > products<save_contractions, named_block>);
  static_assert(products<save_names<"middle">, named_block> <= products<save_contractions, named_block> + 6 * 2);
  static_assert(products<save_nothing, named_block> > products<save_names<"middle">, named_block>);
}
namespace {
constexpr auto saving_step = [](auto const& h, auto const& x, auto const& k) { return std::tuple{checkpoint<save_contractions>(named_block)(h, k) + x, std::tuple<>{}}; };
constexpr auto plain_step = [](auto const& h, auto const& x, auto const& k) { return std::tuple{named_block(h, k) + x, std::tuple<>{}}; };
constexpr auto saving_loop = [](auto const& k, auto const& h, auto const& x) { return sum(std::get<0>(scan(saving_step, h, x, k))); };
constexpr auto plain_loop = [](auto const& k, auto const& h, auto const& x) { return sum(std::get<0>(scan(plain_step, h, x, k))); };
template <auto const& Loop>
constexpr auto by_state = [](auto const& h, auto const& k, auto const& x) { return Loop(k, h, x); };
template <auto const& Loop>
constexpr auto slope_norm = [](auto const& h, auto const& k, auto const& x) { return sum(square(grad<0>(by_state<Loop>)(h, k, x))); };
constexpr auto many_saving = [](auto const& k, auto const& h, auto const& x) { return sum(vmap<whole, mapped, whole>(saving_loop)(k, h, x)); };
}  // namespace
TEST_CASE("policies in loops, under vmap and in both modes") {
  auto const h = spread<tensor<double, 3, 5>>(-1, 1);
  auto const x = spread<tensor<double, 4, 5>>(-1, 1);
  auto const w = spread<weight>(-0.4, 0.4);
  CHECK(allclose(grad<0>(saving_loop)(w, h, x), grad<0>(plain_loop)(w, h, x), 1e-12, 1e-12));
  CHECK(allclose(grad<0>(many_saving)(w, h, x), grad<0>(plain_loop)(w, h, x), 1e-12, 1e-12));
  CHECK(allclose(hvp(saving_loop)(w, w, h, x), hvp(plain_loop)(w, w, h, x), 1e-10, 1e-10));
  CHECK(allclose(checkpoint_name<"x">(x), x));
  CHECK(allclose(hvp(by_state<saving_loop>)(h, h, w, x), hvp(by_state<plain_loop>)(h, h, w, x), 1e-10, 1e-10));
  CHECK(allclose(grad<0>(slope_norm<saving_loop>)(h, w, x), grad<0>(slope_norm<plain_loop>)(h, w, x), 1e-10, 1e-10));
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
