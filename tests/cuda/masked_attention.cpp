// heavy: many programs
// Attention with a mask on a GPU: one for all entries or one for each, of whole scores or of keys, forwards and backwards, on the ordinary units and on the tensor cores.
#include "on_cuda.hpp"

#include <limits>
#include <tuple>

using namespace dimity;
using test::numbers;

namespace {

/// In blocks, whose scores are never written, however few they are.
template <bool Causal>
constexpr auto attention = [](auto const& q, auto const& k, auto const& v, auto const& mask) { return scaled_dot_product_attention<attention_options{.causal = Causal, .block_queries = 32, .block_keys = 32}>(q, k, v, mask); };
template <bool Causal>
constexpr auto loss = [](auto const& q, auto const& k, auto const& v, auto const& mask) { return sum(sin(cast<float>(attention<Causal>(q, k, v, mask)))); };
template <bool Causal>
constexpr auto both = [](auto const& q, auto const& k, auto const& v, auto const& mask) { return std::tuple{attention<Causal>(q, k, v, mask), grad<0, 1, 2>(loss<Causal>)(q, k, v, mask)}; };

/// The same without blocks, for this machine.
template <bool Causal>
constexpr auto plain = [](auto const& q, auto const& k, auto const& v, auto const& mask) { return scaled_dot_product_attention<attention_options{.causal = Causal}>(q, k, v, mask); };
template <bool Causal>
constexpr auto plain_loss = [](auto const& q, auto const& k, auto const& v, auto const& mask) { return sum(sin(plain<Causal>(q, k, v, mask))); };
template <bool Causal>
constexpr auto plain_both = [](auto const& q, auto const& k, auto const& v, auto const& mask) { return std::tuple{plain<Causal>(q, k, v, mask), grad<0, 1, 2>(plain_loss<Causal>)(q, k, v, mask)}; };

constexpr auto floats = [](auto const& x) { return eval(cast<float>(x)); };

template <bool Causal, class Q, class K, class V, class Mask>
void check(double within, Q const& q, K const& k, V const& v, Mask const& mask) {
  auto const wanted = compile(plain_both<Causal>)(floats(q), floats(k), floats(v), mask);
  auto const f = compile(both<Causal>, cuda{});
  for (emulation::schedule const order : test::schedules) {
    emulation::order = order;
    auto const got = f(to_cuda(q), to_cuda(k), to_cuda(v), to_cuda(mask));
    test::check_close(floats(to_host(std::get<0>(got))), std::get<0>(wanted), within);
    test::check_close(floats(to_host(std::get<0>(std::get<1>(got)))), std::get<0>(std::get<1>(wanted)), within);
    test::check_close(floats(to_host(std::get<1>(std::get<1>(got)))), std::get<1>(std::get<1>(wanted)), within);
    test::check_close(floats(to_host(std::get<2>(std::get<1>(got)))), std::get<2>(std::get<1>(wanted)), within);
  }
  emulation::order = emulation::schedule::round_robin;
}

/// About two thirds are true, and of the first elements none.
template <extent_t... E>
tensor<bool, E...> some() {
  tensor<bool, E...> mask;
  int n = 0;
  for (bool& x : mask) x = n++ % 7 % 3 != 0;
  for (int i = 0; i < 11; ++i) *(mask.begin() + i) = false;
  return mask;
}

constexpr auto batched = [](auto const& q, auto const& k, auto const& mask) { return vmap<mapped, mapped, mapped, whole>(attention<false>)(q, k, k, mask); };
constexpr auto batched_masks = [](auto const& q, auto const& k, auto const& masks) { return vmap(attention<false>)(q, k, k, masks); };

constexpr auto mask_gradient = [](auto const& q, auto const& k, auto const& v, auto const& mask) { return grad<3>(loss<false>)(q, k, v, mask); };
constexpr auto plain_mask_gradient = [](auto const& q, auto const& k, auto const& v, auto const& mask) { return grad<3>(plain_loss<false>)(q, k, v, mask); };
constexpr auto batched_loss = [](auto const& q, auto const& k, auto const& masks) { return sum(sin(vmap<mapped, whole, whole, mapped>(attention<false>)(q, k, k, masks))); };
constexpr auto batched_gradient = [](auto const& q, auto const& k, auto const& masks) { return grad<0, 1>(batched_loss)(q, k, masks); };

/// Of 16-bit floats: the gradients' kernels, and the loops that second derivatives go through, add up scores in other orders.
constexpr auto loss_of_halves = [](auto const& q, auto const& k, auto const& v, auto const& mask) { return loss<false>(cast<bfloat16>(q), cast<bfloat16>(k), cast<bfloat16>(v), mask); };
constexpr auto curvature = [](auto const& q, auto const& u, auto const& k, auto const& v, auto const& mask) { return hvp(loss_of_halves)(q, u, k, v, mask); };
constexpr auto plain_curvature = [](auto const& q, auto const& u, auto const& k, auto const& v, auto const& mask) { return hvp(plain_loss<false>)(q, u, k, v, mask); };

template <class F>
long launches_of(F const& f) {
  long const before = emulation::launches;
  f();
  return emulation::launches - before;
}

}  // namespace

TEST_CASE("cuda: attention with a mask of whole scores, with rows that take no key") {
  check<false>(2e-5, numbers<float, 2, 50, 8>(1), numbers<float, 2, 37, 8>(2), numbers<float, 2, 37, 5>(3), some<50, 37>());
  check<true>(0.03, numbers<bfloat16, 2, 50, 24>(1), numbers<bfloat16, 2, 37, 24>(2), numbers<bfloat16, 2, 37, 16>(3), some<2, 50, 37>());
}
TEST_CASE("cuda: attention with a mask of keys, of each entry") {
  check<true>(2e-5, numbers<float, 2, 50, 8>(1), numbers<float, 2, 70, 8>(2), numbers<float, 2, 70, 8>(3), some<2, 1, 70>());
  check<false>(0.004, numbers<float16, 2, 50, 16>(1), numbers<float16, 2, 70, 16>(2), numbers<float16, 2, 70, 16>(3), some<2, 1, 70>());
}
TEST_CASE("cuda: attention with numbers that are added to the scores") {
  check<false>(2e-5, numbers<float, 2, 33, 8>(1), numbers<float, 2, 70, 8>(2), numbers<float, 2, 70, 8>(3), numbers<float, 33, 70>(4));
  check<false>(0.03, numbers<bfloat16, 2, 33, 16>(1), numbers<bfloat16, 2, 70, 16>(2), numbers<bfloat16, 2, 70, 16>(3), numbers<float, 33, 1>(4));
}

TEST_CASE("cuda: attention with a mask is one kernel beside what joins keys and values, and its mask has a gradient") {
  auto const q = to_cuda(numbers<float, 2, 3, 40, 8>(1));
  auto const mask = to_cuda(numbers<float, 40, 40>(2));
  auto const f = compile(attention<true>, cuda{});
  static_cast<void>(f(q, q, q, mask));
  if (test::emulated) CHECK(launches_of([&] { static_cast<void>(f(q, q, q, mask)); }) == 2);
  test::same_within(2e-5, [](auto const& a, auto const& b, auto const& m) { return grad<2>([](auto const& x, auto const& y, auto const& z) { return loss<false>(x, y, y, z); })(a, b, m); }, numbers<float, 2, 33, 8>(1), numbers<float, 2, 40, 8>(2), numbers<float, 33, 40>(3));
}

TEST_CASE("cuda: attention with a mask under vmap, with extents chosen at run time, and on the strict executor") {
  auto const q = numbers<float, 3, 2, 20, 8>(1);
  auto const k = numbers<float, 3, 2, 37, 8>(2);
  test::same_within(2e-5, batched, q, k, some<20, 37>());
  test::same_within(2e-5, batched_masks, q, k, some<3, 20, 37>());
  for (extent_t const n : {1, 3}) {
    CAPTURE(n);
    auto const some_q = numbers<float, dim<"batch">, dyn, 8>(1, n, extent_t{29});
    auto const some_k = numbers<float, dim<"batch">, dyn, 8>(2, n, extent_t{37});
    tensor<bool, dim<"batch">, 1, dyn> there(n, extent_t{37});
    int i = 0;
    for (bool& x : there) x = i++ % 5 != 1;
    test::same_within(2e-5, both<false>, some_q, some_k, some_k, there);
  }
  auto const half = numbers<bfloat16, 2, 40, 8>(3);
  test::same_within<strict_cuda>(0.02, attention<true>, half, half, half, some<40, 40>());
}

TEST_CASE("cuda: gradients of masks, of 16-bit floats too, and rows whose mask is finite and low everywhere") {
  auto const q = numbers<bfloat16, 1, 40, 16>(1);
  auto const k = numbers<bfloat16, 1, 50, 16>(2);
  auto const v = eval(cast<bfloat16>(floats(numbers<bfloat16, 1, 50, 16>(3)) * 0.1f + 10.0f));
  auto const mask = numbers<float, 40, 50>(4);
  auto const wanted = compile(plain_mask_gradient)(floats(q), floats(k), floats(v), mask);
  auto const got = floats(to_host(compile(mask_gradient, cuda{})(to_cuda(q), to_cuda(k), to_cuda(v), to_cuda(mask))));
  CHECK(eval(max(abs(got - wanted)) / max(abs(wanted)))() < 0.02f);

  // Of the softmax of such a row the logarithm of the number of keys is a part that a float loses beside them.
  auto low = numbers<float, 40, 50>(5);
  for (int j = 0; j < 50; ++j) {
    low(3, j) = -1e9f;
    low(4, j) = std::numeric_limits<float>::lowest();
    low(5, j) = -std::numeric_limits<float>::infinity();
    low(6, j) = -70000.0f;  // float16 has no numbers of this size
    if (j != 7) low(8, j) = low(4, j);
    low(9, j) = -1e30f;
  }
  auto const mean = compile(attention<false>, cuda{})(to_cuda(q), to_cuda(k), to_cuda(v), to_cuda(low));
  test::check_close(floats(to_host(mean)), eval(plain<false>(floats(q), floats(k), floats(v), low)), 0.01);
  check<false>(2e-5, floats(q), floats(k), numbers<float, 1, 50, 16>(3), low);
  check<false>(0.03, q, k, numbers<bfloat16, 1, 50, 16>(3), low);
  check<false>(0.02, numbers<float16, 1, 40, 16>(1), numbers<float16, 1, 50, 16>(2), numbers<float16, 1, 50, 16>(3), low);
  auto const wanted_of_low = compile(plain_mask_gradient)(floats(q), floats(k), floats(v), low);
  auto const got_of_low = floats(to_host(compile(mask_gradient, cuda{})(to_cuda(q), to_cuda(k), to_cuda(v), to_cuda(low))));
  CHECK(eval(max(abs(got_of_low - wanted_of_low)) / max(abs(wanted_of_low)))() < 0.02f);
}

TEST_CASE("cuda: second derivatives of attention of 16-bit floats with numbers that are added to the scores") {
  auto const rounded = [](auto const& x) { return eval(cast<float>(cast<bfloat16>(x))); };
  auto const q = rounded(random::normal<float, 1, 40, 64>(key{1}) * 3.0f);
  auto const u = eval(random::normal<float, 1, 40, 64>(key{2}));
  auto const k = rounded(random::normal<float, 1, 48, 64>(key{3}));
  auto const v = rounded(random::normal<float, 1, 48, 16>(key{4}));
  auto const mask = eval(random::normal<float, 40, 48>(key{5}) * 0.1f);
  auto const wanted = compile(plain_curvature)(q, u, k, v, mask);
  auto const got = to_host(compile(curvature, cuda{})(to_cuda(q), to_cuda(u), to_cuda(k), to_cuda(v), to_cuda(mask)));
  CHECK(eval(max(abs(got - wanted)) / max(abs(wanted)))() < 0.03f);
}

TEST_CASE("cuda: gradients of batched attention, and attention with a mask in a loop") {
  auto const q = numbers<float, 3, 2, 20, 8>(1);
  auto const k = numbers<float, 2, 37, 8>(2);
  test::same_within(2e-5, batched_gradient, q, k, some<3, 20, 37>());
  test::same_within(2e-5, [](auto const& h, auto const& masks) { return std::get<1>(scan([](auto const& state, auto const& m) { return std::tuple{state, attention<false>(state, state, state, m)}; }, h, masks)); }, numbers<float, 11, 8>(5), some<3, 11, 11>());
}
