// The recurrence that the tests of scan share, as a scan and unrolled while it is traced.
#pragma once

#include "derivatives.hpp"

#include <array>
#include <cstdint>

namespace test {

using namespace dimity;

inline constexpr int steps = 6;

inline constexpr auto cell = [](auto const& h, auto const& x, auto const& w, auto const& u) {
  auto next = tanh(matmul(h, w) + matmul(x, u));
  return std::tuple{next, sum(next * x)};
};
inline constexpr auto rnn = [](auto const& h, auto const& xs, auto const& w, auto const& u) {
  auto [last, ys] = scan(cell, h, xs, w, u);
  return std::tuple{last, ys};
};
/// The same, unrolled while it is traced.
inline constexpr auto unrolled = [](auto const& h, auto const& xs, auto const& w, auto const& u) {
  auto now = h;
  std::array<decltype(sum(h)), steps> ys{};
  for (int t = 0; t < steps; ++t) {
    auto [next, y] = cell(now, pick<0>(xs, std::int32_t{t}), w, u);
    now = next;
    ys[static_cast<std::size_t>(t)] = y;
  }
  return std::tuple{now, stack<0>(ys[0], ys[1], ys[2], ys[3], ys[4], ys[5])};
};
inline constexpr auto loss_of = [](auto const& out) { return sum(square(std::get<0>(out))) + sum(sin(std::get<1>(out))); };
inline constexpr auto rnn_loss = [](auto const& h, auto const& xs, auto const& w, auto const& u) { return loss_of(rnn(h, xs, w, u)); };
inline constexpr auto unrolled_loss = [](auto const& h, auto const& xs, auto const& w, auto const& u) { return loss_of(unrolled(h, xs, w, u)); };

inline auto const h0 = spread<tensor<double, 3>>(-1, 1);
inline auto const xs = spread<tensor<double, steps, 3>>(-1, 1);
inline auto const w = spread<tensor<double, 3, 3>>(-0.7, 0.9);
inline auto const u = spread<tensor<double, 3, 3>>(-0.5, 0.8);

template <class A, class B>
void check_same(A const& a, B const& b, double tolerance = 1e-12) {
  int at = 0;
  detail::for_each_leaf(a, [&](auto const& x) {
    int other = 0;
    detail::for_each_leaf(b, [&](auto const& y) {
      if constexpr (std::is_same_v<decltype(x), decltype(y)>)
        if (other == at) CHECK(allclose(x, y, tolerance, tolerance));
      ++other;
    });
    ++at;
  });
}

}  // namespace test
