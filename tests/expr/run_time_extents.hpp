// Checks of one expression on tensors with known extents, and on the same with extents chosen at run time.
#pragma once

#include <dimity/expr/print.hpp>

#include "../support/run_time_extents.hpp"

#include <string>

namespace run_time {

using namespace dimity;

using test::as;
using test::batch;
using test::check_same;

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
