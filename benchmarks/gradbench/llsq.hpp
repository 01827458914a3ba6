// llsq's gradient by hand: Horner's rule for 32 points in registers, then the residuals times rising powers.
#pragma once

#include "lanes.hpp"

namespace hand {

template <int points, int terms>
void llsq_gradient(double const* x, double* gradient) {
  constexpr int block = 32;
  static lanes sums[terms];
  for (lanes& s : sums) s = lanes(0.0);
  alignas(64) double t[block], r[block];
  for (int begin = 0; begin < points; begin += block) {
    lanes p[block / width], u[block / width];
    for (int i = 0; i < block; ++i) t[i] = -1 + (begin + i) * (2.0 / (points - 1));
    for (std::size_t v = 0; v < block / width; ++v) {
      u[v] = load(t + v * width);
      p[v] = lanes(x[terms - 1]);
    }
    for (int j = terms - 2; j >= 0; --j)
      for (std::size_t v = 0; v < block / width; ++v) p[v] = xsimd::fma(p[v], u[v], lanes(x[j]));
    for (std::size_t v = 0; v < block / width; ++v) store(r + v * width, p[v]);
    for (int i = 0; i < block; ++i) r[i] = begin + i < points ? r[i] - (t[i] > 0 ? 1 : t[i] < 0 ? -1 : 0) : 0;
    for (std::size_t v = 0; v < block / width; ++v) p[v] = load(r + v * width);
    for (int j = 0; j < terms; ++j) {
      lanes s = p[0];
      for (std::size_t v = 1; v < block / width; ++v) s += p[v];
      sums[j] += s;
      for (std::size_t v = 0; v < block / width; ++v) p[v] *= u[v];
    }
  }
  for (int j = 0; j < terms; ++j) gradient[j] = total(sums[j]);
}

}  // namespace hand
