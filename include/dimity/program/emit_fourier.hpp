// Appending to a program: Fourier transforms. A complex array is two planes, [.., 2, n]: real parts, imaginary parts.
#pragma once

#include <dimity/program/emit_layout.hpp>

namespace DIMITY_NAMESPACE::detail {

/// x: [.., 2, n] -> [.., 2, n]: y_k = sum_j x_j exp(-2 pi i j k / n), or with + where `inverse`; not normalised
constexpr ref fft(ref x, bool inverse) { return append(*x.g, primitive::fft, x.type(), x.shape(), x.id, -1, -1, inverse); }
/// x: [.., n], real -> [.., 2, n / 2 + 1]: the entries of its transform that are not conjugates of others
constexpr ref rfft(ref x) {
  shape_value s = x.shape();
  amount const n = s.extent[s.rank - 1];
  s.extent[s.rank - 1] = 2;
  s.push(n.number() / 2 + 1);
  return append(*x.g, primitive::rfft, x.type(), s, x.id);
}
/// y: [.., 2, n / 2 + 1] -> [.., n], real: n times the x with y = rfft(x). The imaginary parts of entries 0 and, for even n, n / 2 are not read.
constexpr ref irfft(ref y, amount n) {
  shape_value s = y.shape();
  --s.rank;
  s.extent[s.rank - 1] = n;
  return append(*y.g, primitive::irfft, y.type(), s, y.id);
}
/// For entries [.., 2, n / 2 + 1]: 1 for those that are real, `others` for those that stand for a conjugate too.
constexpr ref half_spectrum_weights(ref y, amount n, double others) {
  builder& g = *y.g;
  shape_value const& s = y.shape();
  ref const k = iota(g, dtype::int64, s, s.rank - 1);
  ref const one = full_like(y, 1), weight = select(equal(k, full(g, dtype::int64, s, 0)), one, full_like(y, others));
  return n.number() % 2 != 0 ? weight : select(equal(k, full(g, dtype::int64, s, static_cast<double>(n.number() / 2))), one, weight);
}

}  // namespace DIMITY_NAMESPACE::detail
