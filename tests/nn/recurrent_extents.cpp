// Recurrent layers on sequences whose length or batch is chosen at run time.
#include <dimity/dimity.hpp>
#include <doctest/doctest.h>

#include <algorithm>

#include "recurrent.hpp"

using namespace dimity;
using namespace recurrent_test;

TEST_CASE("lengths and batches chosen at run time") {
  auto const all = data().get<double, 4, 2, 3>("recurrent/x");
  auto const layer = parameters<nn::gru<double, 3, 5>, double, 3>("gru");
  auto const expected = std::get<0>(layer(all));
  for (extent_t const n : {1, 3, 4}) {
    tensor<double, dim<"length">, 2, 3> x(n);
    std::copy_n(all.data(), x.size(), x.data());
    auto const [outputs, last] = layer(x);
    CHECK(outputs.extent(0) == static_cast<std::size_t>(n));
    CHECK(allclose(last, row(expected, n - 1)));
  }
  for (extent_t const n : {0, 1, 2}) {
    tensor<double, 4, dim<"batch">, 3> x(n);
    for (extent_t t = 0; t < 4; ++t)
      for (extent_t b = 0; b < n; ++b)
        for (extent_t i = 0; i < 3; ++i) x(t, b, i) = all(t, b, i);
    auto const [outputs, last] = layer(x);
    CHECK(last.extent(0) == static_cast<std::size_t>(n));
    for (extent_t b = 0; b < n; ++b) CHECK(allclose(row(last, b), row(row(expected, 3), b)));
    tensor<double, dim<"batch">, 5> h(n);
    h = 0.0;
    CHECK(allclose(std::get<0>(layer(x, h)), outputs));
  }
}
