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

/// The value, the tangent along d and the cotangents of u, in one program: the cheapest to compile.
template <class F>
struct value_and_derivatives {
  constexpr auto operator()(auto const& x, auto const& d, auto const& u) const {
    auto const [y, tangent] = dimity::jvp(F{}, x, d);
    return std::tuple{y, tangent, std::get<1>(dimity::vjp(F{}, x, u))};
  }
};

/// For each result k of f and random u, d: <J_k^T u, d>, by reverse mode, and <u, J_k d>, by forward mode, against central differences.
template <class F, class... Args>
void check_derivatives(F const&, Args const&... args) {
  namespace d = dimity::detail;
  std::tuple<Args...> const x{args...};
  auto direction = x;
  d::untraced_tree_t<typename d::traced_source<F, Args...>::result> u{};
  d::direction_source random{5};
  int const results = static_cast<int>(d::floating_paths(u).size());
  for (int k = 0; k < results; ++k) {
    d::fill_direction(u, k, random);
    for (int only = -1; only < static_cast<int>(sizeof...(Args)); ++only) {
      d::fill_direction(direction, only, random);
      auto const run = [&](double h) { return dimity::compile(value_and_derivatives<F>{})(d::moved_along(x, direction, h), direction, u); };
      auto const [y, tangent, pulled] = run(0);
      double const h = 1e-6, numeric = (d::tree_dot(u, std::get<0>(run(h))) - d::tree_dot(u, std::get<0>(run(-h)))) / (2 * h);
      double const reverse = d::tree_dot(pulled, direction), forward = d::tree_dot(u, tangent), bound = 2e-8 * (1 + std::abs(numeric)) + 2e-9 * d::largest_magnitude(y);
      CAPTURE(k);
      CAPTURE(only);
      CHECK(std::abs(reverse - numeric) <= bound);
      CHECK(std::abs(forward - reverse) <= 1e-12 * (1 + std::abs(reverse)));
    }
  }
}

}  // namespace test
