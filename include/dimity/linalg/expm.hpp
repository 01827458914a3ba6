// The exponential of a matrix.
#pragma once

#include <dimity/linalg/solve.hpp>

namespace DIMITY_NAMESPACE {
namespace linalg {

/// 1 + a + a a / 2 + .. of matrices a, [.., n, n]: the solution at time 1 of x' = a x. A Pade approximant of a / 2^s that is squared s times (Higham, 2005): 2 (small norms) to 7 + s products of matrices and a system of equations, where s grows with log2 of the norm.
/// A derivative is the exponential of a matrix twice as large. All nan where an element of a is not finite.
template <operand A>
constexpr auto expm(A&& a) {
  return detail::apply_to_square<detail::square_operation<detail::expm>>(static_cast<A&&>(a));
}

}  // namespace linalg
}  // namespace DIMITY_NAMESPACE
