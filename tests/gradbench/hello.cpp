// hello of GradBench.
// heavy: many compiled derivatives
#include "../../examples/gradbench/hello.hpp"

#include <doctest/doctest.h>

TEST_CASE("hello: the square and its derivative") {
  for (double x : {-2.5, 0.0, 3.0, 1e100}) {
    CHECK(gradbench::hello::square(x) == x * x);
    CHECK(gradbench::hello::twice(x) == 2 * x);
  }
}
