// A node once more, in another program.
#pragma once

#include <dimity/program/emit_layout.hpp>

namespace DIMITY_NAMESPACE::detail {

/// Appends `n` (a node of `from`) to `to` with other operands, through the same rewrites as when it was first made.
constexpr ref replay(builder& to, builder const& from, node const& n, int a, int b, int c) {
  shape_value const s = from.shapes[n.shape];
  ref const x{&to, a};
  switch (n.op) {
    case primitive::constant: return append(to, n.op, n.type, s, -1, -1, -1, n.attribute);
    case primitive::extent: return count_of(to, n.type, n.attribute);
    case primitive::iota: return iota(to, n.type, s, static_cast<int>(n.attribute));
    case primitive::cast: return cast(x, n.type, n.attribute);
    case primitive::copy: return x;
    case primitive::after:
      if (is_stand_in(n)) return {&to, kept_operands(n, from.on_gpu).begin == 0 ? a : b};
      break;
    case primitive::select: return select(x, ref{&to, b}, ref{&to, c});
    case primitive::broadcast: return broadcast(x, s, axis_map{static_cast<std::uint32_t>(n.attribute)});
    case primitive::transpose: return transpose(x, axis_map{static_cast<std::uint32_t>(n.attribute)});
    case primitive::reshape: return reshape(x, s);
    case primitive::slice: {
      int const at = static_cast<int>(n.attribute);
      return slice(x, from.pool.begin() + at, from.pool.begin() + at + s.rank, s.extent);
    }
    case primitive::pad: {
      int const at = static_cast<int>(n.attribute);
      return pad(x, s, from.pool.begin() + at, from.pool.begin() + at + s.rank);
    }
    case primitive::convolution:
    case primitive::convolution_input_gradient:
    case primitive::convolution_kernel_gradient:
    case primitive::window_max:
    case primitive::select_and_gather:
    case primitive::select_and_scatter:
    case primitive::debug_print:
    case primitive::check_finite: {
      int const at = static_cast<int>(n.attribute);
      return append(to, n.op, n.type, s, a, b, -1, to.intern(from.pool.begin() + at, 1 + static_cast<int>(from.pool[at])));
    }
    default: break;
  }
  if (family_of(n.op) == family::elementwise) return arity_of(n.op) == 1 ? unary(n.op, x) : binary(n.op, x, ref{&to, b});
  if (family_of(n.op) == family::reduction) return reduce(n.op, x, static_cast<std::uint32_t>(n.attribute));
  return append(to, n.op, n.type, s, a, b, c, n.attribute);
}

}  // namespace DIMITY_NAMESPACE::detail
