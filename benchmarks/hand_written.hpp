// The limit: the same work written by hand with xsimd, as an expert would for these very shapes. What `make bench` compares dimity with.
#pragma once

#include <xsimd/xsimd.hpp>

#include <cmath>
#include <cstddef>
#include <cstring>
#include <limits>

namespace hand {

template <class T>
using batch = xsimd::batch<T>;

template <class T>
T horizontal_sum(batch<T> const& x) {
  alignas(64) T v[batch<T>::size];
  x.store_aligned(v);
  T s = 0;
  for (T e : v) s += e;
  return s;
}
template <class T>
T horizontal_max(batch<T> const& x) {
  alignas(64) T v[batch<T>::size];
  x.store_aligned(v);
  T s = v[0];
  for (T e : v) s = e > s ? e : s;
  return s;
}

/// y = a * b + c
inline void multiply_add(float const* a, float const* b, float const* c, float* y, std::size_t n) {
  constexpr std::size_t w = batch<float>::size;
  for (std::size_t i = 0; i < n; i += w)
    (batch<float>::load_unaligned(a + i) * batch<float>::load_unaligned(b + i) + batch<float>::load_unaligned(c + i)).store_unaligned(y + i);
}

/// GELU in its tanh form.
inline void gelu_tanh(float const* x, float* y, std::size_t n) {
  constexpr std::size_t w = batch<float>::size;
  batch<float> const half(0.5f), one(1.0f), a(0.044715f), b(0.7978845608f);
  for (std::size_t i = 0; i < n; i += w) {
    auto const v = batch<float>::load_unaligned(x + i);
    auto const t = xsimd::tanh(b * (v + a * (v * (v * v))));
    (v * (half * (one + t))).store_unaligned(y + i);
  }
}

/// Rows of softmax: maximum, exponentials kept in the output, scaled in place.
inline void softmax(float const* x, float* y, std::size_t rows, std::size_t columns) {
  constexpr std::size_t w = batch<float>::size;
  for (std::size_t r = 0; r < rows; ++r, x += columns, y += columns) {
    auto m = batch<float>::load_unaligned(x), m2 = m;
    std::size_t i = w;
    for (; i + 2 * w <= columns; i += 2 * w) {
      m = xsimd::max(m, batch<float>::load_unaligned(x + i));
      m2 = xsimd::max(m2, batch<float>::load_unaligned(x + i + w));
    }
    for (; i < columns; i += w) m = xsimd::max(m, batch<float>::load_unaligned(x + i));
    batch<float> const top(horizontal_max(xsimd::max(m, m2)));
    batch<float> s(0.0f);
    for (i = 0; i < columns; i += w) {
      auto const e = xsimd::exp(batch<float>::load_unaligned(x + i) - top);
      e.store_unaligned(y + i);
      s += e;
    }
    batch<float> const scale(1.0f / horizontal_sum(s));
    for (i = 0; i < columns; i += w) (batch<float>::load_unaligned(y + i) * scale).store_unaligned(y + i);
  }
}

/// Rows of layer norm: mean, then the variance of what is left, then scale and shift.
inline void layer_norm(float const* x, float const* gamma, float const* beta, float* y, std::size_t rows, std::size_t columns) {
  constexpr std::size_t w = batch<float>::size;
  for (std::size_t r = 0; r < rows; ++r, x += columns, y += columns) {
    batch<float> s(0.0f), s2(0.0f);
    std::size_t i = 0;
    for (; i + 2 * w <= columns; i += 2 * w) {
      s += batch<float>::load_unaligned(x + i);
      s2 += batch<float>::load_unaligned(x + i + w);
    }
    for (; i < columns; i += w) s += batch<float>::load_unaligned(x + i);
    batch<float> const mean(horizontal_sum(s + s2) / static_cast<float>(columns));
    batch<float> q(0.0f), q2(0.0f);
    for (i = 0; i + 2 * w <= columns; i += 2 * w) {
      auto const d = batch<float>::load_unaligned(x + i) - mean, e = batch<float>::load_unaligned(x + i + w) - mean;
      q += d * d;
      q2 += e * e;
    }
    for (; i < columns; i += w) {
      auto const d = batch<float>::load_unaligned(x + i) - mean;
      q += d * d;
    }
    batch<float> const scale(1.0f / std::sqrt(horizontal_sum(q + q2) / static_cast<float>(columns) + 1e-5f));
    for (i = 0; i < columns; i += w)
      ((batch<float>::load_unaligned(x + i) - mean) * scale * batch<float>::load_unaligned(gamma + i) + batch<float>::load_unaligned(beta + i)).store_unaligned(y + i);
  }
}

/// log(sum(exp(x))) and its gradient, softmax(x).
inline double log_sum_exp(double const* x, double* gradient, std::size_t n) {
  constexpr std::size_t w = batch<double>::size;
  batch<double> m = batch<double>::load_unaligned(x), m2 = m, m3 = m, m4 = m;
  std::size_t i = 0;
  for (; i + 4 * w <= n; i += 4 * w) {
    m = xsimd::max(m, batch<double>::load_unaligned(x + i));
    m2 = xsimd::max(m2, batch<double>::load_unaligned(x + i + w));
    m3 = xsimd::max(m3, batch<double>::load_unaligned(x + i + 2 * w));
    m4 = xsimd::max(m4, batch<double>::load_unaligned(x + i + 3 * w));
  }
  for (; i < n; i += w) m = xsimd::max(m, batch<double>::load_unaligned(x + i));
  double const top = horizontal_max(xsimd::max(xsimd::max(m, m2), xsimd::max(m3, m4)));
  batch<double> const shift(top);
  batch<double> s(0.0);
  for (i = 0; i < n; i += w) {
    auto const e = xsimd::exp(batch<double>::load_unaligned(x + i) - shift);
    e.store_unaligned(gradient + i);
    s += e;
  }
  double const total = horizontal_sum(s);
  batch<double> const scale(1.0 / total);
  for (i = 0; i < n; i += w) (batch<double>::load_unaligned(gradient + i) * scale).store_unaligned(gradient + i);
  return top + std::log(total);
}

/// sum(-0.5 ((x - mu) / sigma)^2 - log(sigma)) and its gradients with respect to x, mu and sigma.
inline double gaussian(double const* x, double mu, double sigma, double* gx, double* gmu, double* gsigma, std::size_t n) {
  constexpr std::size_t w = batch<double>::size;
  double const inverse = 1.0 / sigma;
  batch<double> const m(mu), inv(inverse), minus_inverse(-inverse);
  batch<double> sz(0.0), sq(0.0);
  for (std::size_t i = 0; i < n; i += w) {
    auto const z = (batch<double>::load_unaligned(x + i) - m) * inv;
    (z * minus_inverse).store_unaligned(gx + i);
    sz += z;
    sq += z * z;
  }
  double const total = horizontal_sum(sz), squares = horizontal_sum(sq), count = static_cast<double>(n);
  *gmu = total * inverse;
  *gsigma = (squares - count) * inverse;
  return -0.5 * squares - count * std::log(sigma);
}

/// Loss of a 32-64-10 MLP (tanh, softmax cross entropy) on one sample, and its gradients: W1 [32, 64], b1, W2 [64, 10], b2.
inline double mlp(double const* x, int label, double const* w1, double const* b1, double const* w2, double const* b2, double* g1, double* gb1, double* g2, double* gb2) {
  constexpr int in = 32, mid = 64, out = 10;
  constexpr int w = static_cast<int>(batch<double>::size), v = mid / w;
  alignas(64) double h[mid], logits[16], p[16], dh[mid];
  batch<double> acc[v];
  for (int j = 0; j < v; ++j) acc[j] = batch<double>::load_unaligned(b1 + j * w);
  for (int k = 0; k < in; ++k) {
    batch<double> const a(x[k]);
    for (int j = 0; j < v; ++j) acc[j] = xsimd::fma(a, batch<double>::load_unaligned(w1 + k * mid + j * w), acc[j]);
  }
  for (int j = 0; j < v; ++j) xsimd::tanh(acc[j]).store_aligned(h + j * w);
  for (int j = 0; j < out; ++j) logits[j] = b2[j];
  for (int k = 0; k < mid; ++k)
    for (int j = 0; j < out; ++j) logits[j] += h[k] * w2[k * out + j];
  double top = logits[0];
  for (int j = 1; j < out; ++j) top = logits[j] > top ? logits[j] : top;
  for (int j = 0; j < 16; ++j) p[j] = j < out ? logits[j] - top : -700.0;
  for (int j = 0; j < 16; j += w) xsimd::exp(batch<double>::load_aligned(p + j)).store_aligned(p + j);
  double total = 0;
  for (int j = 0; j < out; ++j) total += p[j];
  double const loss = std::log(total) - (logits[label] - top);
  for (int j = 0; j < out; ++j) gb2[j] = p[j] / total - (j == label ? 1.0 : 0.0);
  for (int k = 0; k < mid; ++k) {
    double s = 0;
    for (int j = 0; j < out; ++j) {
      g2[k * out + j] = h[k] * gb2[j];
      s += w2[k * out + j] * gb2[j];
    }
    dh[k] = s;
  }
  for (int j = 0; j < mid; j += w) {
    auto const y = batch<double>::load_aligned(h + j);
    (batch<double>::load_aligned(dh + j) * (batch<double>(1.0) - y * y)).store_unaligned(gb1 + j);
  }
  for (int k = 0; k < in; ++k) {
    batch<double> const a(x[k]);
    for (int j = 0; j < mid; j += w) (a * batch<double>::load_unaligned(gb1 + j)).store_unaligned(g1 + k * mid + j);
  }
  return loss;
}

/// y += x a (x: [n], a: [n, n], row-major), n even and a multiple of four registers: eight sums, so that adding does not wait for the last one.
inline void add_product(float const* x, float const* a, float* y, std::size_t n) {
  using V = batch<float>;
  constexpr std::size_t W = V::size;
  for (std::size_t j = 0; j < n; j += 4 * W) {
    V s0 = V::load_unaligned(y + j), s1 = V::load_unaligned(y + j + W), s2 = V::load_unaligned(y + j + 2 * W), s3 = V::load_unaligned(y + j + 3 * W);
    V r0(0.0f), r1(0.0f), r2(0.0f), r3(0.0f);
    for (std::size_t i = 0; i < n; i += 2) {
      V const x0(x[i]), x1(x[i + 1]);
      float const *row = a + i * n + j, *below = row + n;
      s0 = xsimd::fma(x0, V::load_unaligned(row), s0);
      s1 = xsimd::fma(x0, V::load_unaligned(row + W), s1);
      s2 = xsimd::fma(x0, V::load_unaligned(row + 2 * W), s2);
      s3 = xsimd::fma(x0, V::load_unaligned(row + 3 * W), s3);
      r0 = xsimd::fma(x1, V::load_unaligned(below), r0);
      r1 = xsimd::fma(x1, V::load_unaligned(below + W), r1);
      r2 = xsimd::fma(x1, V::load_unaligned(below + 2 * W), r2);
      r3 = xsimd::fma(x1, V::load_unaligned(below + 3 * W), r3);
    }
    (s0 + r0).store_unaligned(y + j);
    (s1 + r1).store_unaligned(y + j + W);
    (s2 + r2).store_unaligned(y + j + 2 * W);
    (s3 + r3).store_unaligned(y + j + 3 * W);
  }
}
/// h <- tanh(h w + x u + b) for each row x of xs: all states in hs [steps + 1, n], of which the first is given. The sum of squares of the last.
inline float recurrence(float const* xs, float const* w, float const* u, float const* b, float* hs, std::size_t steps, std::size_t n) {
  using V = batch<float>;
  for (std::size_t t = 0; t < steps; ++t) {
    float* next = hs + (t + 1) * n;
    std::memcpy(next, b, n * sizeof(float));
    add_product(hs + t * n, w, next, n);
    add_product(xs + t * n, u, next, n);
    for (std::size_t j = 0; j < n; j += V::size) xsimd::tanh(V::load_unaligned(next + j)).store_unaligned(next + j);
  }
  float sum = 0;
  for (std::size_t j = 0; j < n; ++j) sum += hs[steps * n + j] * hs[steps * n + j];
  return sum;
}
/// c = a^T b, a and b [k, n]: 4 rows by 2 registers at a time.
inline void transposed_product(float const* a, float const* b, float* c, std::size_t k, std::size_t n) {
  using V = batch<float>;
  constexpr std::size_t W = V::size;
  for (std::size_t i = 0; i < n; i += 4)
    for (std::size_t j = 0; j < n; j += 2 * W) {
      V a0(0.0f), a1(0.0f), b0(0.0f), b1(0.0f), c0(0.0f), c1(0.0f), d0(0.0f), d1(0.0f);
      for (std::size_t t = 0; t < k; ++t) {
        V const left = V::load_unaligned(b + t * n + j), right = V::load_unaligned(b + t * n + j + W);
        float const* x = a + t * n + i;
        V const xa(x[0]), xb(x[1]), xc(x[2]), xd(x[3]);
        a0 = xsimd::fma(xa, left, a0);
        a1 = xsimd::fma(xa, right, a1);
        b0 = xsimd::fma(xb, left, b0);
        b1 = xsimd::fma(xb, right, b1);
        c0 = xsimd::fma(xc, left, c0);
        c1 = xsimd::fma(xc, right, c1);
        d0 = xsimd::fma(xd, left, d0);
        d1 = xsimd::fma(xd, right, d1);
      }
      float* to = c + i * n + j;
      a0.store_unaligned(to);
      a1.store_unaligned(to + W);
      b0.store_unaligned(to + n);
      b1.store_unaligned(to + n + W);
      c0.store_unaligned(to + 2 * n);
      c1.store_unaligned(to + 2 * n + W);
      d0.store_unaligned(to + 3 * n);
      d1.store_unaligned(to + 3 * n + W);
    }
}
/// The same with the gradients of w, u and b. `gs` [steps, n] and `wt` [n, n] are scratch.
inline float recurrence_gradient(float const* xs, float const* w, float const* u, float const* b, float* hs, float* gs, float* wt, float* gw, float* gu, float* gb, std::size_t steps, std::size_t n) {
  using V = batch<float>;
  float const value = recurrence(xs, w, u, b, hs, steps, n);
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j < n; ++j) wt[j * n + i] = w[i * n + j];
  alignas(64) float back[1024] = {};
  for (std::size_t j = 0; j < n; ++j) back[j] = 2 * hs[steps * n + j];
  std::memset(gb, 0, n * sizeof(float));
  for (std::size_t t = steps; t-- > 0;) {
    for (std::size_t j = 0; j < n; j += V::size) {
      V const h = V::load_unaligned(hs + (t + 1) * n + j), g = V::load_unaligned(back + j) * (V(1.0f) - h * h);
      g.store_unaligned(gs + t * n + j);
      (V::load_unaligned(gb + j) + g).store_unaligned(gb + j);
    }
    std::memset(back, 0, n * sizeof(float));
    add_product(gs + t * n, wt, back, n);
  }
  transposed_product(hs, gs, gw, steps, n);
  transposed_product(xs, gs, gu, steps, n);
  return value;
}

}  // namespace hand
