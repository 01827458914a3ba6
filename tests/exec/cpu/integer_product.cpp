// Products of integers of every pair of types: layouts that are copied or used in place, extents known and chosen at run time, against sums of 64 bits and against the scalar reference.
#include <dimity/dimity.hpp>
#include <dimity/plan/facts.hpp>
#include <dimity/threads.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <limits>

using namespace dimity;

namespace {

/// All values of 8 bits, the extremes of the others among them.
template <class X>
X numbers(unsigned seed) {
  X x;
  using T = typename X::value_type;
  using limits = std::numeric_limits<T>;
  std::uint64_t state = seed * 0x9e3779b97f4a7c15ull + 1;
  for (std::size_t i = 0; i < x.size(); ++i) {
    state = state * 6364136223846793005ull + 1442695040888963407ull;
    auto const r = static_cast<unsigned>(state >> 40);
    x.data()[i] = r % 11 == 0 ? limits::max() : r % 13 == 0 ? limits::min() : static_cast<T>(r);
  }
  return x;
}
/// Modulo 2^64, of which the results keep the lower bits.
template <class T, class Left, class Right>
T expected(Left const& a, Right const& b, extent_t k, extent_t i, extent_t j) {
  std::uint64_t sum = 0;
  for (extent_t l = 0; l < k; ++l) sum += static_cast<std::uint64_t>(static_cast<std::int64_t>(a(i, l))) * static_cast<std::uint64_t>(static_cast<std::int64_t>(b(l, j)));
  return static_cast<T>(sum);
}

template <class T, class A, class B, extent_t M, extent_t K, extent_t N>
void check() {
  CAPTURE(M);
  CAPTURE(K);
  CAPTURE(N);
  auto const a = numbers<tensor<A, M, K>>(1);
  auto const at = numbers<tensor<A, K, M>>(2);
  auto const b = numbers<tensor<B, K, N>>(3);
  auto const bt = numbers<tensor<B, N, K>>(4);
  tensor<A, M, K> const ta = transpose(at);
  tensor<B, K, N> const tb = transpose(bt);
  tensor<T, M, N> const plain = matmul(cast<T>(a), cast<T>(b)), left = matmul(transpose(cast<T>(at)), cast<T>(b)), right = matmul(cast<T>(a), cast<T>(transpose(bt))), both = matmul(cast<T>(transpose(at)), transpose(cast<T>(bt)));
  tensor<T, M, N> const reference = eval(matmul(cast<T>(a), cast<T>(b)), scalar);
  int wrong = 0;
  for (extent_t i = 0; i < M; ++i)
    for (extent_t j = 0; j < N; ++j) {
      wrong += plain(i, j) != expected<T>(a, b, K, i, j) || left(i, j) != expected<T>(ta, b, K, i, j) || right(i, j) != expected<T>(a, tb, K, i, j) || both(i, j) != expected<T>(ta, tb, K, i, j);
      wrong += reference(i, j) != plain(i, j);
    }
  CHECK(wrong == 0);
}
template <class A, class B>
void check_sizes() {
  check<std::int32_t, A, B, 1, 1, 1>();
  check<std::int32_t, A, B, 1, 64, 64>();
  check<std::int32_t, A, B, 1, 71, 5>();
  check<std::int32_t, A, B, 3, 2, 4>();
  check<std::int32_t, A, B, 5, 33, 17>();
  check<std::int32_t, A, B, 17, 16, 16>();
  check<std::int32_t, A, B, 40, 36, 50>();
}

}  // namespace

TEST_CASE("bytes with and without signs") {
  check_sizes<std::int8_t, std::int8_t>();
  check_sizes<std::uint8_t, std::uint8_t>();
  check_sizes<std::uint8_t, std::int8_t>();
  check_sizes<std::int8_t, std::uint8_t>();
}
TEST_CASE("few rows of bytes, read as they lie") {
  check<std::int32_t, std::int8_t, std::int8_t, 1, 64, 130>();
  check<std::int32_t, std::uint8_t, std::int8_t, 1, 67, 64>();
  check<std::int32_t, std::int8_t, std::uint8_t, 2, 3, 200>();
  check<std::int32_t, std::uint8_t, std::uint8_t, 3, 130, 69>();
  check<std::int32_t, std::int8_t, std::int8_t, 4, 201, 127>();
  check<std::int32_t, std::int8_t, std::int8_t, 5, 201, 127>();
}
TEST_CASE("16 bits, and 16 with 8") {
  check_sizes<std::int16_t, std::int16_t>();
  check_sizes<std::uint16_t, std::int16_t>();
  check_sizes<std::int8_t, std::int16_t>();
  check_sizes<std::int16_t, std::uint8_t>();
}
TEST_CASE("32 and 64 bits") {
  check<std::int32_t, std::int32_t, std::int32_t, 1, 40, 33>();
  check<std::int32_t, std::int32_t, std::int8_t, 9, 12, 20>();
  check<std::uint32_t, std::uint32_t, std::uint32_t, 21, 17, 35>();
  check<std::uint32_t, std::uint8_t, std::int8_t, 6, 40, 19>();
  check<std::int64_t, std::int64_t, std::int64_t, 7, 31, 18>();
  check<std::int64_t, std::int8_t, std::int64_t, 1, 64, 9>();
  check<std::uint64_t, std::uint64_t, std::uint64_t, 13, 8, 16>();
}
TEST_CASE("results as narrow as the operands keep the lower bits, as in NumPy") {
  auto const run = []<class A, class B>(A, B) {
    auto const a = numbers<tensor<A, 9, 70>>(5);
    auto const b = numbers<tensor<B, 70, 21>>(6);
    auto const y = eval(matmul(a, b));
    using T = typename decltype(y)::value_type;
    static_assert(dtype_of<T> == promote(dtype_of<A>, dtype_of<B>));
    int wrong = 0;
    for (extent_t i = 0; i < 9; ++i)
      for (extent_t j = 0; j < 21; ++j) wrong += y(i, j) != expected<T>(a, b, 70, i, j);
    CHECK(wrong == 0);
  };
  run(std::int8_t{}, std::int8_t{});
  run(std::uint8_t{}, std::uint8_t{});
  run(std::uint8_t{}, std::int8_t{});
  run(std::int16_t{}, std::int16_t{});
  run(std::uint16_t{}, std::uint16_t{});
  run(std::int32_t{}, std::int8_t{});
  run(std::uint32_t{}, std::int32_t{});
}
TEST_CASE("nothing to add up, and nothing to compute") {
  tensor<std::int8_t, 3, 0> const a;
  tensor<std::int8_t, 0, 4> const b;
  tensor<std::int32_t, 3, 4> const zeros_only = matmul(cast<std::int32_t>(a), cast<std::int32_t>(b));
  for (std::int32_t const x : zeros_only) CHECK(x == 0);
  tensor<std::int8_t, 1, 0> const row;
  tensor<std::int8_t, 0, 100> const wide;
  tensor<std::int32_t, 1, 100> const more_zeros = matmul(cast<std::int32_t>(row), cast<std::int32_t>(wide));
  for (std::int32_t const x : more_zeros) CHECK(x == 0);
  tensor<std::int32_t, 0, 5> const none = matmul(cast<std::int32_t>(tensor<std::uint8_t, 0, 3>()), cast<std::int32_t>(numbers<tensor<std::uint8_t, 3, 5>>(1)));
  CHECK(none.size() == 0);
}

namespace {

template <class A, class B>
void check_run_time() {
  for (extent_t const m : {1, 2, 3, 4, 5, 140})
    for (extent_t const k : {0, 1, 31, 300, 1100})
      for (extent_t const n : {1, 17, 70, 140}) {
        CAPTURE(m);
        CAPTURE(k);
        CAPTURE(n);
        tensor<A, dyn, dyn> a(m, k), at(k, m);
        tensor<B, dyn, dyn> b(k, n), bt(n, k);
        for (std::size_t i = 0; i < a.size(); ++i) a.data()[i] = static_cast<A>(i * 7919 + i / 11);
        for (std::size_t i = 0; i < b.size(); ++i) b.data()[i] = static_cast<B>(i * 104729 + i / 5);
        for (extent_t i = 0; i < k; ++i)
          for (extent_t j = 0; j < n; ++j) bt(j, i) = b(i, j);
        for (extent_t i = 0; i < m; ++i)
          for (extent_t j = 0; j < k; ++j) at(j, i) = a(i, j);
        using T = std::int32_t;
        tensor<T, dyn, dyn> const y = matmul(cast<T>(a), cast<T>(b)), z = matmul(cast<T>(a), transpose(cast<T>(bt))), w = matmul(transpose(cast<T>(at)), cast<T>(b));
        int wrong = 0;
        for (extent_t i = 0; i < m; ++i)
          for (extent_t j = 0; j < n; ++j) {
            T const right = expected<T>(a, b, k, i, j);
            wrong += (y(i, j) != right) + (z(i, j) != right) + (w(i, j) != right);
          }
        CHECK(wrong == 0);
      }
}

}  // namespace

TEST_CASE("extents chosen at run time") {
  check_run_time<std::int8_t, std::int8_t>();
  check_run_time<std::uint8_t, std::int8_t>();
  check_run_time<std::uint8_t, std::uint8_t>();
  check_run_time<std::int16_t, std::int8_t>();
  check_run_time<std::uint16_t, std::int16_t>();
  check_run_time<std::int32_t, std::int32_t>();
}
TEST_CASE("a quantised layer is one product, with its scales and bias behind it") {
  constexpr auto layer = [](auto const& x, auto const& w, auto const& scale, auto const& bias) {
    return cast<std::int8_t>(clip(round(relu(cast<float>(matmul(cast<std::int32_t>(x), transpose(cast<std::int32_t>(w)))) * scale + bias)), -128.0f, 127.0f));
  };
  using X = tensor<std::uint8_t, 33, 50>;
  using W = tensor<std::int8_t, 40, 50>;
  using V = tensor<float, 40>;
  constexpr auto program = compile(layer);
  static_assert(step_count(program.plan<X, W, V, V>) == 1 && contraction_count(program.plan<X, W, V, V>) == 1);
  auto const x = numbers<X>(1);
  auto const w = numbers<W>(2);
  V const scale = random::uniform<float, 40>(key{1}) * 1e-3f, bias = random::normal<float, 40>(key{2});
  auto const y = program(x, w, scale, bias);
  int wrong = 0;
  for (extent_t i = 0; i < 33; ++i)
    for (extent_t j = 0; j < 40; ++j) {
      float const exact = std::fmax(static_cast<float>(expected<std::int32_t>(x, tensor<std::int8_t, 50, 40>(transpose(w)), 50, i, j)) * scale(j) + bias(j), 0.0f);
      wrong += std::fabs(static_cast<float>(y(i, j)) - std::fmin(exact, 127.0f)) > 0.501f;
    }
  CHECK(wrong == 0);
}
TEST_CASE("casts are seen through layout, parts and other casts that keep all values") {
  using T = std::int32_t;
  using X = tensor<std::int8_t, 8, 30>;
  using W = tensor<std::uint8_t, 12, 30>;
  constexpr auto part = compile([](auto const& x, auto const& w) { return matmul(slice<0, 1, 5>(cast<T>(x)), transpose(cast<T>(cast<std::int16_t>(w)))); });
  static_assert(step_count(part.plan<X, W>) == 1);
  auto const x = numbers<X>(1);
  auto const w = numbers<W>(2);
  auto const y = part(x, w);
  // What does not keep values is computed, and so is what is wider.
  auto const z = compile([](auto const& p, auto const& q) { return matmul(cast<T>(cast<std::uint16_t>(p)), transpose(cast<T>(cast<std::int8_t>(q)))); })(x, w);
  int wrong = 0;
  for (extent_t i = 0; i < 8; ++i)
    for (extent_t j = 0; j < 12; ++j) {
      T sum = 0, narrowed = 0;
      for (extent_t k = 0; k < 30; ++k) {
        sum += static_cast<T>(x(i, k)) * static_cast<T>(w(j, k));
        narrowed += static_cast<T>(static_cast<std::uint16_t>(x(i, k))) * static_cast<T>(static_cast<std::int8_t>(w(j, k)));
      }
      if (i >= 1 && i < 5) wrong += y(i - 1, j) != sum;
      wrong += z(i, j) != narrowed;
    }
  CHECK(wrong == 0);
}
TEST_CASE("batches, vmap, threads and parts of larger matrices") {
  using T = std::int32_t;
  auto const a = numbers<tensor<std::int8_t, 3, 10, 24>>(1);
  auto const b = numbers<tensor<std::int8_t, 3, 24, 18>>(2);
  tensor<T, 3, 10, 18> const y = matmul(cast<T>(a), cast<T>(b));
  auto const one = [](auto const& p, auto const& q) { return matmul(cast<T>(p), cast<T>(q)); };
  tensor<T, 3, 10, 18> const mapped = vmap(one)(a, b);
  auto const for_all = numbers<tensor<std::int8_t, 24, 18>>(4);
  tensor<T, 3, 10, 18> const mapped_left = vmap<dimity::mapped, whole>(one)(a, for_all);
  tensor<T, 3, 7, 18> const part = matmul(cast<T>(slice<1, 1, 8>(a)), cast<T>(b));
  tensor<T, 3, 10, 18> const odd = matmul(cast<T>(slice<2, 1, 24>(a)), cast<T>(slice<1, 1, 24>(b)));
  int wrong = 0;
  for (extent_t n = 0; n < 3; ++n)
    for (extent_t i = 0; i < 10; ++i)
      for (extent_t j = 0; j < 18; ++j) {
        T sum = 0, without_first = 0, left = 0;
        for (extent_t l = 0; l < 24; ++l) {
          T const term = static_cast<T>(a(n, i, l)) * static_cast<T>(b(n, l, j));
          sum += term;
          without_first += l > 0 ? term : 0;
          left += static_cast<T>(a(n, i, l)) * static_cast<T>(for_all(l, j));
        }
        wrong += y(n, i, j) != sum || mapped(n, i, j) != sum || mapped_left(n, i, j) != left || odd(n, i, j) != without_first;
        if (i >= 1 && i < 8) wrong += part(n, i - 1, j) != sum;
      }
  CHECK(wrong == 0);
  auto const x = numbers<tensor<std::int8_t, 96, 600>>(5);
  auto const w = numbers<tensor<std::int8_t, 600, 320>>(6);
  auto const row = numbers<tensor<std::uint8_t, 2, 600>>(7);
  tensor<T, 96, 320> const alone = matmul(cast<T>(x), cast<T>(w)), together = eval(matmul(cast<T>(x), cast<T>(w)), cpu{.threads = 3});
  tensor<T, 2, 320> const rows_alone = matmul(cast<T>(row), cast<T>(w)), rows_together = eval(matmul(cast<T>(row), cast<T>(w)), cpu{.threads = 3});
  for (std::size_t i = 0; i < alone.size(); ++i) wrong += alone.data()[i] != together.data()[i];
  for (std::size_t i = 0; i < rows_alone.size(); ++i) wrong += rows_alone.data()[i] != rows_together.data()[i];
  CHECK(wrong == 0);
}
