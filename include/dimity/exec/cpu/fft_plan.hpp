// How a Fourier transform of a given length is computed: in registers, as a sum, in passes over memory, or as a convolution.
#pragma once

#include <dimity/exec/cpu/fft_lanes.hpp>

namespace DIMITY_NAMESPACE::detail {

/// Prime factors beyond this one cost more as butterflies than as convolutions.
inline constexpr extent_t fft_largest_prime = 31;
inline constexpr int fft_largest_in_registers = 15;
/// Sums of all elements are used up to here where they are the simplest, or, with large prime factors, the fastest.
inline constexpr extent_t fft_largest_simple_sum = 31, fft_largest_sum = 63;

constexpr extent_t largest_prime_factor(extent_t n) {
  extent_t largest = 1;
  for (extent_t f = 2; f * f <= n; ++f)
    for (; n % f == 0; n /= f) largest = f;
  return n > 1 ? n : largest;
}

enum class fft_method { registers, sum, passes, convolution };
constexpr fft_method fft_method_of(extent_t n) {
  if (n <= fft_largest_in_registers) return fft_method::registers;
  if (n == 16) return fft_method::passes;
  if (n <= fft_largest_simple_sum) return fft_method::sum;
  if (largest_prime_factor(n) <= fft_largest_prime) return fft_method::passes;
  return n <= fft_largest_sum ? fft_method::sum : fft_method::convolution;
}

/// Imaginary parts lie this far behind real ones in scratch memory: a multiple of 64 bytes, but not of 4096, where the caches would take them for neighbours of the real parts.
constexpr extent_t fft_distance(extent_t n) { return (n + 15) / 16 * 16 + (n >= 256 ? 16 : 0); }
/// The length of the circular convolution that a transform of length n is made from: 2^k, the shortest that does not wrap around.
constexpr extent_t fft_convolution_length(extent_t n) {
  extent_t length = 1;
  while (length < 2 * n - 1) length *= 2;
  return length;
}

/// Elements of T that a transform of length n needs beside input and output.
constexpr extent_t fft_scratch_elements(extent_t n) {
  switch (fft_method_of(n)) {
    case fft_method::passes: return 2 * fft_distance(n);
    case fft_method::convolution: return 4 * fft_distance(fft_convolution_length(n)) + fft_scratch_elements(fft_convolution_length(n));
    default: return 0;
  }
}
/// Elements of T that rfft and irfft of real length n need beside input and output.
constexpr extent_t rfft_scratch_elements(extent_t n) {
  extent_t const inner = n % 2 == 0 ? n / 2 : n;
  bool const in_place = n % 2 == 0 && fft_method_of(inner) == fft_method::passes;
  return (in_place ? 2 : 4) * fft_distance(inner) + fft_scratch_elements(inner);
}

/// The radix up to which a butterfly of complex numbers mostly stays in registers.
#if defined(__AVX512F__) || defined(__aarch64__)
inline constexpr int fft_largest_power = 4;
#else
inline constexpr int fft_largest_power = 3;
#endif
/// The radix of the next pass over what remains of a length. Powers of two are spread evenly over the fewest passes.
constexpr int fft_next_radix(extent_t n) {
  for (int const prime : {31, 29, 23, 19, 17, 13, 11, 7, 5})
    if (n % prime == 0) return prime;
  if (n % 9 == 0) return 9;
  int power = 0;
  for (extent_t rest = n; rest % 2 == 0; rest /= 2) ++power;
  if (n % 3 == 0) return power % fft_largest_power == 1 ? 6 : 3;
  int const passes = (power + fft_largest_power - 1) / fft_largest_power;
  return 1 << (power + passes - 1) / passes;
}
/// Instructions for an element in a pass of a radix, roughly.
constexpr double fft_pass_cost(int radix) {
  double cost = 7;
  for (int prime = 2; prime <= radix; ++prime)
    for (; radix % prime == 0; radix /= prime) cost += prime == 2 ? 2.2 : prime + 1;
  return cost;
}
/// Registers of T that n neighbours fill, for each of them.
template <class T>
constexpr double fft_registers(extent_t n) {
  int const w = lanes_for<T>(n);
  return static_cast<double>((n + w - 1) / w) / static_cast<double>(n);
}

/// The passes over a length.
struct fft_radices {
  int passes = 0;
  int radix[64] = {};
};
constexpr fft_radices fft_radices_of(extent_t length) {
  fft_radices radices;
  for (; length > 1; length /= radices.radix[radices.passes++]) radices.radix[radices.passes] = fft_next_radix(length);
  return radices;
}

template <extent_t Length>
inline constexpr fft_radices fft_radices_for = fft_radices_of(Length);
constexpr extent_t fft_product_before(fft_radices const& radices, int pass) {
  extent_t product = 1;
  for (int i = 0; i < pass; ++i) product *= radices.radix[i];
  return product;
}

/// A transform of rows * columns elements: one of length `rows` down every column, in passes, and one of length `columns` along every row, in registers.
struct fft_plan {
  int columns = 0;
  extent_t rows = 0;
  fft_radices passes;
};
template <class T>
constexpr fft_plan fft_plan_of(extent_t n) {
  fft_plan best;
  double best_cost = 1e300;
  for (int columns = 2; columns <= 32; ++columns) {
    if (n % columns != 0 || columns == n || (columns > 13 && columns % 2 != 0 && largest_prime_factor(columns) == columns && n % 2 == 0)) continue;
    fft_plan const plan{columns, n / columns, fft_radices_of(n / columns)};
    // Columns that do not fill whole registers are exchanged between lanes twice.
    double const exchanged = static_cast<double>((columns + lanes_for<T>(columns) - 1) / lanes_for<T>(columns) * lanes_for<T>(columns)) / columns;
    double cost = fft_registers<T>(plan.rows) * (fft_pass_cost(columns) + (columns > 16 ? 8 : 0) + 8 * exchanged);
    extent_t inner = columns;
    for (int pass = 0; pass < plan.passes.passes; inner *= plan.passes.radix[pass++]) cost += fft_registers<T>(inner) * fft_pass_cost(plan.passes.radix[pass]);
    if (cost < best_cost) {
      best = plan;
      best_cost = cost;
    }
  }
  return best;
}
template <class T, extent_t N>
inline constexpr fft_plan fft_plan_for = fft_plan_of<T>(N);

}  // namespace DIMITY_NAMESPACE::detail
