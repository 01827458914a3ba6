// heavy: many programs
// Attention of 16-bit floats on a GPU: kernels on the tensor cores, forwards and backwards.
#include "on_cuda.hpp"

#include <tuple>

using namespace dimity;
using test::numbers;
using test::same_within;

namespace {

/// In blocks, whose scores are never written, however few they are.
template <bool Causal>
constexpr auto attention = [](auto const& q, auto const& k, auto const& v) { return scaled_dot_product_attention<attention_options{.causal = Causal, .block_queries = 32, .block_keys = 32}>(q, k, v); };
template <bool Causal>
constexpr auto loss = [](auto const& q, auto const& k, auto const& v) { return sum(sin(cast<float>(attention<Causal>(q, k, v)))); };
template <bool Causal>
constexpr auto gradients = [](auto const& q, auto const& k, auto const& v) { return grad<0, 1, 2>(loss<Causal>)(q, k, v); };
template <bool Causal>
constexpr auto both = [](auto const& q, auto const& k, auto const& v) { return std::tuple{attention<Causal>(q, k, v), gradients<Causal>(q, k, v)}; };

// [.., T, heads * D] as [.., heads, T, D], and keys for all entries.
constexpr auto heads = [](auto const& x, auto const& w, auto const& k) {
  auto const q = swap_axes<1, 2>(reshape<2, 20, 3, 8>(matmul(x, w)));
  return sum(sin(cast<float>(attention<true>(q, k, k))));
};

template <class F>
long tile_products_of(F const& f) {
  long const before = emulation::tile_products;
  f();
  return emulation::tile_products - before;
}
template <class F>
long launches_of(F const& f) {
  long const before = emulation::launches;
  f();
  return emulation::launches - before;
}

/// Rounding to 8 or 11 bits: of operands, probabilities and cotangents of scores, relative to values about 1.
template <class X>
constexpr double tolerance = std::is_same_v<X, bfloat16> ? 0.03 : 0.004;

/// The same without blocks, for this machine.
template <bool Causal>
constexpr auto plain = [](auto const& q, auto const& k, auto const& v) { return scaled_dot_product_attention<attention_options{.causal = Causal}>(q, k, v); };
template <bool Causal>
constexpr auto plain_loss = [](auto const& q, auto const& k, auto const& v) { return sum(sin(plain<Causal>(q, k, v))); };
template <bool Causal>
constexpr auto plain_both = [](auto const& q, auto const& k, auto const& v) { return std::tuple{plain<Causal>(q, k, v), grad<0, 1, 2>(plain_loss<Causal>)(q, k, v)}; };
auto const floats = [](auto const& x) { return eval(cast<float>(x)); };

/// Of 16-bit floats there, of the same numbers as floats here.
template <bool Causal, class Q, class K, class V>
void check(double within, Q const& q, K const& k, V const& v) {
  auto const wanted = compile(plain_both<Causal>)(floats(q), floats(k), floats(v));
  auto const f = compile(both<Causal>, cuda{});
  for (emulation::schedule const order : test::schedules) {
    emulation::order = order;
    auto const got = f(to_cuda(q), to_cuda(k), to_cuda(v));
    test::check_close(floats(to_host(std::get<0>(got))), std::get<0>(wanted), within);
    test::check_close(floats(to_host(std::get<0>(std::get<1>(got)))), std::get<0>(std::get<1>(wanted)), within);
    test::check_close(floats(to_host(std::get<1>(std::get<1>(got)))), std::get<1>(std::get<1>(wanted)), within);
    test::check_close(floats(to_host(std::get<2>(std::get<1>(got)))), std::get<2>(std::get<1>(wanted)), within);
  }
  emulation::order = emulation::schedule::round_robin;
}
template <bool Causal, class X, extent_t T, extent_t S, extent_t D, extent_t E>
void check_lengths() {
  CAPTURE(T);
  CAPTURE(S);
  CAPTURE(D);
  CAPTURE(E);
  check<Causal>(tolerance<X>, numbers<X, 2, T, D>(1), numbers<X, 2, S, D>(2), numbers<X, 2, S, E>(3));
}

}  // namespace

TEST_CASE("cuda: attention of 16-bit floats and its gradients, any lengths") {
  check_lengths<false, bfloat16, 70, 37, 8, 3>();
  check_lengths<true, bfloat16, 33, 100, 64, 64>();
  check_lengths<true, float16, 129, 150, 24, 40>();
}
TEST_CASE("cuda: attention of 16-bit floats, long heads, and odd ones") {
  check_lengths<false, float16, 19, 45, 128, 100>();
  check_lengths<true, bfloat16, 40, 70, 13, 31>();
}

TEST_CASE("cuda: attention of 16-bit floats is one kernel, on the tensor cores, without the scores") {
  auto const q = to_cuda(numbers<bfloat16, 2, 3, 40, 16>(1));
  auto const f = compile(attention<true>, cuda{});
  auto const g = compile(gradients<true>, cuda{});
  auto const h = compile(attention<true>, strict_cuda{});
  static_cast<void>(f(q, q, q));
  static_cast<void>(g(q, q, q));
  if (test::emulated) {
    CHECK(launches_of([&] { static_cast<void>(f(q, q, q)); }) == 1);
    // Six heads, in each of which four warps meet 64 keys, 16 elements of each: two products of 16 x 8 for each 16 keys, and two with their values.
    CHECK(tile_products_of([&] { static_cast<void>(f(q, q, q)); }) == 6 * 4 * 4 * 4);
    // The result, three for the loss's cotangent, two that are put together, what gradients need of rows, two of gradients, and the results: of keys and values together.
    CHECK(launches_of([&] { static_cast<void>(g(q, q, q)); }) <= 11);
    CHECK(tile_products_of([&] { static_cast<void>(h(q, q, q)); }) == 0);
  }
  using head = cuda_tensor<bfloat16, 1024, 64>;
  static_assert(f.workspace_bytes<head, head, head> == 0);
}

TEST_CASE("cuda: attention of 16-bit floats is as exact as its roundings, and exact on the strict executor") {
  auto const q = numbers<float16, 2, 50, 32>(1);
  auto const k = numbers<float16, 2, 60, 32>(2);
  auto const v = numbers<float16, 2, 60, 32>(3);
  auto const exact = eval(plain<false>(cast<double>(q), cast<double>(k), cast<double>(v)));
  auto const error_of = [&](auto const& got) { return eval(max(abs(cast<double>(to_host(got)) - exact)))(); };
  auto const f = compile(attention<false>, cuda{});
  auto const g = compile(attention<false>, strict_cuda{});
  // Values are below 2: half a unit of the result, and of each probability. The strict executor rounds the result only.
  CHECK(eval(max(abs(exact)))() < 2);
  CHECK(error_of(f(to_cuda(q), to_cuda(k), to_cuda(v))) < 0x1p-9);
  CHECK(error_of(g(to_cuda(q), to_cuda(k), to_cuda(v))) < 0x1.01p-11);
}

TEST_CASE("cuda: gradients of attention of 16-bit floats whose values are nearly equal: what they have in common goes") {
  auto const q = numbers<bfloat16, 1, 40, 16>(1);
  auto const k = numbers<bfloat16, 1, 50, 16>(2);
  auto const v = eval(cast<bfloat16>(floats(numbers<bfloat16, 1, 50, 16>(3)) * 0.1f + 10.0f));
  auto const [dq, dk, dv] = std::get<1>(compile(plain_both<false>)(floats(q), floats(k), floats(v)));
  auto const error = [](auto const& got, auto const& wanted) { return eval(max(abs(floats(to_host(got)) - wanted)) / max(abs(wanted)))(); };
  auto const [a, b, c] = compile(gradients<false>, cuda{})(to_cuda(q), to_cuda(k), to_cuda(v));
  CHECK(error(a, dq) < 0.02f);
  CHECK(error(b, dk) < 0.02f);
  CHECK(error(c, dv) < 0.02f);
  auto const [d, e, f] = compile(gradients<false>, strict_cuda{})(to_cuda(q), to_cuda(k), to_cuda(v));
  CHECK(error(d, dq) < 0.01f);
  CHECK(error(e, dk) < 0.01f);
  CHECK(error(f, dv) < 0.01f);
}

TEST_CASE("cuda: keys of 16-bit floats that heads share are not made floats") {
  using queries = cuda_tensor<bfloat16, 2, 4, 40, 16>;
  using keys = cuda_tensor<bfloat16, 2, 1, 40, 16>;
  auto const f = compile(attention<false>, cuda{});
  static_assert(f.workspace_bytes<queries, keys, keys> <= 2 * 2 * 4 * 40 * 16 * sizeof(bfloat16));  // each head its own, for the kernel
  auto const q = numbers<bfloat16, 2, 4, 40, 16>(1);
  auto const k = numbers<bfloat16, 2, 1, 40, 16>(2);
  test::check_close(floats(to_host(f(to_cuda(q), to_cuda(k), to_cuda(k)))), eval(plain<false>(floats(q), floats(k), floats(k))), tolerance<bfloat16>);
}

#ifdef DIMITY_CUDA_EMULATION
TEST_CASE("cuda: attention of 16-bit floats needs its barriers") {
  auto const q = numbers<bfloat16, 1, 200, 8>(1);
  auto const [wanted, wanted_gradients] = compile(plain_both<false>)(floats(q), floats(q), floats(q));
  auto const close = [](auto const& a, auto const& b) { return allclose(floats(to_host(a)), b, 0.05, 0.05); };
  auto const f = compile(both<false>, cuda{});
  int noticed = 0;
  emulation::barrier_to_skip = -2;
  for (emulation::schedule const order : test::schedules) {
    emulation::order = order;
    auto const got = f(to_cuda(q), to_cuda(q), to_cuda(q));
    if (!close(std::get<0>(got), wanted)) noticed |= 1;
    if (!close(std::get<0>(std::get<1>(got)), std::get<0>(wanted_gradients))) noticed |= 2;
    if (!close(std::get<1>(std::get<1>(got)), std::get<1>(wanted_gradients))) noticed |= 4;
  }
  emulation::barrier_to_skip = -1;
  emulation::order = emulation::schedule::round_robin;
  CHECK(noticed == 7);
}
#endif

TEST_CASE("cuda: attention of 16-bit floats: large scores, nothing to attend to, extents chosen at run time") {
  auto const large = eval(cast<bfloat16>(cast<float>(numbers<bfloat16, 1, 40, 16>(1)) * 30.0f));
  auto const y = compile(attention<true>, cuda{})(to_cuda(large), to_cuda(large), to_cuda(numbers<bfloat16, 1, 40, 4>(2)));
  test::check_close(floats(to_host(y)), eval(plain<true>(floats(large), floats(large), floats(numbers<bfloat16, 1, 40, 4>(2)))), 0.02);
  auto const none = to_host(compile(attention<false>, cuda{})(to_cuda(large), to_cuda(numbers<bfloat16, 1, 0, 16>(4)), to_cuda(numbers<bfloat16, 1, 0, 3>(5))));
  CHECK(allclose(none, zeros<bfloat16, 1, 40, 3>()));
  for (extent_t const n : {1, 3})
    for (extent_t const t : {5, 66}) {
      CAPTURE(n);
      CAPTURE(t);
      auto const q = numbers<bfloat16, dim<"batch">, dyn, 8>(1, n, t);
      auto const k = numbers<bfloat16, dim<"batch">, dyn, 8>(2, n, extent_t{41});
      check<true>(tolerance<bfloat16>, q, k, k);
    }
}

TEST_CASE("cuda: attention of 16-bit floats that are made in the same program, in heads that are parts of lines, in loops and under vmap") {
  auto const x = numbers<bfloat16, 2, 20, 24>(1);
  auto const w = eval(cast<bfloat16>(cast<float>(numbers<bfloat16, 24, 24>(3)) * 0.2f));
  auto const k = numbers<bfloat16, 3, 30, 8>(2);
  same_within(0.06, [](auto const& a, auto const& b, auto const& c) { return grad<0, 1, 2>(heads)(a, b, c); }, x, w, k);
  same_within(0.06, [](auto const& a, auto const& b) { return vmap(attention<false>)(a, b, b); }, numbers<bfloat16, 3, 2, 20, 8>(1), numbers<bfloat16, 3, 2, 30, 8>(2));
  // Entries of 11 x 3 elements: what a body is given begins anywhere.
  same_within(0.06, [](auto const& h, auto const& vs) { return std::get<1>(scan([](auto const& state, auto const& v) { return std::tuple{state, attention<false>(state, state, v)}; }, h, vs)); }, numbers<bfloat16, 11, 8>(5), numbers<bfloat16, 3, 11, 3>(6));
}
