// Matrices that the tests of linear algebra share.
#pragma once

#include "../transform/derivatives.hpp"

namespace test {

using namespace dimity;

template <class T, extent_t N>
tensor<T, N, N> positive() {
  auto const m = spread<tensor<T, N, N>>(-1, 1);
  return matmul(m, transpose(m)) + eye<T, N>();
}
/// Far from singular, and such that rows must be exchanged.
template <class T, extent_t N>
tensor<T, N, N> regular() {
  auto a = spread<tensor<T, N, N>>(-1, 1);
  for (extent_t i = 0; i < N; ++i) a(i, (i + 1) % N) += T(2);
  return a;
}

}  // namespace test
