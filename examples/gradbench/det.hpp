// det of GradBench (github.com/gradbench/gradbench, evals/det; from cmpad): a determinant by expansion by minors.
#pragma once

#include <dimity/dimity.hpp>

#include <array>
#include <cstddef>
#include <utility>

namespace gradbench::det {

using namespace dimity;

/// All elements as numbers of their own, row by row.
template <int size>
inline constexpr auto elements = [](auto const& a) {
  return [&]<int... i>(std::integer_sequence<int, i...>) { return std::array{reshape<>(slice<0, i, i + 1>(flatten(a)))...}; }(std::make_integer_sequence<int, size * size>{});
};

/// The minor of the last rows from `row` on and of the columns in `columns` (bits), expanded along its first row.
/// The recursion runs while the function is traced. It asks for each minor many times, but equal nodes are one node, so what remains are the 2^size different minors.
template <int size, class Scalar>
constexpr Scalar minor(std::array<Scalar, size * size> const& a, int row, unsigned columns) {
  Scalar sum;
  bool first = true, positive = true;
  for (int j = 0; j < size; ++j) {
    if ((columns >> j & 1u) == 0) continue;
    auto const& element = a[static_cast<std::size_t>(row * size + j)];
    auto const term = row + 1 == size ? element : element * minor<size>(a, row + 1, columns & ~(1u << j));
    sum = first ? term : positive ? sum + term : sum - term;
    first = false;
    positive = !positive;
  }
  return sum;
}

/// f(a) = det a. a: [size, size]. GradBench: size = 5, 6, ... 11.
template <int size>
inline constexpr auto objective = [](auto const& a) { return minor<size>(elements<size>(a), 0, (1u << size) - 1); };

template <int size>
inline constexpr auto gradient = grad(objective<size>);

}  // namespace gradbench::det
