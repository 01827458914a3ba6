// Forward mode: a pass over the program that appends the tangents of values, given those of the inputs.
#pragma once

#include <dimity/program/forward_control.hpp>
#include <dimity/program/forward_linalg.hpp>
#include <dimity/program/reverse.hpp>

namespace DIMITY_NAMESPACE::detail {

/// What operand k's tangent t adds to y's tangent; invalid where nothing does.
constexpr ref push_forward_rule(ref y, int k, ref t) {
  node const n = y.get();
  builder& g = *y.g;
  ref const a{&g, n.arg[0]};
  if (!is_floating(y.type()) || !is_floating(g.type(n.arg[k]))) return {};
  if (n.op == primitive::cast) return cast(t, y.type());
  if (family_of(n.op) == family::elementwise) return scale_by_derivative(y, k, t);
  switch (n.op) {
    case primitive::broadcast: return broadcast(t, y.shape(), axis_map{static_cast<std::uint32_t>(n.attribute)});
    case primitive::transpose: return transpose(t, axis_map{static_cast<std::uint32_t>(n.attribute)});
    case primitive::reshape: return reshape(t, y.shape());
    case primitive::after: return k == 0 ? t : ref{};
    case primitive::slice: return slice(t, g.pool.begin() + static_cast<int>(n.attribute), g.pool.begin() + static_cast<int>(n.attribute) + a.rank(), y.shape().extent);
    case primitive::pad: return pad(t, y.shape(), g.pool.begin() + static_cast<int>(n.attribute), g.pool.begin() + static_cast<int>(n.attribute) + a.rank());
    case primitive::sum: return reduce(primitive::sum, t, static_cast<std::uint32_t>(n.attribute));
    case primitive::max:
    case primitive::min: {
      auto const mask = static_cast<std::uint32_t>(n.attribute);
      ref const hit = equal(a, expand_reduced(y, a.shape(), mask));
      return reduce(primitive::sum, select(hit, t, zeros_like(t)), mask) / reduce(primitive::sum, cast(hit, a.type()), mask);
    }
    case primitive::prod: return reduce(primitive::sum, t * product_of_others(a, static_cast<std::uint32_t>(n.attribute)), static_cast<std::uint32_t>(n.attribute));
    case primitive::cumulative_sum: return cumulative(primitive::cumulative_sum, t, static_cast<int>(n.attribute & 15), (n.attribute & 16) != 0);
    case primitive::cumulative_prod: {
      int const axis = static_cast<int>(n.attribute & 15), last = y.rank();
      axis_map order = axis_map::identity(last);
      order.set(axis, last - 1);
      order.set(last - 1, axis);
      ref const jacobian = cumulative_product_jacobian(a, axis, (n.attribute & 16) != 0);
      axis_map map;
      for (int i = 0; i < last; ++i) map.set(i, i);
      return transpose(reduce(primitive::sum, jacobian * broadcast(transpose(t, order), jacobian.shape(), map), 1u << (last - 1)), order);
    }
    case primitive::concat: {
      ref const other = zeros_beside(t, ref{&g, n.arg[1 - k]});
      return k == 0 ? concat(t, other, static_cast<int>(n.attribute)) : concat(other, t, static_cast<int>(n.attribute));
    }
    case primitive::dot: return cast(k == 0 ? dot(t, ref{&g, n.arg[1]}) : dot(a, t), y.type());
    case primitive::solve: return k == 0 ? -solve(a, dot(t, y)) : solve(a, t);
    case primitive::debug_print:
    case primitive::check_finite: return t;
    case primitive::cholesky: {
      // l (lower triangle of l^-1 t l^-T, half its diagonal); of t as of a the lower triangle counts.
      ref const strict = triangle(t, false, -1), symmetric = triangle(t, false) + swap_last_two(strict);
      ref const left = triangular_solve(y, symmetric, false);
      return dot(y, lower_with_half_diagonal(swap_last_two(triangular_solve(y, swap_last_two(left), false))));
    }
    case primitive::triangular_solve: {
      bool const upper = n.attribute != 0;
      return k == 0 ? -triangular_solve(a, dot(triangle(t, upper), y), upper) : triangular_solve(a, t, upper);
    }
    case primitive::slogdet: {
      ref const product = solve(a, t);
      int const r = a.rank();
      ref const on_diagonal = product * identity_matrices(a);
      ref const trace = reduce(primitive::sum, on_diagonal, 3u << (r - 2));
      shape_value s = trace.shape();
      s.push(1);
      ref const value = reshape(trace, s);
      return concat(full_like(value, 0), value, s.rank - 1);
    }
    case primitive::qr: return push_qr(y, a, t);
    case primitive::eigh: return push_eigh(y, a, t);
    case primitive::svd: return push_svd(y, a, t);
    case primitive::expm: return push_expm(a, t);
    case primitive::fft: return fft(t, n.attribute != 0);
    case primitive::rfft: return rfft(t);
    case primitive::irfft: return irfft(t, y.extent(y.rank() - 1));
    case primitive::convolution:
    case primitive::convolution_input_gradient:
    case primitive::convolution_kernel_gradient: return push_convolution(y, k, t);
    case primitive::window_max:
    case primitive::select_and_gather:
    case primitive::select_and_scatter: return push_window(y, k, t);
    case primitive::gather: return k == 0 ? gather(t, ref{&g, n.arg[1]}) : ref{};
    case primitive::scatter_add: return k == 0 ? t : k == 2 ? scatter_add(zeros_beside(t, a), ref{&g, n.arg[1]}, t) : ref{};
    case primitive::dynamic_slice: return k == 0 ? dynamic_slice(t, ref{&g, n.arg[1]}, y.shape()) : ref{};
    case primitive::dynamic_update_slice: {
      ref const start{&g, n.arg[1]}, block{&g, n.arg[2]};
      return k == 0 ? dynamic_update_slice(t, start, zeros_beside(t, block)) : k == 2 ? dynamic_update_slice(zeros_beside(t, a), start, t) : ref{};
    }
    default: return {};
  }
}
constexpr ref push_forward(ref y, int k, ref t) {
  return without_8_bits(t, y.type(), [&](ref wide) { return push_forward_rule(y, k, wide); });
}

/// Tangents of `outputs` for the `tangents` of `inputs`; zeros where an output does not depend on them, or only through values that are `given` (the inputs of a loop's body; empty: none).
constexpr list<ref> forward(builder& g, list<ref> const& inputs, list<ref> const& tangents, list<ref> const& outputs, list<unsigned char> const& given) {
  auto const [begin, end] = span_between(g, inputs, outputs);
  list<std::int32_t> tangent(end, -1), of_output(g.control_nodes.size(), -1);
  list<unsigned char> is_input(end, 0);
  for (int i = 0; i < inputs.size(); ++i) {
    tangent[inputs[i].id] = tangents[i].id;
    is_input[inputs[i].id] = 1;
  }
  for (int i = 0; i < given.size() && i < end; ++i) is_input[i] = is_input[i] || given[i];
  list<unsigned char> const needed = needed_nodes(g, outputs, is_input, begin, end);
  for (int i = begin; i < end; ++i) {
    if (is_input[i] || !needed[i]) continue;
    if (g.nodes[i].op == primitive::control) {
      bool any = false;
      for_each_dependency(g, g.nodes[i], [&](int d) { any = any || tangent[d] >= 0; });
      if (!any) continue;
      int const index = static_cast<int>(g.nodes[i].attribute);
      list<std::int32_t> const pushed = forward_control(g, index, tangent);
      for (int k = 0; k < pushed.size(); ++k) of_output[g.controls[index].outputs + k] = pushed[k];
      continue;
    }
    if (g.nodes[i].op == primitive::control_result) {
      control const& c = g.controls[static_cast<int>(g.nodes[g.nodes[i].arg[0]].attribute)];
      tangent[i] = of_output[c.outputs + static_cast<int>(g.nodes[i].attribute)];
      continue;
    }
    if (int const rule = rule_of(g.nodes[i]); rule >= 0 && has_tangent_rule(g, rule)) {
      if (!is_first_output(g, rule, i)) continue;
      list<ref> const rule_operands = rule_inputs(g, rule);
      list<ref> known_tangents;
      bool any = false;
      for (ref const& x : rule_operands) {
        bool const known = x.id >= begin && tangent[x.id] >= 0;
        any = any || known;
        known_tangents.push(known ? ref{&g, tangent[x.id]} : zeros_like(x));
      }
      if (!any) continue;
      list<ref> const pushed = run_rule(g, rule, rule_operands, known_tangents, false);
      for (int k = 0; k < pushed.size(); ++k)
        if (int const output = g.rule_nodes[g.rules[rule].outputs + k]; output >= 0 && output < end && pushed[k].valid() && is_floating(g.type(output))) tangent[output] = pushed[k].id;
      continue;
    }
    for (int k = 0; k < arity_of(g.nodes[i].op); ++k) {
      int const operand = g.nodes[i].arg[k];
      if (operand < begin || tangent[operand] < 0) continue;
      ref const t = push_forward(ref{&g, i}, k, ref{&g, tangent[operand]});
      if (t.valid()) tangent[i] = tangent[i] < 0 ? t.id : (ref{&g, tangent[i]} + t).id;
    }
  }
  list<ref> result;
  for (ref const& y : outputs) result.push(tangent[y.id] >= 0 ? ref{&g, tangent[y.id]} : zeros_like(y));
  return result;
}
constexpr list<ref> forward(builder& g, list<ref> const& inputs, list<ref> const& tangents, list<ref> const& outputs) {
  return forward(g, inputs, tangents, outputs, list<unsigned char>());
}

}  // namespace DIMITY_NAMESPACE::detail
