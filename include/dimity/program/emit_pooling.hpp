// Appending to a program: maxima of windows that slide over images, and the two linear operations that are their derivatives.
#pragma once

#include <dimity/program/convolution_geometry.hpp>
#include <dimity/program/emit_layout.hpp>

namespace DIMITY_NAMESPACE::detail {

/// op is window_max, select_and_gather or select_and_scatter on images [m, height, width] (and what the second operand has for each element, or each window).
constexpr ref append_window(primitive op, ref x, ref second, convolution_geometry const& c) {
  extent_t const* const size = op == primitive::select_and_scatter ? c.in : c.out;
  shape_value s;
  s.push(x.extent(0));
  s.push(size[0]);
  s.push(size[1]);
  pooled_geometry const p = pooled(c);
  return append(*x.g, op, x.type(), s, x.id, second.id, -1, x.g->intern(p.number, geometry_numbers + 1));
}
/// x: [m, height, width] -> [m, height out, width out]: the largest element of each window, nan where it has one. Elements around the images do not count.
constexpr ref window_max(ref x, convolution_geometry const& c) { return append_window(primitive::window_max, x, ref{}, c); }
/// u at the place of each window's largest element of x, the first of equal ones.
constexpr ref select_and_gather(ref x, ref u, convolution_geometry const& c) { return append_window(primitive::select_and_gather, x, u, c); }
/// Zeros, with the element of t for each window added at the place of the window's largest element of x: the transpose of select_and_gather.
constexpr ref select_and_scatter(ref x, ref t, convolution_geometry const& c) { return append_window(primitive::select_and_scatter, x, t, c); }

/// y's tangent for the tangent t of operand k; where the largest elements are has no derivative.
constexpr ref push_window(ref y, int k, ref t) {
  node const n = y.get();
  builder& g = *y.g;
  convolution_geometry const c = geometry_from(g.pool.begin() + static_cast<int>(n.attribute));
  ref const x{&g, n.arg[0]};
  if (n.op == primitive::window_max) return select_and_gather(x, t, c);
  return k == 1 ? append_window(n.op, x, t, c) : ref{};
}
constexpr ref pull_window(ref y, int k, ref t) {
  node const n = y.get();
  builder& g = *y.g;
  convolution_geometry const c = geometry_from(g.pool.begin() + static_cast<int>(n.attribute));
  ref const x{&g, n.arg[0]};
  if (n.op == primitive::window_max) return select_and_scatter(x, t, c);
  if (k == 0) return {};
  return n.op == primitive::select_and_gather ? select_and_scatter(x, t, c) : select_and_gather(x, t, c);
}
/// Operands [size, m, ..]: more images.
constexpr ref batch_window(builder& g, node const& n, ref const* x, shape_value const& s) {
  auto const joined = [](ref v) {
    shape_value flat;
    flat.push(v.extent(0) * v.extent(1));
    flat.push(v.extent(2));
    flat.push(v.extent(3));
    return reshape(v, flat);
  };
  convolution_geometry const c = geometry_from(g.pool.begin() + static_cast<int>(n.attribute));
  return reshape(append_window(n.op, joined(x[0]), n.op == primitive::window_max ? ref{} : joined(x[1]), c), s);
}

}  // namespace DIMITY_NAMESPACE::detail
