// Tables of derivatives: a function that returns a tuple is compiled once, each of its results is checked on its own.
#pragma once

#include <dimity/dimity.hpp>
#include <dimity/transform/check_gradients.hpp>
#include <doctest/doctest.h>

namespace test {

/// Distinct values between low and high, none of them at a multiple of 1/2, where rounding functions jump.
template <class X>
X spread(double low, double high) {
  X x{};
  dimity::detail::for_each_floating(x, [&](auto* v, std::size_t n) {
    for (std::size_t i = 0; i < n; ++i) {
      double const t = (static_cast<double>((i * 7 + 3) % (n + 1)) + 0.37) / (static_cast<double>(n) + 1);
      v[i] = static_cast<std::remove_cvref_t<decltype(*v)>>(low + (high - low) * t);
    }
  });
  return x;
}

/// For each result k of f and random u, d: <J_k^T u, d>, by reverse mode, and <u, J_k d>, by forward mode, against central differences.
template <class F, class... Args>
void check_derivatives(F const& f, Args const&... args) {
  namespace d = dimity::detail;
  std::tuple<Args...> const x{args...};
  d::direction_source random{5};
  auto direction = x;
  // The values of jvp's program too: one program less to compile.
  auto const along = [&](auto const& at, auto const& tangent) { return dimity::jvp(f, at, tangent); };
  auto const y = std::get<0>(along(x, direction));
  auto u = y;
  int const results = static_cast<int>(d::floating_paths(y).size());
  for (int k = 0; k < results; ++k) {
    d::fill_direction(u, k, random);
    auto const pulled = std::get<1>(dimity::vjp(f, x, u));
    for (int only = -1; only < static_cast<int>(sizeof...(Args)); ++only) {
      d::fill_direction(direction, only, random);
      double const h = 1e-6;
      auto const value = [&](double to) { return d::tree_dot(u, std::get<0>(along(d::moved_along(x, direction, to), direction))); };
      double const numeric = (value(h) - value(-h)) / (2 * h), bound = 2e-8 * (1 + std::abs(numeric)) + 2e-9 * d::largest_magnitude(y);
      double const reverse = d::tree_dot(pulled, direction), forward = d::tree_dot(u, std::get<1>(along(x, direction)));
      CAPTURE(k);
      CAPTURE(only);
      CHECK(std::abs(reverse - numeric) <= bound);
      CHECK(std::abs(forward - reverse) <= 1e-12 * (1 + std::abs(reverse)));
    }
  }
}

}  // namespace test
