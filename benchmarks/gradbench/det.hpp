// det's gradient by hand: every minor of the last rows once, numbered by its columns, then backwards through the same products.
#pragma once

#include <array>

namespace hand {

/// The sets of columns, those with fewer columns first; a product: minor[to] += sign * a[row][column] * minor[from].
template <int size>
struct expansion {
  struct product {
    int to, from, element, sign;
  };
  std::array<product, size*(1 << (size - 1))> products{};

  constexpr expansion() {
    int n = 0;
    for (int count = 1; count <= size; ++count) {
      for (int set = 1; set < 1 << size; ++set) {
        int bits = 0;
        for (int j = 0; j < size; ++j) bits += set >> j & 1;
        if (bits != count) continue;
        int sign = 1;
        for (int j = 0; j < size; ++j) {
          if ((set >> j & 1) == 0) continue;
          products[n++] = {set, set & ~(1 << j), (size - count) * size + j, sign};
          sign = -sign;
        }
      }
    }
  }
};

template <int size>
double det_gradient(double const* a, double* gradient) {
  static constexpr expansion<size> table;
  double minor[1 << size] = {1}, cotangent[1 << size] = {};
  for (auto const& p : table.products) minor[p.to] += p.sign * a[p.element] * minor[p.from];
  for (int i = 0; i < size * size; ++i) gradient[i] = 0;
  cotangent[(1 << size) - 1] = 1;
  for (auto p = table.products.rbegin(); p != table.products.rend(); ++p) {
    double const u = p->sign * cotangent[p->to];
    gradient[p->element] += u * minor[p->from];
    cotangent[p->from] += u * a[p->element];
  }
  return minor[(1 << size) - 1];
}

}  // namespace hand
