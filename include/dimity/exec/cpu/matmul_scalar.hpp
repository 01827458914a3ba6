// Matrix products without vectors.
#pragma once

#include <dimity/exec/cpu/matmul_pack.hpp>

#include <type_traits>

namespace DIMITY_NAMESPACE::detail {

/// The element of a sum in which integers wrap around instead of overflowing.
template <class T>
struct wrapping {
  using type = T;
};
template <class T>
  requires std::is_integral_v<T>
struct wrapping<T> {
  using type = std::conditional_t<(sizeof(T) < sizeof(unsigned)), unsigned, std::make_unsigned_t<T>>;
};

/// The product as it is defined, and for element types without vectors; calls `sink(i, j, value)` once per output.
template <class T, class A, class B, class Sink, class Share = mm::whole_product>
void matmul_scalar(matmul_problem const& P, A const* a, B const* b, Sink const& sink, Share const share = {}) {
  static_assert(!std::is_same_v<T, bool>);
  using sum_type = typename wrapping<T>::type;
  for (std::int64_t i = share.begin(P.m); i < share.end(P.m); ++i)
    for (std::int64_t j = 0; j < P.n; ++j) {
      sum_type sum{};
      for (std::int64_t k = 0; k < P.k; ++k)
        sum = sum + static_cast<sum_type>(a[i * P.a_row + k * P.a_col]) * static_cast<sum_type>(b[k * P.b_row + j * P.b_col]);
      sink(i, j, static_cast<T>(sum));
    }
}

}  // namespace DIMITY_NAMESPACE::detail
