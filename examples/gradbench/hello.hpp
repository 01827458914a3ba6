// hello of GradBench (github.com/gradbench/gradbench, evals/hello): x^2 and its derivative.
#pragma once

#include <dimity/dimity.hpp>

namespace gradbench::hello {

/// f(x) = x^2 for one number.
inline constexpr auto square = [](auto const& x) { return x * x; };

/// f'(x) = 2x
inline constexpr auto twice = dimity::grad(square);

}  // namespace gradbench::hello
