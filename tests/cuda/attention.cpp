// heavy: many programs
// Attention on a GPU: kernels of its own stand for the loops of other machines, forwards and backwards, in every transform.
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
constexpr auto loss = [](auto const& q, auto const& k, auto const& v) { return sum(sin(attention<Causal>(q, k, v))); };
template <bool Causal>
constexpr auto gradients = [](auto const& q, auto const& k, auto const& v) { return grad<0, 1, 2>(loss<Causal>)(q, k, v); };

template <bool Causal>
constexpr auto both = [](auto const& q, auto const& k, auto const& v) { return std::tuple{attention<Causal>(q, k, v), gradients<Causal>(q, k, v)}; };
constexpr auto layer = [](auto const& h, auto const& w) { return std::tuple{h + attention<true>(matmul(h, w), h, h), std::tuple{}}; };
constexpr auto layers = [](auto const& x, auto const& ws) { return sum(square(std::get<0>(scan(layer, x, ws)))); };

// [.., T, heads * D] as [.., heads, T, D], and keys for all entries.
constexpr auto heads = [](auto const& x, auto const& k) {
  auto const q = swap_axes<1, 2>(reshape<2, 20, 3, 8>(x));
  return sum(sin(checkpoint([](auto const& a, auto const& b) { return attention<true>(a, b, b); })(q, k)));
};

long launches_of(auto const& f) {
  long const before = emulation::launches;
  f();
  return emulation::launches - before;
}

/// The same with all scores at once, which compiles faster, for this machine (tests/expr/attention.cpp compares the two).
template <bool Causal>
constexpr auto plain = [](auto const& q, auto const& k, auto const& v) { return scaled_dot_product_attention<attention_options{.causal = Causal}>(q, k, v); };
template <bool Causal>
constexpr auto plain_loss = [](auto const& q, auto const& k, auto const& v) { return sum(sin(plain<Causal>(q, k, v))); };
template <bool Causal>
constexpr auto plain_both = [](auto const& q, auto const& k, auto const& v) { return std::tuple{plain<Causal>(q, k, v), grad<0, 1, 2>(plain_loss<Causal>)(q, k, v)}; };

template <bool Causal, class Q, class K, class V>
void check(double within, Q const& q, K const& k, V const& v) {
  auto const wanted = compile(plain_both<Causal>)(q, k, v);
  auto const f = compile(both<Causal>, cuda{});
  for (emulation::schedule const order : test::schedules) {
    emulation::order = order;
    test::compare(f(to_cuda(q), to_cuda(k), to_cuda(v)), wanted, within);
  }
  emulation::order = emulation::schedule::round_robin;
}
template <bool Causal, extent_t T, extent_t S, extent_t D, extent_t E>
void check_lengths() {
  CAPTURE(T);
  CAPTURE(S);
  CAPTURE(D);
  CAPTURE(E);
  check<Causal>(2e-5, numbers<float, 2, T, D>(1), numbers<float, 2, S, D>(2), numbers<float, 2, S, E>(3));
}

}  // namespace

TEST_CASE("cuda: attention and its gradients, any lengths") {
  check_lengths<false, 70, 37, 8, 3>();
  check_lengths<true, 33, 100, 64, 64>();
  check_lengths<true, 50, 17, 5, 8>();
}
TEST_CASE("cuda: attention of long heads, few lines at a time") {
  check<false>(2e-5, numbers<float, 1, 19, 128>(1), numbers<float, 1, 45, 128>(2), numbers<float, 1, 45, 100>(3));
}

TEST_CASE("cuda: attention is one kernel, and its gradients do not need the scores") {
  auto const q = to_cuda(numbers<float, 2, 3, 40, 8>(1));
  auto const f = compile(attention<true>, cuda{});
  static_cast<void>(f(q, q, q));
  if (test::emulated) CHECK(launches_of([&] { static_cast<void>(f(q, q, q)); }) == 1);
  // Beside the four: what a query's operands are put together of, what is of a key, the cotangent, delta, the logarithms.
  auto const g = compile(gradients<true>, cuda{});
  static_cast<void>(g(q, q, q));
  if (test::emulated) CHECK(launches_of([&] { static_cast<void>(g(q, q, q)); }) <= 12);
  using head = cuda_tensor<float, 1024, 64>;
  using half_a_head = cuda_tensor<float, 512, 64>;
  static_assert(f.workspace_bytes<head, head, head> == 0);
  constexpr auto twice = g.workspace_bytes<head, head, head>, once = g.workspace_bytes<half_a_head, half_a_head, half_a_head>;
  static_assert(once > 0 && twice <= 2 * once + 4096 && twice < 1024 * 1024 * sizeof(float) / 2);
}

#ifdef DIMITY_CUDA_EMULATION
TEST_CASE("cuda: attention needs its barriers") {
  auto const q = numbers<float, 1, 70, 8>(1);
  auto const wanted = eval(attention<false>(q, q, q));
  auto const wanted_gradients = compile(gradients<false>)(q, q, q);
  int noticed = 0;
  emulation::barrier_to_skip = -2;
  for (emulation::schedule const order : test::schedules) {
    emulation::order = order;
    if (!allclose(to_host(compile(attention<false>, cuda{})(to_cuda(q), to_cuda(q), to_cuda(q))), wanted, 1e-4, 1e-4)) noticed |= 1;
    if (!allclose(to_host(std::get<0>(compile(gradients<false>, cuda{})(to_cuda(q), to_cuda(q), to_cuda(q)))), std::get<0>(wanted_gradients), 1e-4, 1e-4)) noticed |= 2;
  }
  emulation::barrier_to_skip = -1;
  emulation::order = emulation::schedule::round_robin;
  CHECK(noticed == 3);
}
#endif

TEST_CASE("cuda: attention of large scores, of 16-bit floats, and with nothing to attend to") {
  auto const large = eval(numbers<float, 1, 40, 16>(1) * 100.0f);
  check<true>(2e-3, large, large, numbers<float, 1, 40, 4>(2));
  auto const half = numbers<bfloat16, 2, 33, 16>(3);
  same_within(0.02, attention<false>, half, half, half);
  auto const none = numbers<float, 1, 0, 16>(4);
  auto const y = to_host(compile(attention<false>, cuda{})(to_cuda(large), to_cuda(none), to_cuda(numbers<float, 1, 0, 3>(5))));
  CHECK(allclose(y, zeros<float, 1, 40, 3>()));
}

TEST_CASE("cuda: attention with extents chosen at run time") {
  for (extent_t const n : {1, 3})
    for (extent_t const t : {5, 66}) {
      CAPTURE(n);
      CAPTURE(t);
      auto const q = numbers<float, dim<"batch">, dyn, 8>(1, n, t);
      auto const k = numbers<float, dim<"batch">, dyn, 8>(2, n, extent_t{41});
      check<true>(2e-5, q, k, k);
    }
}

TEST_CASE("cuda: attention under other transforms") {
  auto const q = numbers<float, 3, 2, 20, 8>(1);
  auto const k = numbers<float, 3, 2, 30, 8>(2);
  same_within(2e-5, [](auto const& a, auto const& b) { return vmap(both<true>)(a, b, b); }, q, k);
  same_within(2e-5, [](auto const& a, auto const& b) { return jvp([](auto const& x, auto const& y) { return attention<true>(x, y, y); }, std::tuple{a, b}, std::tuple{b, a}); }, numbers<float, 1, 20, 8>(3), numbers<float, 1, 20, 8>(4));
  // Layers of it in a loop, differentiated.
  same_within(5e-4, [](auto const& x, auto const& ws) { return grad<0, 1>(layers)(x, ws); }, numbers<float, 2, 20, 8>(5), eval(numbers<float, 3, 8, 8>(6) * 0.2f));
}

TEST_CASE("cuda: attention of heads that are parts of lines, of keys that are shared, computed again, in quick floats") {
  auto const gradient = [](auto const& x, auto const& k) { return grad<0, 1>(heads)(x, k); };
  auto const x = numbers<float, 2, 20, 24>(1);
  auto const k = numbers<float, 3, 30, 8>(2);
  same_within(2e-5, gradient, x, k);
  same_within<fast_cuda>(2e-3, attention<true>, k, k, k);
}

TEST_CASE("cuda: what keeps the loops: double, lengths that are not known to be equal") {
  auto const d = numbers<double, 1, 20, 8>(1);
  same_within(1e-12, attention<true>, d, d, d);
  auto const part = numbers<float, 1, 20, dyn>(2, extent_t{4});
  same_within(2e-5, [](auto const& a, auto const& b) { return grad<0, 1>([](auto const& y, auto const& z) { return sum(attention<false>(y, concat<2>(z, z), y)); })(a, b); }, numbers<float, 1, 20, 8>(3), part);
}
