// The same function on this machine and on a GPU: an emulated one, in each order of threads, or, where nvcc compiles this, a real one.
#pragma once

#if !defined(__CUDACC__)
#include "emulated_cuda.hpp"
#else
// What tests ask the emulation; there is no answer on a GPU.
namespace emulation {
enum class schedule { round_robin };
inline schedule order = schedule::round_robin;
inline long launches = 0, recordings = 0, replays = 0, tile_products = 0;
struct memory_of_device {
  struct {
    static std::size_t size() { return 0; }
  } blocks;
  long allocations = 0;
  static memory_of_device& get() {
    static memory_of_device m;
    return m;
  }
};
}  // namespace emulation
#endif

#include <dimity/cuda.hpp>
#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <limits>

namespace test {

#if defined(__CUDACC__)
inline constexpr bool emulated = false;
inline constexpr emulation::schedule schedules[] = {emulation::schedule::round_robin};
#else
inline constexpr bool emulated = true;
inline constexpr emulation::schedule schedules[] = {emulation::schedule::round_robin, emulation::schedule::forward, emulation::schedule::backward};
#endif

/// Pseudo-random words of 24 bits: the upper bits of Knuth's linear congruence modulo 2^64.
class random_words {
 public:
  explicit random_words(std::uint64_t seed) : state_(seed * 0x9e3779b97f4a7c15u + 1) {}
  int operator()() {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    return static_cast<int>(state_ >> 40);
  }

 private:
  std::uint64_t state_;
};

/// Values that tests can tell apart: about normal, none equal.
template <class T, dimity::extent_t... E>
dimity::tensor<T, E...> numbers(std::uint64_t seed) {
  if constexpr (std::is_floating_point_v<T>) return dimity::random::normal<T, E...>(dimity::key{seed});
  else if constexpr (dimity::detail::storage_float<T>) return dimity::cast<T>(dimity::random::normal<float, E...>(dimity::key{seed}));
  else {
    dimity::tensor<T, E...> x;
    random_words next(seed);
    for (T& e : x) {
      e = static_cast<T>(next() % 100);
      if constexpr (std::is_signed_v<T>) e = static_cast<T>(e - 50);
    }
    return x;
  }
}

/// The same where extents are chosen at run time.
template <class T, dimity::extent_t... E, class... N>
  requires(sizeof...(N) > 0)
dimity::tensor<T, E...> numbers(std::uint64_t seed, N... extents) {
  dimity::tensor<T, E...> x(extents...);
  random_words next(seed);
  for (T& e : x) e = static_cast<T>(static_cast<float>(next() % 2000 - 1000) / 500.0f);
  return x;
}

template <class A, class B>
void check_close(A const& got, B const& wanted, double tolerance) {
  REQUIRE(got.size() == wanted.size());
  auto const *g = got.data(), *w = wanted.data();
  std::size_t const count = got.size();
  std::size_t wrong = 0;
  double worst = 0;
  for (std::size_t i = 0; i < count; ++i) {
    double const x = static_cast<double>(g[i]), y = static_cast<double>(w[i]);
    bool const same = x == y || (x != x && y != y);
    double const error = same ? 0 : std::abs(x - y) / (1 + std::abs(y));
    worst = error > worst || error != error ? error : worst;
    wrong += !(same || error <= tolerance);
  }
  CAPTURE(worst);
  CHECK(wrong == 0);
}

/// Largest difference, relative to 1 + |value|, that results may have; element types decide unless given.
template <class T>
inline constexpr double usual_tolerance = std::is_same_v<T, double> ? 1e-12 : std::is_integral_v<T> ? 0 : dimity::detail::storage_float<T> ? 0.02 : 2e-5;

template <class Result, class Wanted>
void compare(Result const& got, Wanted const& wanted, double tolerance) {
  dimity::detail::leaf_addresses<Wanted> const w(wanted);
  int n = 0;
  auto const host = dimity::to_host(got);
  dimity::detail::for_each_leaf(host, [&](auto const& leaf) {
    using L = std::remove_cvref_t<decltype(leaf)>;
    using T = typename L::value_type;
    struct view {
      T const* p;
      std::size_t n;
      T const* data() const { return p; }
      std::size_t size() const { return n; }
    };
    std::size_t count = 1;
    for (int axis = 0; axis < L::rank; ++axis) {
      CHECK(leaf.extent(axis) == static_cast<std::size_t>(w.extents[n][axis]));
      count *= static_cast<std::size_t>(w.extents[n][axis]);
    }
    check_close(leaf, view{static_cast<T const*>(w.of[n]), count}, tolerance < 0 ? usual_tolerance<T> : tolerance);
    ++n;
  });
}

template <class Device = dimity::cuda, class F, class... Args>
void same_within(double tolerance, F const& f, Args const&... args) {
  auto const wanted = dimity::compile(f)(args...);
  for (emulation::schedule const order : schedules) {
    CAPTURE(static_cast<int>(order));
    emulation::order = order;
    auto const got = dimity::compile(f, Device{})(dimity::to_cuda(args)...);
    compare(got, wanted, tolerance);
  }
  emulation::order = emulation::schedule::round_robin;
}
template <class F, class... Args>
void same_on_cuda(F const& f, Args const&... args) {
  same_within(-1, f, args...);
}

}  // namespace test
