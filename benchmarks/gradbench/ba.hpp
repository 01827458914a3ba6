// ba's sparse Jacobian by hand: eight observations in the lanes of each register, the derivatives of projection and rotation written out.
#pragma once

#include "lanes.hpp"

#include <array>
#include <cstdint>

namespace hand {

struct triple {
  lanes x, y, z;
};
inline triple cross(triple const& a, triple const& b) { return {a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x}; }
inline lanes dot(triple const& a, triple const& b) { return a.x * b.x + a.y * b.y + a.z * b.z; }

/// values: 2 times 15 columns of [p], weight_values: [p].
inline void ba_jacobian(double const* cameras, double const* points, double const* weights, std::int32_t const* seen_by, std::int32_t const* seen, double const* features, std::size_t p,
                        std::array<double*, 30> const& values, double* weight_values) {
  for (std::size_t begin = 0; begin < p; begin += width) {
    std::size_t const count = p - begin < width ? p - begin : width;
    alignas(64) double in[17][width], out[width];
    for (std::size_t e = 0; e < width; ++e) {
      std::size_t const o = begin + (e < count ? e : count - 1);
      for (std::size_t i = 0; i < 11; ++i) in[i][e] = cameras[seen_by[o] * 11 + i];
      for (std::size_t i = 0; i < 3; ++i) in[11 + i][e] = points[seen[o] * 3 + i];
      in[14][e] = weights[o];
      in[15][e] = features[o * 2];
      in[16][e] = features[o * 2 + 1];
    }
    auto const v = [&](std::size_t i) { return lanes::load_aligned(in[i]); };
    triple const r{v(0), v(1), v(2)}, d{v(11) - v(3), v(12) - v(4), v(13) - v(5)};
    lanes const zero(0.0), one(1.0), squares = dot(r, r);
    auto const turns = squares > zero;
    lanes const safe = xsimd::select(turns, squares, one), angle = xsimd::sqrt(safe), inverse = one / safe;
    lanes const cosine = xsimd::select(turns, xsimd::cos(angle), one), sine = xsimd::select(turns, xsimd::sin(angle) / angle, one);
    lanes const rest = xsimd::select(turns, (one - cosine) * inverse, zero);
    // What of them each component of r is multiplied by in their derivatives.
    lanes const dcosine = xsimd::select(turns, -sine, zero), dsine = xsimd::select(turns, (cosine - sine) * inverse, zero), drest = xsimd::select(turns, (sine - rest - rest) * inverse, zero);
    triple const turned = cross(r, d);
    lanes const along = dot(r, d);
    lanes const x = d.x * cosine + turned.x * sine + r.x * along * rest, y = d.y * cosine + turned.y * sine + r.y * along * rest, z = d.z * cosine + turned.z * sine + r.z * along * rest;
    lanes const over = one / z, u = x * over, w = y * over, radius = u * u + w * w, distortion = one + radius * (v(9) + v(10) * radius), scale = v(6) * distortion;
    lanes const dscale = v(6) * (v(9) + lanes(2.0) * v(10) * radius) * lanes(2.0), weight = v(14);
    for (int row = 0; row < 2; ++row) {
      auto const put = [&](std::size_t i, lanes const& e) {
        double* const to = values[static_cast<std::size_t>(row) * 15 + i] + begin;
        if (count == width) return store(to, e);
        store(out, e);
        for (std::size_t j = 0; j < count; ++j) to[j] = out[j];
      };
      lanes const c = row == 0 ? u : w;
      lanes const du = weight * (c * dscale * u + (row == 0 ? scale : zero)), dw = weight * (c * dscale * w + (row == 1 ? scale : zero));
      triple const g{du * over, dw * over, -(du * u + dw * w) * over};
      triple const gr = cross(g, r), dg = cross(d, g);
      lanes const rg = dot(r, g), common = dot(g, d) * dcosine + dot(g, turned) * dsine + rg * along * drest;
      auto const store_turn = [&](std::size_t i, lanes const& ri, lanes const& di, lanes const& gi, lanes const& dgi, lanes const& gri) {
        lanes const point = gi * cosine + gri * sine + ri * rg * rest;
        put(i, dgi * sine + rest * (along * gi + rg * di) + common * ri);
        put(3 + i, -point);
        put(11 + i, point);
      };
      store_turn(0, r.x, d.x, g.x, dg.x, gr.x);
      store_turn(1, r.y, d.y, g.y, dg.y, gr.y);
      store_turn(2, r.z, d.z, g.z, dg.z, gr.z);
      lanes const bent = weight * c;
      put(6, bent * distortion);
      put(7, row == 0 ? weight : zero);
      put(8, row == 1 ? weight : zero);
      put(9, bent * v(6) * radius);
      put(10, bent * v(6) * radius * radius);
      put(14, c * scale + v(7 + row) - v(15 + row));
    }
    for (std::size_t e = 0; e < count; ++e) weight_values[begin + e] = -2 * weights[begin + e];
  }
}

}  // namespace hand
