// Fourier transforms of a few complex numbers in registers, unrolled.
#pragma once

#include <dimity/exec/cpu/fft_lanes.hpp>

namespace DIMITY_NAMESPACE::detail {

/// Complex numbers, as many as V has lanes.
template <class V>
struct complex_lanes {
  V re, im;
};

/// A point of the unit circle.
struct circle_point {
  long double re, im;
};

/// exp(-2 pi i k / n), correct to the last few bits of long double: the power series, in the octant where it converges in few terms and loses nothing.
constexpr circle_point circle_point_of(extent_t k, extent_t n) {
  k %= n;
  // The angle is an eighth of a circle times octant, plus rest / n of a circle, without a rounding.
  extent_t const octant = 8 * k / n, rest = 8 * k % n;
  bool const mirrored = octant % 2 == 1;
  long double const angle = 0.785398163397448309615660845819875721L * static_cast<long double>(mirrored ? n - rest : rest) / static_cast<long double>(n);
  long double const square = angle * angle;
  long double cosine = 0, sine = 0;
  for (int i = 20; i >= 2; i -= 2) {
    cosine = (1 - cosine) * square / (i * (i - 1));
    sine = (1 - sine) * square / (i * (i + 1));
  }
  cosine = 1 - cosine;
  sine = angle * (1 - sine);
  if (mirrored) {
    long double const swap = cosine;
    cosine = sine;
    sine = swap;
  }
  switch (octant / 2) {
    case 0: return {cosine, -sine};
    case 1: return {-sine, -cosine};
    case 2: return {-cosine, sine};
    default: return {sine, cosine};
  }
}

template <class T, int N>
struct circle_points {
  T re[N], im[N];
};
template <class T, int N>
constexpr circle_points<T, N> circle_points_of() {
  circle_points<T, N> points{};
  for (int k = 0; k < N; ++k) {
    circle_point const p = circle_point_of(k, N);
    points.re[k] = static_cast<T>(p.re);
    points.im[k] = static_cast<T>(p.im);
  }
  return points;
}
/// exp(-2 pi i k / N) for all k.
template <class T, int N>
inline constexpr circle_points<T, N> unit_circle = circle_points_of<T, N>();

template <class V, class W>
DIMITY_FFT_INLINE complex_lanes<V> multiplied(complex_lanes<V> const& x, W const& re, W const& im) {
  return {x.re * re - x.im * im, x.re * im + x.im * re};
}
/// x exp(-2 pi i K / N).
template <class T, int N, int K, class V>
DIMITY_FFT_INLINE complex_lanes<V> rotated(complex_lanes<V> const& x) {
  constexpr int k = K % N;
  if constexpr (k == 0) {
    return x;
  } else if constexpr (4 * k == N) {
    return {x.im, -x.re};
  } else if constexpr (2 * k == N) {
    return {-x.re, -x.im};
  } else if constexpr (4 * k == 3 * N) {
    return {-x.im, x.re};
  } else if constexpr (8 * k == N) {
    T const c = unit_circle<T, 8>.re[1];
    return {(x.re + x.im) * c, (x.im - x.re) * c};
  } else if constexpr (8 * k == 3 * N) {
    T const c = unit_circle<T, 8>.re[1];
    return {(x.im - x.re) * c, -(x.re + x.im) * c};
  } else {
    T const re = unit_circle<T, N>.re[k], im = unit_circle<T, N>.im[k];
    return multiplied(x, re, im);
  }
}

/// The factor that a transform of n in registers is split by: n itself where it is prime, and both parts alike in size otherwise.
constexpr int butterfly_factor(int n) {
  int factor = n;
  for (int f = 2; f * f <= n; ++f)
    if (n % f == 0) factor = f;
  return factor;
}

/// Transforms x[0], x[Step], ... x[(N - 1) Step] in place.
template <class T, int N, int Step, class V>
DIMITY_FFT_INLINE void butterfly(complex_lanes<V>* x);

template <class V>
DIMITY_FFT_INLINE void butterfly_2(complex_lanes<V>& a, complex_lanes<V>& b) {
  complex_lanes<V> const sum{a.re + b.re, a.im + b.im}, difference{a.re - b.re, a.im - b.im};
  a = sum;
  b = difference;
}
template <class V>
DIMITY_FFT_INLINE void butterfly_4(complex_lanes<V>& a, complex_lanes<V>& b, complex_lanes<V>& c, complex_lanes<V>& d) {
  butterfly_2(a, c);
  butterfly_2(b, d);
  butterfly_2(a, b);
  complex_lanes<V> const x = c, y = d;
  c = b;
  b = {x.re + y.im, x.im - y.re};
  d = {x.re - y.im, x.im + y.re};
}
/// An odd N: what belongs to k and to N - k are sums and differences of the same terms (Nussbaumer, Fast Fourier Transform and Convolution Algorithms, section 4.2), which halves the products.
template <class T, int N, int Step, class V>
DIMITY_FFT_INLINE void butterfly_odd(complex_lanes<V>* x) {
  constexpr int pairs = (N - 1) / 2;
  auto const& circle = unit_circle<T, N>;
  complex_lanes<V> const first = x[0];
  complex_lanes<V> sums[pairs], differences[pairs];
  complex_lanes<V> total = first;
  auto const pair_up = [&](auto j) DIMITY_FFT_LAMBDA {
    sums[j] = x[(j + 1) * Step];
    differences[j] = x[(N - 1 - j) * Step];
    butterfly_2(sums[j], differences[j]);
    total = {total.re + sums[j].re, total.im + sums[j].im};
  };
  auto const result = [&](auto k) DIMITY_FFT_LAMBDA {
    complex_lanes<V> even = first, odd;
    auto const term = [&](auto j) DIMITY_FFT_LAMBDA {
      T const re = circle.re[(j + 1) * (k + 1) % N], im = circle.im[(j + 1) * (k + 1) % N];
      even = {even.re + sums[j].re * re, even.im + sums[j].im * re};
      if (j == 0) odd = {differences[j].re * im, differences[j].im * im};
      else odd = {odd.re + differences[j].re * im, odd.im + differences[j].im * im};
    };
    if constexpr (N <= 7) {
      unrolled<pairs>(term);
    } else {
      for (int j = 0; j < pairs; ++j) term(j);
    }
    x[(k + 1) * Step] = {even.re - odd.im, even.im + odd.re};
    x[(N - 1 - k) * Step] = {even.re + odd.im, even.im - odd.re};
  };
  if constexpr (N <= 7) {
    unrolled<pairs>(pair_up);
    unrolled<pairs>(result);
  } else {
    for (int j = 0; j < pairs; ++j) pair_up(j);
    for (int k = 0; k < pairs; ++k) result(k);
  }
  x[0] = total;
}
/// N = A B: A transforms of B, rotations, B transforms of A (Cooley and Tukey, An algorithm for the machine calculation of complex Fourier series, 1965).
template <class T, int N, int Step, class V>
DIMITY_FFT_INLINE void butterfly_composite(complex_lanes<V>* x) {
  constexpr int a = butterfly_factor(N), b = N / a;
  unrolled<a>([&](auto i) DIMITY_FFT_LAMBDA {
    butterfly<T, b, a * Step>(x + i * Step);
    unrolled<b>([&](auto k) DIMITY_FFT_LAMBDA { x[(i + a * k) * Step] = rotated<T, N, i * k>(x[(i + a * k) * Step]); });
  });
  complex_lanes<V> y[N];
  unrolled<b>([&](auto k) DIMITY_FFT_LAMBDA {
    butterfly<T, a, Step>(x + a * k * Step);
    unrolled<a>([&](auto i) DIMITY_FFT_LAMBDA { y[k + b * i] = x[(a * k + i) * Step]; });
  });
  unrolled<N>([&](auto i) DIMITY_FFT_LAMBDA { x[i * Step] = y[i]; });
}

template <class T, int N, int Step, class V>
DIMITY_FFT_INLINE void butterfly(complex_lanes<V>* x) {
  if constexpr (N == 2) butterfly_2(x[0], x[Step]);
  else if constexpr (N == 4) butterfly_4(x[0], x[Step], x[2 * Step], x[3 * Step]);
  else if constexpr (N > 1 && butterfly_factor(N) == N) butterfly_odd<T, N, Step>(x);
  else if constexpr (N > 1) butterfly_composite<T, N, Step>(x);
}

}  // namespace DIMITY_NAMESPACE::detail
