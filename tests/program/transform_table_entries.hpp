// The table of primitives: how each is put into a program, and on what it is tried.
#pragma once

#include "transform_table_loops.hpp"

namespace test {

inline shape_value shape_of(std::initializer_list<std::int64_t> extents) {
  shape_value s;
  for (std::int64_t const e : extents) s.push(e);
  return s;
}
inline axis_map map_of(std::initializer_list<int> axes) {
  axis_map m;
  int i = 0;
  for (int const a : axes) m.set(i++, a);
  return m;
}
/// One of [start, ...], [step, ...] and [count, ...] for each axis.
inline ref sliced(ref x, std::vector<std::int64_t> const& start, std::vector<std::int64_t> const& steps, std::vector<amount> const& count) { return slice(x, start.data(), steps.data(), count.data()); }
inline ref padded(ref x, std::initializer_list<std::int64_t> shape, std::vector<std::int64_t> const& start, std::vector<std::int64_t> const& steps) { return pad(x, shape_of(shape), start.data(), steps.data()); }

/// y = sin(a) * b with a derivative of its own, which is the right one.
inline void pull_sine(builder&, ref const* x, ref const* cotangents, ref* results) {
  results[0] = cotangents[0] * unary(primitive::cos, x[0]) * x[1];
  results[1] = cotangents[0] * unary(primitive::sin, x[0]);
}
inline void push_sine(builder&, ref const* x, ref const* tangents, ref* results) { results[0] = unary(primitive::cos, x[0]) * x[1] * tangents[0] + unary(primitive::sin, x[0]) * tangents[1]; }
inline ref sine_with_rule(call const& c, bool pulls, bool pushes) {
  list<std::int32_t> inputs;
  ref own[2];
  for (int k = 0; k < 2; ++k) {
    own[k] = append(c.g, primitive::copy, dtype::float64, c.x[k].shape(), c.x[k].id);
    inputs.push(own[k].id);
  }
  custom_rule rule;
  if (pulls) rule.pull = pull_sine;
  if (pushes) rule.push = push_sine;
  return with_rule(c.g, unary(primitive::sin, own[0]) * own[1], add_rule(c.g, rule, inputs, 1), 0);
}
/// sin(a) and a b by one rule, of which `which` are wanted.
inline void pull_two(builder&, ref const* x, ref const* cotangents, ref* results) {
  results[0] = cotangents[0] * unary(primitive::cos, x[0]) + cotangents[1] * x[1];
  results[1] = cotangents[1] * x[0];
}
inline ref two_with_rule(call const& c, bool first, bool second) {
  list<std::int32_t> inputs;
  for (int k = 0; k < 2; ++k) inputs.push(append(c.g, primitive::copy, dtype::float64, c.x[k].shape(), c.x[k].id).id);
  ref const a{&c.g, inputs[0]}, b{&c.g, inputs[1]};
  custom_rule rule;
  rule.pull = pull_two;
  int const index = add_rule(c.g, rule, inputs, 2);
  ref const y = with_rule(c.g, unary(primitive::sin, a), index, 0), z = with_rule(c.g, a * b, index, 1);
  return first && second ? y * z : first ? y : z;
}
inline ref looked_at(call const& c) {
  std::int64_t const name[] = {1, 'x'};
  return append(c.g, c.op, c.x[0].type(), c.x[0].shape(), c.x[0].id, -1, -1, c.g.intern(name, 2));
}

inline void add_elementwise(entries& table) {
  auto const one = [&](primitive op, operand const& x) { table.add(op, "", {x}, [](call const& c) { return unary(c.op, c.x[0]); }); };
  auto const two = [&](primitive op, operand const& x, operand const& y) { table.add(op, "", {x, y}, [](call const& c) { return binary(c.op, c.x[0], c.x[1]); }); };
  using p = primitive;
  for (p const op : {p::negative, p::exp, p::exp2, p::expm1, p::square, p::sin, p::cos, p::tan, p::atan, p::sinh, p::cosh, p::tanh, p::asinh, p::erf, p::erfc, p::sigmoid, p::softplus}) one(op, real({2, 3}));
  for (p const op : {p::log, p::log2, p::log10, p::log1p, p::sqrt, p::rsqrt}) one(op, real({5}, 0.4, 2));
  for (p const op : {p::abs, p::sign, p::relu, p::cbrt, p::floor, p::ceil, p::trunc, p::isnan, p::isinf, p::isfinite}) {
    one(op, real({2, 2}, 0.2, 0.8));
    one(op, real({2, 2}, -1.8, -1.2));
  }
  for (p const op : {p::asin, p::acos, p::atanh}) one(op, real({5}, -0.7, 0.7));
  one(p::acosh, real({5}, 1.3, 3));
  one(p::round, real({5}, 0.6, 1.4));
  one(p::logical_not, booleans({4}));
  for (p const op : {p::negative, p::abs, p::sign, p::square, p::bitwise_not}) one(op, integers({4}, -5, 5));
  table.add(p::cast, "to float32 and back", {real({4})}, [](call const& c) { return unary(p::sin, cast(unary(p::sin, cast(c.x[0], dtype::float32)), dtype::float64)); });
  table.add(p::cast, "to integers", {real({4}, 1.2, 1.8)}, [](call const& c) { return cast(c.x[0] * 3.0, dtype::int32); });
  table.add(p::cast, "of integers", {integers({4}, -3, 3)}, [](call const& c) { return unary(p::sin, cast(c.x[0], dtype::float64)); });
  table.add(p::copy, "", {real({4})}, [](call const& c) { return append(c.g, c.op, dtype::float64, c.x[0].shape(), c.x[0].id); });
  table.add(p::copy, "stop_gradient", {real({4})}, [](call const& c) { return append(c.g, c.op, dtype::float64, c.x[0].shape(), c.x[0].id, -1, -1, stops_derivative); }).stops_derivatives = true;
  table.add(p::copy, "custom_vjp", {real({3}), real({3})}, [](call const& c) { return sine_with_rule(c, true, false); });
  table.add(p::copy, "custom_jvp", {real({3}), real({3})}, [](call const& c) { return sine_with_rule(c, false, true); });
  table.add(p::copy, "both rules", {real({3}), real({3})}, [](call const& c) { return sine_with_rule(c, true, true); });
  table.add(p::copy, "one rule, two results", {real({3}), real({3})}, [](call const& c) { return two_with_rule(c, true, true); });
  table.add(p::copy, "the first of two results, which does not depend on the second operand", {real({3}), real({3})}, [](call const& c) { return two_with_rule(c, true, false); });
  table.add(p::copy, "the second of two results", {real({3}), real({3})}, [](call const& c) { return two_with_rule(c, false, true); });

  for (p const op : {p::add, p::subtract, p::multiply, p::atan2, p::hypot, p::maximum, p::minimum, p::less, p::less_equal, p::equal, p::not_equal, p::divide}) {
    two(op, real({2, 3}, 0.3, 2), real({2, 3}, -2, -0.3));
    two(op, real({2, 3}), real({3}, 0.5, 1.5));
    two(op, real({}, 0.5, 1.5), real({2, 2}));
  }
  for (p const op : {p::maximum, p::minimum}) two(op, real({4}, 0.2, 1), real({4}, 0.2, 1));
  for (p const op : {p::add, p::multiply}) {
    two(op, real({dyn}), real({dim<"n">}));
    two(op, real({dim<"n">, dyn}), real({dim<"m">}));
  }
  two(p::remainder, real({4}, 1.1, 1.4), real({4}, 0.75, 0.9));
  two(p::remainder, real({4}, -1.4, -1.1), real({4}, 0.75, 0.9));
  two(p::remainder, real({4}, 1.1, 1.4), real({}, -0.9, -0.75));
  two(p::power, real({2, 2}, 0.5, 2), real({2, 2}, -1.5, 2));
  two(p::power, real({2, 2}, 0.5, 2), real({}, -1.5, 2));
  table.add(p::power, "constant exponent", {real({4}, 0.5, 2)}, [](call const& c) { return binary(c.op, c.x[0], constant(c.g, dtype::float64, 2.5)); });
  table.add(p::power, "negative base", {real({4}, -2, -0.5)}, [](call const& c) { return binary(c.op, c.x[0], constant(c.g, dtype::float64, 5)); });
  for (p const op : {p::add, p::subtract, p::multiply, p::divide, p::remainder, p::less, p::equal, p::maximum, p::bitwise_and, p::bitwise_or, p::bitwise_xor}) two(op, integers({2, 3}, -7, 7), integers({3}, 1, 4));
  for (p const op : {p::bitwise_and, p::bitwise_or, p::bitwise_xor, p::equal}) two(op, booleans({5}), booleans({5}));
  for (p const op : {p::shift_left, p::shift_right}) two(op, integers({4}, 0, 50), integers({4}, 0, 4));
  table.add(p::multiply, "one value, twice", {real({4})}, [](call const& c) { return c.x[0] * unary(p::sin, c.x[0]) * c.x[0]; });
  table.add(p::subtract, "of what is repeated", {real({2}), real({2})}, [](call const& c) {
    shape_value const s = shape_of({2, 3});
    return binary(c.op, c.x[1], c.x[0]) + reduce(p::sum, broadcast(c.x[0], s, map_of({0, -1})) * broadcast(c.x[1], s, map_of({0, -1})), 2);
  });
  table.add(p::select, "", {booleans({2, 3}), real({2, 3}), real({2, 3})}, [](call const& c) { return select(c.x[0], c.x[1], c.x[2]); });
  table.add(p::select, "one condition, a row", {booleans({}), real({2, 3}), real({3})}, [](call const& c) { return select(c.x[0], c.x[1], c.x[2]); });
  table.add(p::select, "condition of the operands", {real({5}), real({5})}, [](call const& c) { return select(less(c.x[0], c.x[1]), unary(p::exp, c.x[0]), c.x[1] * c.x[0]); });
}

inline void add_layout(entries& table) {
  using p = primitive;
  table.add(p::input, "", {real({2, 3})}, [](call const& c) { return c.x[0]; });
  table.add(p::constant, "", {real({3})}, [](call const& c) { return constant(c.g, dtype::float64, 1.5); });
  table.add(p::constant, "times a value", {real({3})}, [](call const& c) { return c.x[0] * 1.5; });
  table.add(p::iota, "", {real({3})}, [](call const& c) { return iota(c.g, dtype::int32, c.x[0].shape(), 0); });
  table.add(p::iota, "times a value", {real({2, 3})}, [](call const& c) { return iota(c.g, dtype::float64, c.x[0].shape(), 1) * c.x[0]; });
  table.add(p::extent, "", {real({dim<"n">})}, [](call const& c) { return count_of(c.g, dtype::float64, c.x[0].extent(0)); });
  table.add(p::extent, "a mean", {real({dim<"n">, 2})}, [](call const& c) { return reduce(p::sum, unary(p::sin, c.x[0]), 1) / count_of(c.g, dtype::float64, c.x[0].extent(0)); });

  table.add(p::broadcast, "a new axis 0", {real({3})}, [](call const& c) { return broadcast(c.x[0], shape_of({2, 3}), map_of({-1, 0})); });
  table.add(p::broadcast, "new axes between", {real({2, 3})}, [](call const& c) { return broadcast(c.x[0], shape_of({2, 2, 3, 2}), map_of({0, -1, 1, -1})); });
  table.add(p::broadcast, "a scalar", {real({})}, [](call const& c) { return broadcast(c.x[0], shape_of({2, 2}), {}); });
  table.add(p::broadcast, "run-time extents", {real({dim<"n">}), real({dim<"m">})}, [](call const& c) {
    shape_value s = c.x[0].shape();
    s.push(c.x[1].extent(0));
    return broadcast(c.x[0], s, map_of({0, -1})) * broadcast(c.x[1], s, map_of({-1, 0}));
  });
  table.add(p::transpose, "", {real({2, 3})}, [](call const& c) { return transpose(c.x[0], map_of({1, 0})); });
  table.add(p::transpose, "three axes", {real({2, 3, 2})}, [](call const& c) { return transpose(c.x[0], map_of({2, 0, 1})); });
  table.add(p::reshape, "", {real({2, 6})}, [](call const& c) { return reshape(c.x[0], shape_of({3, 4})); });
  table.add(p::reshape, "to fewer axes", {real({2, 1, 3})}, [](call const& c) { return reshape(c.x[0], shape_of({6})); });
  table.add(p::reshape, "run-time extents", {real({dim<"n">, 2, dyn})}, [](call const& c) {
    shape_value s;
    s.push(c.x[0].shape().size());
    return reshape(unary(p::sin, c.x[0]), s);
  });
  table.add(p::slice, "", {real({3, 4})}, [](call const& c) { return sliced(c.x[0], {1, 0}, {1, 1}, {2, 3}); });
  table.add(p::slice, "steps", {real({3, 5})}, [](call const& c) { return sliced(c.x[0], {0, 1}, {2, 2}, {2, 2}); });
  table.add(p::slice, "negative steps", {real({3, 5})}, [](call const& c) { return sliced(c.x[0], {2, 4}, {-1, -2}, {3, 2}); });
  table.add(p::slice, "of what is repeated", {real({4})}, [](call const& c) { return sliced(broadcast(c.x[0], shape_of({3, 4}), map_of({-1, 0})), {1, 1}, {1, 1}, {2, 3}); });
  table.add(p::slice, "run-time extents", {real({dim<"n">, 2})}, [](call const& c) { return slice_axis(c.x[0], 0, 1, c.g.extents->difference(c.x[0].extent(0), 1)) * slice_axis(c.x[0], 0, 0, c.g.extents->difference(c.x[0].extent(0), 1)); });
  table.add(p::pad, "", {real({2, 3})}, [](call const& c) { return padded(c.x[0], {4, 5}, {1, 2}, {1, 1}); });
  table.add(p::pad, "steps", {real({2, 3})}, [](call const& c) { return padded(c.x[0], {4, 6}, {0, 1}, {3, 2}); });
  table.add(p::pad, "negative steps", {real({4})}, [](call const& c) { return padded(c.x[0], {8}, {7}, {-2}); });
  table.add(p::concat, "axis 0", {real({2, 3}), real({1, 3})}, [](call const& c) { return concat(c.x[0], c.x[1], 0); });
  table.add(p::concat, "axis 1", {real({2, 1}), real({2, 3})}, [](call const& c) { return concat(c.x[0], c.x[1], 1); });
  table.add(p::concat, "a value, twice", {real({2, 2})}, [](call const& c) { return concat(c.x[0], unary(p::sin, c.x[0]), 1); });
  table.add(p::concat, "run-time extents", {real({dim<"n">}), real({dim<"m">})}, [](call const& c) { return concat(c.x[0], c.x[1], 0); });
  table.add(p::after, "", {real({3}), real({3})}, [](call const& c) { return append(c.g, c.op, dtype::float64, c.x[0].shape(), c.x[0].id, c.x[1].id); });
  table.add(p::after, "the value of the second", {real({3})}, [](call const& c) {
    ref const first = unary(p::sin, append(c.g, p::copy, dtype::float64, c.x[0].shape(), c.x[0].id)), second = unary(p::sin, c.x[0]);
    return append(c.g, c.op, dtype::float64, c.x[0].shape(), first.id, second.id, -1, stands_for_first);
  });
}

inline void add_reductions(entries& table) {
  using p = primitive;
  for (p const op : {p::sum, p::prod, p::max, p::min}) {
    table.add(op, "axis 0", {real({3, 2})}, [](call const& c) { return reduce(c.op, c.x[0], 1); });
    table.add(op, "axis 1", {real({2, 3})}, [](call const& c) { return reduce(c.op, c.x[0], 2); });
    table.add(op, "all axes", {real({2, 3})}, [](call const& c) { return reduce(c.op, c.x[0], 3); });
    table.add(op, "first and last", {real({2, 3, 2})}, [](call const& c) { return reduce(c.op, c.x[0], 5); });
    table.add(op, "run-time extents", {real({dim<"n">, 2})}, [](call const& c) { return reduce(c.op, c.x[0], 1); });
    table.add(op, "of integers", {integers({2, 3}, -3, 3)}, [](call const& c) { return reduce(c.op, c.x[0], 2); });
    table.add(op, "kept axes", {real({2, 3})}, [](call const& c) { return reduce_kept(c.op, c.x[0], 2) * c.x[0]; });
  }
  table.add(p::sum, "of what is repeated", {real({3})}, [](call const& c) { return reduce(c.op, broadcast(c.x[0], shape_of({2, 3}), map_of({-1, 0})) * 0.5, 3); });
  table.add(p::prod, "zeros", {real_with_zeros({2, 4})}, [](call const& c) { return reduce(c.op, c.x[0], 2); });
  for (p const op : {p::any, p::all}) {
    table.add(op, "", {booleans({2, 3})}, [](call const& c) { return reduce(c.op, c.x[0], 2); });
    table.add(op, "of comparisons", {real({2, 3})}, [](call const& c) { return reduce(c.op, less(c.x[0], full_like(c.x[0], 0.1)), 1); });
  }
  for (p const op : {p::argmax, p::argmin}) {
    table.add(op, "axis 0", {real({3, 2})}, [](call const& c) { return append(c.g, c.op, dtype::int64, without_axes(c.x[0].shape(), 1), c.x[0].id, -1, -1, 0); });
    table.add(op, "axis 1", {real({2, 3})}, [](call const& c) { return append(c.g, c.op, dtype::int64, without_axes(c.x[0].shape(), 2), c.x[0].id, -1, -1, 1); });
  }
  table.add(p::argsort, "", {real({2, 4})}, [](call const& c) { return append(c.g, c.op, dtype::int64, c.x[0].shape(), c.x[0].id); });
  for (p const op : {p::cumulative_sum, p::cumulative_prod}) {
    table.add(op, "axis 0", {real({3, 2})}, [](call const& c) { return cumulative(c.op, c.x[0], 0); });
    table.add(op, "axis 1 of three", {real({2, 3, 2})}, [](call const& c) { return cumulative(c.op, c.x[0], 1); });
    table.add(op, "from the end", {real({2, 3})}, [](call const& c) { return cumulative(c.op, c.x[0], 1, true); });
    table.add(op, "zeros", {real_with_zeros({4})}, [](call const& c) { return cumulative(c.op, c.x[0], 0); });
    table.add(op, "run-time extents", {real({dim<"n">, 2})}, [](call const& c) { return cumulative(c.op, c.x[0], 0, true); });
    table.add(op, "of integers", {integers({4}, -3, 3)}, [](call const& c) { return cumulative(c.op, c.x[0], 0); });
  }
}

inline void add_kernels(entries& table) {
  using p = primitive;
  auto const product = [](call const& c) { return dot(c.x[0], c.x[1]); };
  table.add(p::dot, "", {real({2, 3}), real({3, 4})}, product);
  table.add(p::dot, "a row and a column", {real({1, 3}), real({3, 1})}, product);
  table.add(p::dot, "a batch", {real({2, 2, 3}), real({2, 3, 2})}, product);
  table.add(p::dot, "two batch axes", {real({2, 1, 2, 2}), real({2, 1, 2, 2})}, product);
  table.add(p::dot, "with its transpose", {real({2, 3})}, [](call const& c) { return dot(c.x[0], swap_last_two(c.x[0])); });
  table.add(p::dot, "run-time extents", {real({dim<"n">, 2}), real({2, dim<"m">})}, product);
  auto const gathered = [](call const& c) { return gather(c.x[0], c.x[1]); };
  table.add(p::gather, "repeated indices", {real({2, 3, 2}), integers({5}, 0, 2)}, gathered);
  table.add(p::gather, "from the end, and out of range", {real({1, 3, 2}), integers({6}, -5, 5, dtype::int64)}, gathered);
  auto const scattered = [](call const& c) { return scatter_add(c.x[0], c.x[1], c.x[2]); };
  table.add(p::scatter_add, "repeated indices", {real({2, 3, 2}), integers({5}, 0, 2), real({2, 5, 2})}, scattered);
  table.add(p::scatter_add, "from the end, and out of range", {real({1, 3, 1}), integers({6}, -5, 5), real({1, 6, 1})}, scattered);
  table.add(p::gather, "run-time extents", {real({2, dim<"n">, 1}), integers({dim<"m">}, -2, 3)}, gathered);
  table.add(p::scatter_add, "run-time extents", {real({1, dim<"n">, 2}), integers({dim<"m">}, -2, 3), real({1, dim<"m">, 2})}, scattered);
  table.add(p::random_bits, "", {integers({2}, 0, 1000000, dtype::uint32)}, [](call const& c) { return append(c.g, c.op, dtype::uint32, shape_of({2, 3}), c.x[0].id); });
  table.add(p::random_bits, "keys side by side", {integers({2, 2}, 0, 1000000, dtype::uint32)}, [](call const& c) { return append(c.g, c.op, dtype::uint32, shape_of({2, 7}), c.x[0].id); });
  table.add(p::random_bits, "noise", {real({3}), integers({2}, 0, 1000000, dtype::uint32)}, [](call const& c) {
    return c.x[0] * (cast(append(c.g, c.op, dtype::uint32, shape_of({3}), c.x[1].id), dtype::float64) * 0x1p-32);
  });
  auto const cut = [](call const& c) { return dynamic_slice(c.x[0], c.x[1], shape_of({2, 3})); };
  table.add(p::dynamic_slice, "", {real({3, 4}), integers({2}, 0, 1)}, cut);
  table.add(p::dynamic_slice, "from the end, and out of range", {real({3, 4}), integers({2}, -6, 6, dtype::int64)}, cut);
  table.add(p::dynamic_slice, "run-time extents", {real({dim<"n">, 4}), integers({2}, -2, 2)}, cut);
  table.add(p::dynamic_slice, "a start for each entry", {real({2, 4}), integers({2, 1}, 0, 2)}, [](call const& c) { return dynamic_slice(c.x[0], c.x[1], shape_of({2, 2})); });
  table.add(p::dynamic_slice, "two batch axes", {real({2, 1, 3, 2}), integers({2, 1, 2}, -2, 2)}, [](call const& c) { return dynamic_slice(c.x[0], c.x[1], shape_of({2, 1, 2, 1})); });
  auto const put = [](call const& c) { return dynamic_update_slice(c.x[0], c.x[1], c.x[2]); };
  table.add(p::dynamic_update_slice, "", {real({3, 4}), integers({2}, 0, 2), real({2, 2})}, put);
  table.add(p::dynamic_update_slice, "from the end, and out of range", {real({3, 4}), integers({2}, -6, 6), real({2, 3})}, put);
  table.add(p::dynamic_update_slice, "a start for each entry", {real({2, 4}), integers({2, 1}, -1, 3), real({2, 2})}, put);
  auto const solution = [](call const& c) { return solve(c.x[0], c.x[1]); };
  table.add(p::solve, "", {regular({3, 3}), real({3, 2})}, solution);
  table.add(p::solve, "one column", {regular({3, 3}), real({3, 1})}, solution);
  table.add(p::solve, "run-time extents", {regular({dim<"n">, dim<"n">}), real({dim<"n">, 2})}, solution);
  table.add(p::solve, "a batch", {regular({2, 2, 2}), real({2, 2, 2})}, solution);
  table.add(p::cholesky, "", {positive_definite({3, 3})}, [](call const& c) { return cholesky(c.x[0]); });
  table.add(p::cholesky, "a batch", {positive_definite({2, 2, 2})}, [](call const& c) { return cholesky(c.x[0]); });
  auto const lower = [](call const& c) { return triangular_solve(c.x[0], c.x[1], false); };
  auto const upper = [](call const& c) { return triangular_solve(c.x[0], c.x[1], true); };
  table.add(p::triangular_solve, "lower", {regular({3, 3}), real({3, 2})}, lower);
  table.add(p::triangular_solve, "lower, a batch", {regular({2, 2, 2}), real({2, 2, 1})}, lower);
  table.add(p::triangular_solve, "upper", {regular({3, 3}), real({3, 1})}, upper);
  table.add(p::triangular_solve, "upper, a batch", {regular({2, 2, 2}), real({2, 2, 2})}, upper);
  table.add(p::slogdet, "", {regular({3, 3})}, [](call const& c) { return slogdet(c.x[0]); });
  table.add(p::slogdet, "positive", {positive_definite({2, 2})}, [](call const& c) { return slogdet(c.x[0]); });
  table.add(p::slogdet, "a batch", {regular({2, 2, 2})}, [](call const& c) { return slogdet(c.x[0]); });
  for (auto const& [shape, variant] : {std::pair{extents{3, 2}, "tall"}, {{2, 2}, "square"}, {{2, 2, 2}, "a batch"}}) {
    table.add(p::qr, variant, {separated(shape)}, [](call const& c) { return qr(c.x[0]); });
    table.add(p::svd, variant, {separated(shape)}, [](call const& c) { return svd(c.x[0]); });
  }
  for (auto const& [shape, variant] : {std::pair{extents{3, 3}, ""}, {{2, 2, 2}, "a batch"}}) {
    table.add(p::eigh, variant, {separated(shape)}, [](call const& c) { return eigh(c.x[0]); });
    table.add(p::expm, variant, {real(shape)}, [](call const& c) { return expm(c.x[0]); });
  }
  for (auto const& [shape, variant] : {std::pair{extents{2, 4}, ""}, {{3, 2, 3}, "a batch"}}) {
    table.add(p::fft, variant, {real(shape)}, [](call const& c) { return dimity::detail::fft(c.x[0], false); });
    table.add(p::fft, variant, {real(shape)}, [](call const& c) { return dimity::detail::fft(c.x[0], true); });
    table.add(p::rfft, variant, {real(shape)}, [](call const& c) { return dimity::detail::rfft(c.x[0]); });
    table.add(p::irfft, variant, {real(shape)}, [](call const& c) { return dimity::detail::irfft(c.x[0], 2 * c.x[0].extent(c.x[0].rank() - 1).number() - 2); });
    table.add(p::irfft, variant, {real(shape)}, [](call const& c) { return dimity::detail::irfft(c.x[0], 2 * c.x[0].extent(c.x[0].rank() - 1).number() - 1); });
  }
  static constexpr convolution_geometry geometry{2, 1, 2, {3, 4}, {2, 2}, {2, 3}, {2, 1}, {1, 2}, {1, 1}};
  auto const convolved = [](call const& c) { return convolution(c.x[0], c.x[1], geometry); };
  auto const to_images = [](call const& c) { return convolution_input_gradient(c.x[0], c.x[1], geometry); };
  auto const to_kernels = [](call const& c) { return convolution_kernel_gradient(c.x[0], c.x[1], geometry); };
  table.add(p::convolution, "two groups, stride, dilation, zeros around", {real({2, 2, 3, 4}), real({4, 1, 2, 2})}, convolved);
  table.add(p::convolution, "run-time extents", {real({dim<"n">, 2, 3, 4}), real({4, 1, 2, 2})}, convolved);
  table.add(p::convolution, "a batch of kernels", {real({2, 1, 2, 3, 4}), real({2, 4, 1, 2, 2})}, convolved);
  table.add(p::convolution_input_gradient, "two groups, stride, dilation, zeros around", {real({1, 4, 2, 3}), real({4, 1, 2, 2})}, to_images);
  table.add(p::convolution_input_gradient, "a batch of kernels", {real({2, 1, 4, 2, 3}), real({2, 4, 1, 2, 2})}, to_images);
  table.add(p::convolution_kernel_gradient, "two groups, stride, dilation, zeros around", {real({2, 2, 3, 4}), real({2, 4, 2, 3})}, to_kernels);
  table.add(p::convolution_kernel_gradient, "run-time extents", {real({dim<"n">, 2, 3, 4}), real({dim<"n">, 4, 2, 3})}, to_kernels);
  static constexpr convolution_geometry windows{1, 1, 1, {3, 4}, {2, 2}, {2, 3}, {2, 1}, {1, 2}, {1, 1}};
  auto const largest = [](call const& c) { return window_max(c.x[0], windows); };
  auto const gathered_from = [](call const& c) { return select_and_gather(c.x[0], c.x[1], windows); };
  auto const scattered_to = [](call const& c) { return select_and_scatter(c.x[0], c.x[1], windows); };
  table.add(p::window_max, "stride, dilation, nothing around", {separated({2, 3, 4})}, largest);
  table.add(p::window_max, "run-time extents", {separated({dim<"n">, 3, 4})}, largest);
  table.add(p::select_and_gather, "", {separated({2, 3, 4}), real({2, 3, 4})}, gathered_from);
  table.add(p::select_and_scatter, "", {separated({2, 3, 4}), real({2, 2, 3})}, scattered_to);
  table.add(p::debug_print, "", {real({3})}, [](call const& c) { return looked_at(c) * c.x[0]; });
  table.add(p::check_finite, "", {real({3})}, [](call const& c) { return looked_at(c) * c.x[0]; });
}

inline std::vector<entry> all_entries() {
  entries table;
  add_elementwise(table);
  add_layout(table);
  add_reductions(table);
  add_kernels(table);
  add_control(table);
  return std::move(table.all);
}

}  // namespace test
