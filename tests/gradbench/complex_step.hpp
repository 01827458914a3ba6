// Derivatives of plain scalar code by steps into the complex plane: exact to rounding, and nothing of dimity's in them.
#pragma once

#include <algorithm>
#include <cmath>
#include <complex>
#include <cstddef>
#include <vector>

namespace test {

using complex = std::complex<double>;
using numbers = std::vector<double>;

template <class Tensor>
numbers elements(Tensor const& t) {
  return numbers(t.begin(), t.end());
}

/// J[k * x.size() + i] = d f_k / d x_i of f: std::vector<complex> -> std::vector<complex>.
template <class F>
numbers complex_jacobian(F const& f, numbers const& x) {
  constexpr double h = 1e-100;
  numbers jacobian;
  for (std::size_t i = 0; i < x.size(); ++i) {
    std::vector<complex> z(x.begin(), x.end());
    z[i] += complex(0, h);
    auto const y = f(z);
    jacobian.resize(y.size() * x.size());
    for (std::size_t k = 0; k < y.size(); ++k) jacobian[k * x.size() + i] = y[k].imag() / h;
  }
  return jacobian;
}
/// The same of f: std::vector<complex> -> complex.
template <class F>
numbers complex_gradient(F const& f, numbers const& x) {
  return complex_jacobian([&](auto const& z) { return std::vector<complex>{f(z)}; }, x);
}

/// The largest difference, relative to the largest element; nan where a result is nan or sizes differ.
inline double difference(numbers const& a, numbers const& b) {
  double size = 0, apart = 0;
  if (a.size() != b.size() || a.empty()) return std::nan("");
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (!std::isfinite(a[i]) || !std::isfinite(b[i])) return std::nan("");
    size = std::max(size, std::abs(b[i]));
    apart = std::max(apart, std::abs(a[i] - b[i]));
  }
  return apart / size;
}

}  // namespace test
