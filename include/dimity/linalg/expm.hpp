// The exponential of a matrix.
#pragma once

#include <dimity/linalg/solve.hpp>

namespace dimity {
namespace detail {

struct expm_operation {
  static constexpr ref emit(builder& g, ref a) {
    g.unify(a.extent(a.rank() - 1), a.extent(a.rank() - 2));
    return expm(a);
  }
};

}  // namespace detail

namespace linalg {

/// 1 + a + a a / 2 + .. of matrices a, [.., n, n]: the solution at time 1 of x' = a x. A Pade approximant of a / 2^s that is squared s times (Higham, 2005): 6 to 8 + s products of matrices, where s grows with log2 of the norm.
/// A derivative is the exponential of a matrix twice as large. All nan where an element of a is not finite.
template <operand A>
constexpr auto expm(A&& a) {
  return detail::apply_to_square<detail::expm_operation>(static_cast<A&&>(a));
}

}  // namespace linalg
}  // namespace dimity
