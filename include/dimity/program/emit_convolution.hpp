// Appending to a program: convolutions of images, and the two operations that are their derivatives. The three are bilinear, and each is the derivative of the others.
#pragma once

#include <dimity/program/convolution_geometry.hpp>
#include <dimity/program/emit_layout.hpp>

namespace DIMITY_NAMESPACE::detail {

constexpr convolution_geometry geometry_of(builder const& g, node const& n) { return geometry_from(g.pool.begin() + static_cast<int>(n.attribute)); }

/// The shape of an operation's result: [.., N, channels, height, width] or, of the kernels' gradient, [.., channels out, channels in of a group, height, width]. `leading` is the shape of
/// its first operand, whose axes before the images (each entry with kernels of its own) it has too.
constexpr shape_value convolution_shape(primitive op, convolution_geometry const& c, shape_value leading) {
  bool const of_kernels = op == primitive::convolution_kernel_gradient, of_result = op == primitive::convolution;
  leading.rank -= of_kernels ? 4 : 3;
  extent_t const* const size = of_kernels ? c.kernel : of_result ? c.out : c.in;
  if (of_kernels) leading.push(c.groups * c.out_channels);
  leading.push(of_kernels ? c.in_channels : c.groups * (of_result ? c.out_channels : c.in_channels));
  leading.push(size[0]);
  leading.push(size[1]);
  return leading;
}
/// The last axes as one: rows and columns of the products that these operations are, so that what runs on their elements in registers runs as behind a product.
constexpr shape_value as_products(primitive op, shape_value s) {
  int const joined = op == primitive::convolution_kernel_gradient ? 3 : 2;
  amount columns = 1;
  for (int i = 0; i < joined; ++i) columns *= s.extent[s.rank - 1 - i];
  s.rank -= joined;
  s.push(columns);
  return s;
}
constexpr ref append_convolution(primitive op, ref a, ref b, convolution_geometry const& c) {
  shape_value const s = convolution_shape(op, c, a.shape());
  pooled_geometry const p = pooled(c);
  return reshape(append(*a.g, op, a.type(), as_products(op, s), a.id, b.id, -1, a.g->intern(p.number, geometry_numbers + 1)), s);
}
/// x: [.., N, channels, height, width], w: [.., channels out, channels in of a group, height, width] -> [.., N, channels out, height, width]
constexpr ref convolution(ref x, ref w, convolution_geometry const& c) { return append_convolution(primitive::convolution, x, w, c); }
/// What a cotangent y of the result sends to the images: also known as a transposed convolution.
constexpr ref convolution_input_gradient(ref y, ref w, convolution_geometry const& c) { return append_convolution(primitive::convolution_input_gradient, y, w, c); }
/// What a cotangent y of the result sends to the kernels: sums over the images.
constexpr ref convolution_kernel_gradient(ref x, ref y, convolution_geometry const& c) { return append_convolution(primitive::convolution_kernel_gradient, x, y, c); }

/// y's tangent for the tangent t of operand k.
constexpr ref push_convolution(ref y, int k, ref t) {
  node const n = y.get();
  builder& g = *y.g;
  return reshape(append_convolution(n.op, k == 0 ? t : ref{&g, n.arg[0]}, k == 1 ? t : ref{&g, n.arg[1]}, geometry_of(g, n)), y.shape());
}
/// What y's cotangent t sends to operand k.
constexpr ref pull_convolution(ref y, int k, ref t) {
  node const n = y.get();
  builder& g = *y.g;
  convolution_geometry const c = geometry_of(g, n);
  ref const other{&g, n.arg[1 - k]}, u = reshape(t, convolution_shape(n.op, c, g.shape(n.arg[0])));
  switch (n.op) {
    case primitive::convolution: return k == 0 ? convolution_input_gradient(u, other, c) : convolution_kernel_gradient(other, u, c);
    case primitive::convolution_input_gradient: return k == 0 ? convolution(u, other, c) : convolution_kernel_gradient(u, other, c);
    default: return k == 0 ? convolution_input_gradient(other, u, c) : convolution(other, u, c);
  }
}

/// For each entry of a batch, operands [size, ..] or, where `has[k]` is not set, `given[k]` for all: more images where the kernels are the same for all.
constexpr ref batch_convolution(builder& g, node const& n, ref const* x, ref const* given, bool const* has, shape_value const& s) {
  convolution_geometry const c = geometry_of(g, n);
  if (n.op == primitive::convolution_kernel_gradient || has[1] || given[1].rank() != 4) return reshape(append_convolution(n.op, x[0], x[1], c), s);
  shape_value joined;
  joined.push(x[0].extent(0) * x[0].extent(1));
  for (int i = 2; i < 5; ++i) joined.push(x[0].extent(i));
  return reshape(append_convolution(n.op, reshape(x[0], joined), given[1], c), s);
}

}  // namespace DIMITY_NAMESPACE::detail
