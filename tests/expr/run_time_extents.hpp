// What the tests of extents chosen at run time share: the same tensor with known and with chosen extents, and checks of one function on both.
#pragma once

#include <dimity/dimity.hpp>
#include <dimity/expr/print.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <string>

namespace run_time {

using namespace dimity;

constexpr auto batch = dim<"batch">;

/// Elements without a pattern, some of them negative, equal, or 0.
template <class T>
T element_at(extent_t i) {
  return static_cast<T>(static_cast<double>((i * 37 + 11) % 23 - 9) / 4);
}
template <class X>
X made() {
  X x;
  for (std::size_t i = 0; i < x.size(); ++i) x.data()[i] = element_at<typename X::value_type>(static_cast<extent_t>(i));
  return x;
}
template <extent_t... R, class T, extent_t... E>
tensor<T, R...> as(tensor<T, E...> const& x) {
  tensor<T, R...> y;
  extent_t const extents[] = {E...};
  y.take_extents(extents);
  for (std::size_t i = 0; i < x.size(); ++i) y.data()[i] = x.data()[i];
  return y;
}
template <class X, class Y>
void check_same(X const& known, Y const& chosen) {
  REQUIRE(X::rank == Y::rank);
  for (int i = 0; i < X::rank; ++i) REQUIRE(known.extent(i) == chosen.extent(i));
  for (std::size_t i = 0; i < known.size(); ++i) {
    auto const a = static_cast<double>(known.data()[i]), b = static_cast<double>(chosen.data()[i]);
    bool const same = a == b || (a != a && b != b) || std::abs(a - b) <= 1e-6 * (1 + std::abs(a));
    CHECK_MESSAGE(same, "element ", i, ": ", a, " and ", b);
  }
}
/// f on [n, 6]: known, and with a first extent chosen at run time.
template <class F>
void check_rows(F const& f) {
  auto const x = made<tensor<float, 13, 6>>();
  check_same(eval(f(x)), eval(f(as<batch, 6>(x))));
}
/// The same with both, and with one row.
template <class F>
void check_unary(F const& f) {
  auto const x = made<tensor<float, 13, 6>>();
  auto const y = made<tensor<float, 1, 6>>();
  check_same(eval(f(x)), eval(f(as<dyn, dyn>(x))));
  check_same(eval(f(y)), eval(f(as<dyn, dyn>(y))));
}
/// The same for functions of two matrices [n, 6] and [n, 6].
template <class F>
void check_binary(F const& f) {
  auto const x = made<tensor<float, 13, 6>>();
  tensor<float, 13, 6> const y = x * 0.5f + 1.0f;
  auto const want = eval(f(x, y));
  check_same(want, eval(f(as<dyn, dyn>(x), as<dyn, dyn>(y))));
  check_same(want, eval(f(as<batch, 6>(x), as<batch, 6>(y))));
  check_same(want, eval(f(as<batch, 6>(x), as<dyn, 6>(y))));
}

}  // namespace run_time
