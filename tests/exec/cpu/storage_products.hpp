// Products of 16- and 8-bit matrices in every layout, against sums in double and against the scalar reference: what the tests of several kernels share.
#pragma once

#include <dimity/dimity.hpp>
#include <doctest/doctest.h>

#include <cstddef>

namespace test {

using namespace dimity;

/// Small multiples of 1/8: all sums are exact in float, whatever their order.
template <class X>
X numbers(int seed = 1) {
  X x;
  for (std::size_t i = 0; i < x.size(); ++i) x.data()[i] = typename X::value_type(static_cast<float>(static_cast<int>((i * 37 + static_cast<std::size_t>(seed) * 11) % 33) - 16) * 0.125f);
  return x;
}
template <class Left, class Right>
float expected(Left const& a, Right const& b, extent_t k, extent_t i, extent_t j) {
  double sum = 0;
  for (extent_t l = 0; l < k; ++l) sum += static_cast<double>(static_cast<float>(a(i, l))) * static_cast<double>(static_cast<float>(b(l, j)));
  return static_cast<float>(sum);
}
template <class T, extent_t M, extent_t K, extent_t N>
void check_layouts() {
  CAPTURE(M);
  CAPTURE(K);
  CAPTURE(N);
  auto const a = numbers<tensor<T, M, K>>(1);
  auto const at = numbers<tensor<T, K, M>>(2);
  auto const b = numbers<tensor<T, K, N>>(3);
  auto const bt = numbers<tensor<T, N, K>>(4);
  tensor<T, M, K> const ta = transpose(at);
  tensor<T, K, N> const tb = transpose(bt);
  // The sums are exact, and so is what is asked for as float; what is stored in 16 bits is rounded once.
  tensor<float, M, N> const plain = cast<float>(matmul(a, b)), left = cast<float>(matmul(transpose(at), b)), right = cast<float>(matmul(a, transpose(bt))), both = cast<float>(matmul(transpose(at), transpose(bt)));
  tensor<T, M, N> const stored = matmul(a, b);
  tensor<T, M, N> const reference = eval(matmul(a, b), scalar);
  int wrong = 0;
  for (extent_t i = 0; i < M; ++i)
    for (extent_t j = 0; j < N; ++j) {
      wrong += plain(i, j) != expected(a, b, K, i, j) || left(i, j) != expected(ta, b, K, i, j) || right(i, j) != expected(a, tb, K, i, j) || both(i, j) != expected(ta, tb, K, i, j);
      wrong += stored(i, j).bits != T(expected(a, b, K, i, j)).bits || reference(i, j).bits != stored(i, j).bits;
    }
  CHECK(wrong == 0);
}

}  // namespace test
