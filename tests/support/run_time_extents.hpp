// What the tests of extents chosen at run time share: the same tensor with known and with chosen extents.
#pragma once

#include <dimity/dimity.hpp>

#include <doctest/doctest.h>

#include <cmath>

namespace test {

using namespace dimity;

constexpr auto batch = dim<"batch">;

template <extent_t... R, class T, extent_t... E>
tensor<T, R...> as(tensor<T, E...> const& x) {
  tensor<T, R...> y;
  extent_t const extents[] = {E...};
  y.take_extents(extents);
  for (std::size_t i = 0; i < x.size(); ++i) y.data()[i] = x.data()[i];
  return y;
}
template <class X, class Y>
void check_same(X const& known, Y const& chosen, double tolerance = 1e-6) {
  REQUIRE(X::rank == Y::rank);
  for (int i = 0; i < X::rank; ++i) REQUIRE(known.extent(i) == chosen.extent(i));
  for (std::size_t i = 0; i < known.size(); ++i) {
    auto const a = static_cast<double>(known.data()[i]), b = static_cast<double>(chosen.data()[i]);
    bool const same = a == b || (a != a && b != b) || std::abs(a - b) <= tolerance * (1 + std::abs(a));
    CHECK_MESSAGE(same, "element ", i, ": ", a, " and ", b);
  }
}
}  // namespace test
