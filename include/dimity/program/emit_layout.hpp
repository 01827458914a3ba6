// Appending to a program: everything that moves, reduces or contracts axes.
#pragma once

#include <dimity/program/emit.hpp>

namespace DIMITY_NAMESPACE::detail {

/// Result axis i is operand axis permutation[i].
constexpr ref transpose(ref x, axis_map permutation) {
  if (permutation == axis_map::identity(x.rank())) return x;
  node const n = x.get();
  if (n.op == primitive::transpose) {
    axis_map const inner{static_cast<std::uint32_t>(n.attribute)};
    axis_map both;
    for (int i = 0; i < x.rank(); ++i) both.set(i, inner[permutation[i]]);
    return transpose(ref{x.g, n.arg[0]}, both);
  }
  shape_value s;
  for (int i = 0; i < x.rank(); ++i) s.push(x.extent(permutation[i]));
  if (n.op == primitive::constant || (n.op == primitive::broadcast && x.g->shape(n.arg[0]).rank == 0)) return broadcast(ref{x.g, n.arg[0]}, s, {});
  return append(*x.g, primitive::transpose, x.type(), s, x.id, -1, -1, permutation.bits);
}
constexpr ref swap_last_two(ref x) {
  axis_map p = axis_map::identity(x.rank());
  p.set(x.rank() - 2, x.rank() - 1);
  p.set(x.rank() - 1, x.rank() - 2);
  return transpose(x, p);
}

/// Elements start[i] + k * step[i] of axis i, count[i] of them; steps may be negative. Starts are codes of amounts.
constexpr ref slice(ref x, std::int64_t const* start, std::int64_t const* step, amount const* count) {
  int const rank = x.rank();
  std::int64_t pooled[2 * max_rank] = {};
  shape_value s;
  bool whole = true;
  for (int i = 0; i < rank; ++i) {
    pooled[i] = start[i];
    pooled[rank + i] = step[i];
    s.push(count[i]);
    whole = whole && start[i] == 0 && step[i] == 1 && count[i] == x.extent(i);
  }
  if (whole) return x;
  if (x.get().op == primitive::broadcast && x.g->shape(x.get().arg[0]).rank == 0) return broadcast(ref{x.g, x.get().arg[0]}, s, {});
  return append(*x.g, primitive::slice, x.type(), s, x.id, -1, -1, x.g->intern(pooled, 2 * rank));
}
/// Zeros of shape s, with element k of axis i put at start[i] + k * step[i]: the transpose of slice.
constexpr ref pad(ref x, shape_value const& s, std::int64_t const* start, std::int64_t const* step) {
  int const rank = x.rank();
  std::int64_t pooled[2 * max_rank] = {};
  for (int i = 0; i < rank; ++i) {
    pooled[i] = start[i];
    pooled[rank + i] = step[i];
  }
  return append(*x.g, primitive::pad, x.type(), s, x.id, -1, -1, x.g->intern(pooled, 2 * rank));
}
/// `count` elements of one axis from `start` on.
constexpr ref slice_axis(ref x, int axis, amount start, amount count, std::int64_t step = 1) {
  std::int64_t starts[max_rank] = {}, steps[max_rank] = {};
  amount counts[max_rank] = {};
  for (int i = 0; i < x.rank(); ++i) {
    steps[i] = 1;
    counts[i] = x.extent(i);
  }
  starts[axis] = start.code;
  steps[axis] = step;
  counts[axis] = count;
  return slice(x, starts, steps, counts);
}
constexpr ref pad_axis(ref x, int axis, amount before, amount after) {
  std::int64_t starts[max_rank] = {}, steps[max_rank] = {};
  shape_value s = x.shape();
  for (int i = 0; i < x.rank(); ++i) steps[i] = 1;
  starts[axis] = before.code;
  s.extent[axis] = x.g->extents->sum(x.g->extents->sum(s.extent[axis], before), after);
  if (before == 0 && after == 0) return x;
  return pad(x, s, starts, steps);
}

constexpr ref concat(ref a, ref b, int axis) {
  dtype const type = promote(a.type(), b.type());
  a = cast(a, type);
  b = cast(b, type);
  shape_value s = a.shape();
  s.extent[axis] = a.g->extents->sum(s.extent[axis], b.extent(axis));
  if (b.extent(axis) == 0) return a;
  if (a.extent(axis) == 0) return b;
  return append(*a.g, primitive::concat, type, s, a.id, b.id, -1, axis);
}

constexpr shape_value without_axes(shape_value const& s, std::uint32_t mask) {
  shape_value r;
  for (int i = 0; i < s.rank; ++i)
    if (!(mask >> i & 1u)) r.push(s.extent[i]);
  return r;
}
constexpr shape_value with_kept_axes(shape_value s, std::uint32_t mask) {
  for (int i = 0; i < s.rank; ++i)
    if (mask >> i & 1u) s.extent[i] = 1;
  return s;
}
constexpr std::uint32_t all_axes(ref x) { return (1u << x.rank()) - 1u; }

/// Reduces the axes in `mask`, which disappear. The element type stays: whoever wants a wider accumulator casts before.
constexpr ref reduce(primitive op, ref x, std::uint32_t mask) {
  if (is_storage_float(x.type())) return cast(reduce(op, widened(x), mask), x.type());
  amount count = 1;
  for (int i = 0; i < x.rank(); ++i)
    if (mask >> i & 1u) count *= x.extent(i);
  shape_value const s = without_axes(x.shape(), mask);
  if (count == 1) return reshape(x, s);
  node const n = x.get();
  if (n.op == primitive::broadcast && op != primitive::prod) {
    axis_map const map{static_cast<std::uint32_t>(n.attribute)};
    bool only_repeated = !(count == 0) && (op == primitive::sum || count.is_known());
    for (int i = 0; i < x.rank(); ++i)
      if ((mask >> i & 1u) && map[i] >= 0) only_repeated = false;
    if (only_repeated) {
      axis_map kept;
      int j = 0;
      for (int i = 0; i < x.rank(); ++i)
        if (!(mask >> i & 1u)) kept.set(j++, map[i]);
      ref const once = broadcast(ref{x.g, n.arg[0]}, s, kept);
      return op == primitive::sum ? binary(primitive::multiply, once, count_of(*x.g, x.type(), count)) : once;
    }
  }
  if (op == primitive::sum && n.op == primitive::negative) return unary(primitive::negative, reduce(op, ref{x.g, n.arg[0]}, mask));
  return append(*x.g, op, x.type(), s, x.id, -1, -1, mask);
}
constexpr ref reduce_kept(primitive op, ref x, std::uint32_t mask) { return reshape(reduce(op, x, mask), with_kept_axes(x.shape(), mask)); }

/// Repeats a value whose axes in `mask` of `s` were reduced away.
constexpr ref expand_reduced(ref y, shape_value const& s, std::uint32_t mask) {
  axis_map map;
  int j = 0;
  for (int i = 0; i < s.rank; ++i)
    if (!(mask >> i & 1u)) map.set(i, j++);
  return broadcast(y, s, map);
}

/// Whether every value of one type of integers is one of another.
constexpr bool keeps_values(dtype from, dtype to) { return is_integer(from) && size_of(from) < size_of(to) && (is_signed_integer(to) || !is_signed_integer(from)); }
/// x as integers of 8 or 16 bits, as few as there are, if it is nothing but such integers widened; otherwise no value. Layout is undone and done again, so that transpose(cast(x)) is found as cast(transpose(x)) is.
constexpr ref before_widening(ref x) {
  node const n = x.get();
  ref const here = is_integer(n.type) && size_of(n.type) <= 2 ? x : ref{};
  if (!is_integer(n.type) || n.arg[0] < 0) return here;
  ref const y{x.g, n.arg[0]};
  if (n.op == primitive::cast) {
    if (here.valid()) return keeps_values(y.type(), n.type) ? before_widening(y) : here;
    return is_integer(y.type()) && size_of(y.type()) <= 2 ? before_widening(y) : here;
  }
  if (here.valid()) return here;
  if (n.op != primitive::transpose && n.op != primitive::reshape && n.op != primitive::broadcast && n.op != primitive::slice) return {};
  ref const narrow = before_widening(y);
  if (!narrow.valid()) return {};
  if (n.op == primitive::reshape) return reshape(narrow, x.shape());
  if (n.op == primitive::slice) {
    std::int64_t start[max_rank] = {}, step[max_rank] = {};
    for (int i = 0; i < x.rank(); ++i) {
      start[i] = x.g->pool[static_cast<int>(n.attribute) + i];
      step[i] = x.g->pool[static_cast<int>(n.attribute) + x.rank() + i];
    }
    return slice(narrow, start, step, x.shape().extent);
  }
  axis_map const map{static_cast<std::uint32_t>(n.attribute)};
  return n.op == primitive::transpose ? transpose(narrow, map) : broadcast(narrow, x.shape(), map);
}

/// A product of integers in `type`, modulo its range. Operands of 8 and 16 bits stay as they are: the kernels multiply them as they lie and add up in 32 bits.
constexpr ref integer_dot(ref a, ref b, dtype type) {
  shape_value s = a.shape();
  s.extent[s.rank - 1] = b.extent(b.rank() - 1);
  if (size_of(type) <= 4) {
    dtype const wide = size_of(type) == 4 ? type : dtype::int32;
    ref const x = before_widening(a), y = before_widening(b);
    if (x.valid() && y.valid()) return cast(append(*a.g, primitive::dot, wide, s, x.id, y.id), type);
  }
  return append(*a.g, primitive::dot, type, s, cast(a, type).id, cast(b, type).id);
}

/// Matrix products [.., m, k] x [.., k, n]; the leading axes are equal. Everything else (vectors, batches, einsum) is brought to this form.
constexpr ref dot(ref a, ref b) {
  dtype const type = promote(a.type(), b.type());
  if (is_integer(type)) return integer_dot(a.type() == dtype::boolean ? cast(a, type) : a, b.type() == dtype::boolean ? cast(b, type) : b, type);
  a = cast(a, type);
  b = cast(b, type);
  shape_value s = a.shape();
  s.extent[s.rank - 1] = b.extent(b.rank() - 1);
  if (is_storage_float(type)) return cast(append(*a.g, primitive::dot, dtype::float32, s, a.id, b.id), type);
  return append(*a.g, primitive::dot, type, s, a.id, b.id);
}

/// Of the last two axes: zero below diagonal `offset` (`upper`), or above it.
constexpr ref triangle(ref x, bool upper, std::int64_t offset = 0) {
  builder& g = *x.g;
  int const r = x.rank();
  ref const row = iota(g, dtype::int64, x.shape(), r - 2), column = iota(g, dtype::int64, x.shape(), r - 1);
  ref const shifted = row + full(g, dtype::int64, x.shape(), static_cast<double>(offset));
  return select(upper ? binary(primitive::less_equal, shifted, column) : binary(primitive::less_equal, column, shifted), x, full_like(x, 0));
}
/// A unit matrix for each matrix of x.
constexpr ref identity_matrices(ref x) {
  builder& g = *x.g;
  return cast(equal(iota(g, dtype::int64, x.shape(), x.rank() - 2), iota(g, dtype::int64, x.shape(), x.rank() - 1)), x.type());
}
/// The lower triangle, with half its diagonal.
constexpr ref lower_with_half_diagonal(ref x) { return triangle(x, false) * (1.0 - 0.5 * identity_matrices(x)); }
/// What lies before and behind an axis, as two extents: the form [before, axis, behind] of the gather and scatter kernels.
struct around_axis {
  amount before = 1, behind = 1;
  constexpr around_axis(shape_value const& s, int axis) {
    for (int i = 0; i < axis; ++i) before *= s.extent[i];
    for (int i = axis + 1; i < s.rank; ++i) behind *= s.extent[i];
  }
  constexpr shape_value with(amount n) const {
    shape_value s;
    s.push(before);
    s.push(n);
    s.push(behind);
    return s;
  }
};

/// x: [p, n, m], indices: [k] -> [p, k, m]
constexpr ref gather(ref x, ref indices) {
  shape_value s = x.shape();
  // Indices are moved into range, which there must be.
  x.g->extents->require_at_least(x.extent(1), x.g->extents->minimum(indices.extent(0), 1));
  s.extent[1] = indices.extent(0);
  return append(*x.g, primitive::gather, x.type(), s, x.id, indices.id);
}
/// base: [p, n, m], indices: [k], updates: [p, k, m] -> base with updates added
constexpr ref scatter_add(ref base, ref indices, ref updates) {
  base.g->extents->require_at_least(base.extent(1), base.g->extents->minimum(indices.extent(0), 1));
  return append(*base.g, primitive::scatter_add, base.type(), base.shape(), base.id, indices.id, updates.id);
}

/// start: [rank] integers -> the block of shape `s` that begins there, moved so that it fits.
constexpr ref dynamic_slice(ref x, ref start, shape_value const& s) {
  for (int i = 0; i < s.rank; ++i) x.g->extents->require_at_least(x.extent(i), s.extent[i]);
  return append(*x.g, primitive::dynamic_slice, x.type(), s, x.id, start.id);
}
constexpr ref dynamic_update_slice(ref x, ref start, ref block) {
  for (int i = 0; i < x.rank(); ++i) x.g->extents->require_at_least(x.extent(i), block.extent(i));
  return append(*x.g, primitive::dynamic_update_slice, x.type(), x.shape(), x.id, start.id, block.id);
}

/// Running sum or product along an axis, from the front or from the back.
constexpr ref cumulative(primitive op, ref x, int axis, bool from_end = false) {
  return append(*x.g, op, x.type(), x.shape(), x.id, -1, -1, axis + (from_end ? 16 : 0));
}

}  // namespace DIMITY_NAMESPACE::detail
