// What the hand-written gradients share: registers of doubles, and their functions. The same xsimd as dimity uses, so that the mathematical library is not what is compared.
#pragma once

#include <xsimd/xsimd.hpp>

#include <cstddef>

namespace hand {

using lanes = xsimd::batch<double>;
inline constexpr std::size_t width = lanes::size;

inline lanes load(double const* p) { return lanes::load_unaligned(p); }
inline void store(double* p, lanes const& v) { v.store_unaligned(p); }
inline double total(lanes const& v) {
  alignas(64) double e[width];
  v.store_aligned(e);
  double s = 0;
  for (double x : e) s += x;
  return s;
}
/// 1 in the first n lanes.
inline lanes first(std::size_t n) {
  alignas(64) double e[width];
  for (std::size_t i = 0; i < width; ++i) e[i] = i < n ? 1 : 0;
  return lanes::load_aligned(e);
}
inline constexpr std::size_t padded(std::size_t n) { return (n + 7) / 8 * 8; }

}  // namespace hand
