// ht's Jacobian by hand: only the bones that a parameter moves, eight vertices in the lanes of each register.
#pragma once

#include "lanes.hpp"

#include <cmath>
#include <cstdint>

namespace hand {

/// The upper three rows of a homogeneous transform.
struct rigid {
  double e[3][4];
};
inline rigid compose(rigid const& a, rigid const& b) {
  rigid c;
  for (int i = 0; i < 3; ++i)
    for (int j = 0; j < 4; ++j) c.e[i][j] = a.e[i][0] * b.e[0][j] + a.e[i][1] * b.e[1][j] + a.e[i][2] * b.e[2][j] + (j == 3 ? a.e[i][3] : 0);
  return c;
}
inline rigid upper(double const* m) {
  rigid r;
  for (int i = 0; i < 12; ++i) r.e[i / 4][i % 4] = m[i];
  return r;
}

/// jacobian: [26, 3, count]
template <std::size_t count>
void ht_jacobian(double const* theta, double const* base_relatives, double const* inverse_base_absolutes, double const* base_positions, double const* weights, std::int32_t const* vertices,
                 double* jacobian) {
  // The whole hand: R = I + S r + K r^2 with the cross product matrix of the axis, and its derivatives.
  double const* t = theta;
  double const squares = t[0] * t[0] + t[1] * t[1] + t[2] * t[2], angle = std::sqrt(squares);
  double const cross[3][3] = {{0, -t[2], t[1]}, {t[2], 0, -t[0]}, {-t[1], t[0], 0}};
  double R[3][3], dR[3][3][3] = {};
  bool const turns = angle >= 1e-4;
  double const S = turns ? std::sin(angle) / angle : 0, K = turns ? (1 - std::cos(angle)) / squares : 0;
  double const dS = turns ? (std::cos(angle) - S) / squares : 0, dK = turns ? (S - 2 * K) / squares : 0;
  auto const times = [](double const (&a)[3][3], double const (&b)[3][3], int i, int j) { return a[i][0] * b[0][j] + a[i][1] * b[1][j] + a[i][2] * b[2][j]; };
  for (int i = 0; i < 3; ++i)
    for (int j = 0; j < 3; ++j) R[i][j] = (i == j) + S * cross[i][j] + K * times(cross, cross, i, j);
  for (int k = 0; turns && k < 3; ++k) {
    double unit[3][3] = {};
    unit[(k + 2) % 3][(k + 1) % 3] = 1;
    unit[(k + 1) % 3][(k + 2) % 3] = -1;
    for (int i = 0; i < 3; ++i)
      for (int j = 0; j < 3; ++j)
        dR[k][i][j] = t[k] * (dS * cross[i][j] + dK * times(cross, cross, i, j)) + S * unit[i][j] + K * (times(unit, cross, i, j) + times(cross, unit, i, j));
  }
  auto const turned = [&](rigid const& m) {
    rigid r;
    for (int i = 0; i < 3; ++i)
      for (int j = 0; j < 4; ++j) r.e[i][j] = R[i][0] * m.e[0][j] + R[i][1] * m.e[1][j] + R[i][2] * m.e[2][j];
    return r;
  };

  // All bones, and for each finger the derivatives of its bones: bend and spread of the second bone move three, the other bends two and one.
  rigid transform[22], derivative[5][4][4];
  rigid const wrist = upper(base_relatives);
  auto const relative = [&](int b) { return upper(base_relatives + b * 16); };
  auto const at_rest = [&](int b) { return upper(inverse_base_absolutes + b * 16); };
  auto const rotation = [](double c, double s, double C, double Z) {
    return rigid{{{C, -Z * c, Z * s, 0}, {Z, C * c, -C * s, 0}, {0, s, c, 0}}};
  };
  transform[0] = compose(wrist, at_rest(0));
  transform[21] = compose(compose(wrist, relative(21)), at_rest(21));
  for (int f = 0; f < 5; ++f) {
    double const* pose = theta + 6 + f * 4;
    double c[3], s[3];
    for (int j = 0; j < 3; ++j) c[j] = std::cos(pose[j == 0 ? 0 : j + 1]), s[j] = std::sin(pose[j == 0 ? 0 : j + 1]);
    double const C = std::cos(pose[1]), Z = std::sin(pose[1]);
    rigid absolute = compose(wrist, relative(1 + f * 4)), moved[4];
    transform[1 + f * 4] = compose(absolute, at_rest(1 + f * 4));
    for (int j = 1; j < 4; ++j) {
      int const bone = 1 + f * 4 + j;
      rigid const base = compose(absolute, relative(bone)), own = j == 1 ? rotation(c[0], s[0], C, Z) : rotation(c[j - 1], s[j - 1], 1, 0);
      rigid const joint = compose(relative(bone), own);
      for (int p = 0; p < (j == 1 ? 0 : j); ++p) moved[p] = compose(moved[p], joint);
      auto const linear = [&](rigid const& d) {
        rigid r = compose(base, d);
        for (auto& row : r.e) row[3] = 0;
        return r;
      };
      if (j == 1) {
        moved[0] = linear(rigid{{{0, Z * s[0], Z * c[0], 0}, {0, -C * s[0], -C * c[0], 0}, {0, c[0], -s[0], 0}}});
        moved[1] = linear(rigid{{{-Z, -C * c[0], C * s[0], 0}, {C, -Z * c[0], Z * s[0], 0}, {0, 0, 0, 0}}});
      } else {
        moved[j] = linear(rigid{{{0, 0, 0, 0}, {0, -s[j - 1], -c[j - 1], 0}, {0, c[j - 1], -s[j - 1], 0}}});
      }
      absolute = compose(base, own);
      transform[bone] = compose(absolute, at_rest(bone));
      for (int p = 0; p < (j == 1 ? 2 : j + 1); ++p) derivative[f][p][j] = turned(compose(moved[p], at_rest(bone)));
    }
  }

  for (std::size_t begin = 0; begin < count; begin += width) {
    std::size_t const used = count - begin < width ? count - begin : width;
    alignas(64) double in[26][width], out[width];
    for (std::size_t e = 0; e < width; ++e) {
      std::size_t const v = static_cast<std::size_t>(vertices[begin + (e < used ? e : used - 1)]);
      for (std::size_t i = 0; i < 22; ++i) in[i][e] = weights[v * 22 + i];
      for (std::size_t i = 0; i < 4; ++i) in[22 + i][e] = base_positions[v * 4 + i];
    }
    lanes const base[4] = {lanes::load_aligned(in[22]), lanes::load_aligned(in[23]), lanes::load_aligned(in[24]), lanes::load_aligned(in[25])};
    auto const add = [&](lanes (&to)[3], rigid const& m, lanes const& weight) {
      for (int i = 0; i < 3; ++i) to[i] += weight * (base[0] * lanes(m.e[i][0]) + base[1] * lanes(m.e[i][1]) + base[2] * lanes(m.e[i][2]) + base[3] * lanes(m.e[i][3]));
    };
    auto const put = [&](int parameter, int axis, lanes const& v) {
      double* const to = jacobian + (static_cast<std::size_t>(parameter) * 3 + static_cast<std::size_t>(axis)) * count + begin;
      if (used == width) return store(to, v);
      store(out, v);
      for (std::size_t e = 0; e < used; ++e) to[e] = out[e];
    };
    lanes position[3] = {lanes(0.0), lanes(0.0), lanes(0.0)};
    for (int b = 0; b < 22; ++b) add(position, transform[b], lanes::load_aligned(in[b]));
    for (int i = 0; i < 3; ++i) {
      for (int k = 0; k < 3; ++k) {
        put(k, i, -(lanes(dR[k][i][0]) * position[0] + lanes(dR[k][i][1]) * position[1] + lanes(dR[k][i][2]) * position[2]));
        put(3 + k, i, lanes(i == k ? -1.0 : 0.0));
      }
    }
    for (int f = 0; f < 5; ++f) {
      for (int p = 0; p < 4; ++p) {
        lanes slope[3] = {lanes(0.0), lanes(0.0), lanes(0.0)};
        for (int j = p < 2 ? 1 : p; j < 4; ++j) add(slope, derivative[f][p][j], lanes::load_aligned(in[1 + f * 4 + j]));
        for (int i = 0; i < 3; ++i) put(6 + f * 4 + p, i, -slope[i]);
      }
    }
  }
}

}  // namespace hand
