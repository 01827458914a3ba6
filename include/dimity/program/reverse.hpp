// Reverse mode: a pass over the program that appends the cotangents of chosen values. The result is ordinary nodes, so it fuses and
// differentiates again like everything else.
#pragma once

#include <dimity/program/batching.hpp>
#include <dimity/program/derivative.hpp>
#include <dimity/program/emit_fourier.hpp>
#include <dimity/program/emit_linalg.hpp>
#include <dimity/program/forward_linalg.hpp>
#include <dimity/program/reverse_control.hpp>

namespace DIMITY_NAMESPACE::detail {

/// For prod over the axes in `mask`: the product of all other elements at each place, right also where elements are zero.
constexpr ref product_of_others(ref x, std::uint32_t mask) {
  int const rank = x.rank();
  axis_map order, back;
  int kept = 0;
  for (int i = 0; i < rank; ++i)
    if (!(mask >> i & 1u)) order.set(kept++, i);
  shape_value flat;
  for (int i = 0; i < kept; ++i) flat.push(x.extent(order[i]));
  amount n = 1;
  int j = kept;
  for (int i = 0; i < rank; ++i)
    if (mask >> i & 1u) {
      order.set(j++, i);
      n *= x.extent(i);
    }
  flat.push(n);
  for (int i = 0; i < rank; ++i) back.set(order[i], i);
  ref const ordered = transpose(x, order);
  ref const v = reshape(ordered, flat);
  ref const index = iota(*x.g, dtype::int32, flat, kept);
  ref const one = full_like(v, 1);
  amount const less = x.g->extents->difference(n, 1);
  ref const first = equal(index, full(*x.g, dtype::int32, flat, 0)), last = equal(index, broadcast_to(count_of(*x.g, dtype::int32, less), flat));
  ref const before = cumulative(primitive::cumulative_prod, select(first, one, pad_axis(slice_axis(v, kept, 0, less), kept, 1, 0)), kept);
  ref const after = cumulative(primitive::cumulative_prod, select(last, one, pad_axis(slice_axis(v, kept, 1, less), kept, 0, 1)), kept, true);
  return transpose(reshape(before * after, ordered.shape()), back);
}

/// For cumulative_prod along `axis`: J[.., i, j] = d y_j / d x_i with the two axes last, zero where i comes after j. Quadratic in the extent, and
/// right where elements are zero, which the usual y_j / x_i is not.
constexpr ref cumulative_product_jacobian(ref x, int axis, bool from_end) {
  axis_map order = axis_map::identity(x.rank());
  order.set(axis, x.rank() - 1);
  order.set(x.rank() - 1, axis);
  ref const v = transpose(x, order);
  shape_value wide = v.shape();
  int const last = wide.rank;
  wide.push(wide.extent[last - 1]);
  axis_map map;
  for (int i = 0; i < last - 1; ++i) map.set(i, i);
  map.set(last, last - 1);
  ref const i = iota(*x.g, dtype::int32, wide, last - 1), j = iota(*x.g, dtype::int32, wide, last);
  ref const others = select(equal(i, j), full(*x.g, x.type(), wide, 1), broadcast(v, wide, map));
  ref const reaches = from_end ? binary(primitive::less_equal, j, i) : binary(primitive::less_equal, i, j);
  return select(reaches, cumulative(primitive::cumulative_prod, others, last, from_end), full(*x.g, x.type(), wide, 0));
}

constexpr ref placeholder(builder& g, dtype type, shape_value const& s) { return append(g, primitive::copy, type, s, full(g, type, s, 0).id); }

/// A rule for tangents is linear in them, so its transpose is the rule for cotangents.
template <class Push>
constexpr ref transposed_rule(ref a, ref t, Push const& push) {
  builder& g = *a.g;
  list<ref> tangent, pushed, seed;
  tangent.push(placeholder(g, a.type(), a.shape()));
  pushed.push(push(tangent[0]));
  seed.push(t);
  return reverse(g, pushed, seed, tangent, list<unsigned char>())[0];
}

/// The cotangent that y's cotangent t sends to operand k; invalid where none flows.
constexpr ref pull_back_rule(ref y, int k, ref t) {
  node const n = y.get();
  builder& g = *y.g;
  ref const a{&g, n.arg[0]};
  if (family_of(n.op) == family::elementwise) return scale_by_derivative(y, k, t);
  if (!is_floating(y.type()) || !is_floating(g.type(n.arg[k]))) return {};
  switch (n.op) {
    case primitive::broadcast: {
      axis_map const map{static_cast<std::uint32_t>(n.attribute)};
      std::uint32_t repeated = 0;
      for (int i = 0; i < y.rank(); ++i)
        if (map[i] < 0) repeated |= 1u << i;
      return reduce(primitive::sum, t, repeated);
    }
    case primitive::transpose: {
      axis_map const p{static_cast<std::uint32_t>(n.attribute)};
      axis_map inverse;
      for (int i = 0; i < y.rank(); ++i) inverse.set(p[i], i);
      return transpose(t, inverse);
    }
    case primitive::reshape: return reshape(t, a.shape());
    case primitive::after: return k == 0 ? t : ref{};
    case primitive::slice: return pad(t, a.shape(), g.pool.begin() + static_cast<int>(n.attribute), g.pool.begin() + static_cast<int>(n.attribute) + a.rank());
    case primitive::pad: return slice(t, g.pool.begin() + static_cast<int>(n.attribute), g.pool.begin() + static_cast<int>(n.attribute) + a.rank(), a.shape().extent);
    case primitive::sum: return expand_reduced(t, a.shape(), static_cast<std::uint32_t>(n.attribute));
    case primitive::max:
    case primitive::min: {
      auto const mask = static_cast<std::uint32_t>(n.attribute);
      ref const hit = equal(a, expand_reduced(y, a.shape(), mask));
      ref const count = reduce(primitive::sum, cast(hit, a.type()), mask);
      return select(hit, expand_reduced(t / count, a.shape(), mask), zeros_like(a));
    }
    case primitive::prod: {
      auto const mask = static_cast<std::uint32_t>(n.attribute);
      return expand_reduced(t, a.shape(), mask) * product_of_others(a, mask);
    }
    case primitive::cumulative_sum: return cumulative(primitive::cumulative_sum, t, static_cast<int>(n.attribute & 15), (n.attribute & 16) == 0);
    case primitive::cumulative_prod: {
      int const axis = static_cast<int>(n.attribute & 15), last = y.rank();
      axis_map order = axis_map::identity(last);
      order.set(axis, last - 1);
      order.set(last - 1, axis);
      ref const jacobian = cumulative_product_jacobian(a, axis, (n.attribute & 16) != 0);
      axis_map map;
      for (int i = 0; i < last - 1; ++i) map.set(i, i);
      map.set(last, last - 1);
      return transpose(reduce(primitive::sum, jacobian * broadcast(transpose(t, order), jacobian.shape(), map), 1u << last), order);
    }
    case primitive::concat: {
      int const axis = static_cast<int>(n.attribute);
      return k == 0 ? slice_axis(t, axis, 0, a.extent(axis)) : slice_axis(t, axis, a.extent(axis), ref{&g, n.arg[1]}.extent(axis));
    }
    case primitive::dot:
      if (!is_float8(a.type())) t = cast(t, a.type());  // the cotangent of a product of 16-bit floats is float32
      return k == 0 ? dot(t, swap_last_two(ref{&g, n.arg[1]})) : dot(swap_last_two(a), t);
    case primitive::solve: {
      // With x = a^-1 b: u = a^-T t, and -u x^T for a (Giles, Collected matrix derivative results, 2008). The solution for t is found once for both.
      ref const u = solve(swap_last_two(a), t);
      return k == 1 ? u : -dot(u, swap_last_two(y));
    }
    case primitive::debug_print:
    case primitive::check_finite: return t;
    case primitive::cholesky: {
      // l^-T (lower triangle of l^T t, half its diagonal) l^-1, symmetric because only one triangle is read (Murray, Differentiation of the Cholesky decomposition, 2016).
      ref const transposed = swap_last_two(y);
      ref const inner = lower_with_half_diagonal(dot(transposed, t));
      ref const left = triangular_solve(transposed, inner, true);
      ref const both = swap_last_two(triangular_solve(transposed, swap_last_two(left), true));
      return lower_with_half_diagonal(both + swap_last_two(both));
    }
    case primitive::triangular_solve: {
      ref const u = triangular_solve(swap_last_two(a), t, n.attribute == 0);
      return k == 1 ? u : triangle(-dot(u, swap_last_two(y)), n.attribute != 0);
    }
    case primitive::slogdet: {
      // The sign is constant where it has a derivative; d log|det a| = trace(a^-1 da).
      shape_value s = a.shape();
      axis_map map;
      for (int i = 0; i + 2 < s.rank; ++i) map.set(i, i);
      ref const weight = broadcast(reshape(slice_axis(t, t.rank() - 1, 1, 1), without_axes(t.shape(), 1u << (t.rank() - 1))), s, map);
      return solve(swap_last_two(a), identity_matrices(a)) * weight;
    }
    case primitive::qr: return transposed_rule(a, t, [&](ref d) { return push_qr(y, a, d); });
    case primitive::eigh: return transposed_rule(a, t, [&](ref d) { return push_eigh(y, a, d); });
    case primitive::svd: return transposed_rule(a, t, [&](ref d) { return push_svd(y, a, d); });
    case primitive::expm: return push_expm(swap_last_two(a), t);
    case primitive::fft: return fft(t, n.attribute == 0);
    case primitive::rfft: return irfft(t * half_spectrum_weights(t, a.extent(a.rank() - 1), 0.5), a.extent(a.rank() - 1));
    case primitive::irfft: {
      ref const spectrum = rfft(t);
      return spectrum * half_spectrum_weights(spectrum, y.extent(y.rank() - 1), 2);
    }
    case primitive::convolution:
    case primitive::convolution_input_gradient:
    case primitive::convolution_kernel_gradient: return pull_convolution(y, k, t);
    case primitive::window_max:
    case primitive::select_and_gather:
    case primitive::select_and_scatter: return pull_window(y, k, t);
    case primitive::gather: return k == 0 ? scatter_add(zeros_beside(t, a), ref{&g, n.arg[1]}, t) : ref{};
    case primitive::scatter_add: return k == 0 ? t : k == 2 ? gather(t, ref{&g, n.arg[1]}) : ref{};
    case primitive::dynamic_slice: return k == 0 ? dynamic_update_slice(zeros_beside(t, a), ref{&g, n.arg[1]}, t) : ref{};
    case primitive::dynamic_update_slice: {
      ref const start{&g, n.arg[1]}, block{&g, n.arg[2]};
      return k == 0 ? dynamic_update_slice(t, start, zeros_beside(t, block)) : k == 2 ? dynamic_slice(t, start, block.shape()) : ref{};
    }
    default: return {};
  }
}

constexpr shape_value entry_shape(shape_value const& s) {
  shape_value r;
  for (int i = 1; i < s.rank; ++i) r.push(s.extent[i]);
  return r;
}

/// `given` are the cotangents of a rule's outputs (pulls) or the tangents of its inputs; the result is those of its inputs or its outputs.
constexpr list<ref> run_rule(builder& g, int index, list<ref> const& inputs, list<ref> const& given, bool pulls) {
  custom_rule const rule = g.rules[index];
  list<ref> results;
  if (rule.parent >= 0) {
    // The rule of one entry, on one entry, for all of them.
    list<ref> placeholders, batched, own_inputs, own_given;
    for (ref const& x : inputs) {
      own_inputs.push(placeholder(g, x.type(), entry_shape(x.shape())));
      placeholders.push(own_inputs.back());
      batched.push(x);
    }
    for (int k = 0; k < given.size(); ++k) {
      ref const x = given[k];
      if (!x.valid()) {
        // The cotangent of an output that nobody has read, and which the batched program does not have.
        int const output = g.rule_nodes[g.rules[rule.parent].outputs + k];
        own_given.push(output >= 0 ? zeros_like(ref{&g, output}) : ref{});
        continue;
      }
      own_given.push(placeholder(g, x.type(), entry_shape(x.shape())));
      placeholders.push(own_given.back());
      batched.push(x);
    }
    list<ref> const one = run_rule(g, rule.parent, own_inputs, own_given, pulls);
    list<ref> valid;  // an argument without a derivative has no result
    for (ref const& r : one)
      if (r.valid()) valid.push(r);
    list<ref> const all = batch(g, placeholders, batched, valid, rule.batch);
    int next = 0;
    for (ref const& r : one) results.push(r.valid() ? all[next++] : ref{});
    return results;
  }
  int const count = pulls ? rule.input_count : rule.output_count;
  for (int i = 0; i < count; ++i) results.push({});
  if (pulls && rule.pull == nullptr) {
    // A rule for tangents is linear in them, so its transpose is its reverse.
    list<ref> tangents, pushed, wanted;
    for (ref const& x : inputs) tangents.push(placeholder(g, x.type(), x.shape()));
    for (int i = 0; i < rule.output_count; ++i) pushed.push({});
    rule.push(g, inputs.begin(), tangents.begin(), &pushed[0]);
    return reverse(g, pushed, given, tangents, list<unsigned char>());
  }
  if (pulls) rule.pull(g, inputs.begin(), given.begin(), &results[0]);
  else rule.push(g, inputs.begin(), given.begin(), &results[0]);
  return results;
}
constexpr bool has_tangent_rule(builder const& g, int index) {
  while (g.rules[index].parent >= 0) index = g.rules[index].parent;
  return g.rules[index].push != nullptr;
}
constexpr list<ref> rule_inputs(builder& g, int index) {
  list<ref> inputs;
  for (int k = 0; k < g.rules[index].input_count; ++k) inputs.push(ref{&g, g.rule_nodes[g.rules[index].inputs + k]});
  return inputs;
}
constexpr ref pull_back(ref y, int k, ref t) {
  return without_8_bits(t, y.g->type(y.get().arg[k]), [&](ref wide) { return pull_back_rule(y, k, wide); });
}

/// Cotangents of `wanted` for the cotangent `seed` of each of `outputs`. Nothing before the first of `wanted` is visited, and nothing through values that are
/// `given` (the inputs of a loop's body; empty: none). A value that no output depends on gets zeros.
constexpr list<ref> reverse(builder& g, list<ref> const& outputs, list<ref> const& seeds, list<ref> const& wanted, list<unsigned char> const& given) {
  auto const span = span_between(g, wanted, outputs);
  int const begin = span.begin, end = span.end;  // captured below, which structured bindings are not
  list<unsigned char> active(end, 0), is_wanted(end, 0);
  for (ref const& w : wanted) active[w.id] = is_wanted[w.id] = 1;
  for (int i = begin; i < end; ++i) {
    if (i < given.size() && given[i]) continue;
    node const& n = g.nodes[i];
    // No derivative flows here, whatever it depends on.
    if ((n.op == primitive::copy && n.attribute == stops_derivative) || (n.op != primitive::control && !is_floating(n.type))) continue;
    for_each_dependency(g, g.nodes[i], [&](int d) {
      if (d >= begin && active[d]) active[i] = 1;
    });
  }
  list<std::int32_t> adjoint(end, -1), of_output(g.control_nodes.size(), -1);
  auto const add = [&](int id, ref t) { adjoint[id] = adjoint[id] < 0 ? t.id : (ref{&g, adjoint[id]} + t).id; };
  for (int i = 0; i < outputs.size(); ++i)
    if (active[outputs[i].id]) add(outputs[i].id, seeds[i]);
  for (int i = end - 1; i >= begin; --i) {
    if (g.nodes[i].op == primitive::control_result && active[i] && adjoint[i] >= 0 && !is_wanted[i]) {
      control const& c = g.controls[static_cast<int>(g.nodes[g.nodes[i].arg[0]].attribute)];
      of_output[c.outputs + static_cast<int>(g.nodes[i].attribute)] = adjoint[i];
      continue;
    }
    if (g.nodes[i].op == primitive::control && active[i]) {
      control const c = g.controls[static_cast<int>(g.nodes[i].attribute)];
      list<std::int32_t> cotangents;
      bool any = false;
      for (int k = 0; k < c.output_count; ++k) {
        cotangents.push(of_output[c.outputs + k]);
        any = any || cotangents[k] >= 0;
      }
      if (!any) continue;
      list<contribution> const pulled = reverse_control(g, ref{&g, i}, cotangents, active);
      for (contribution const& p : pulled)
        if (p.to >= begin && active[p.to]) add(p.to, p.value);
      continue;
    }
    if (int const rule = rule_of(g.nodes[i]); rule >= 0 && active[i]) {
      if (!is_first_output(g, rule, i)) continue;
      list<ref> cotangents;
      bool any = false;
      for (int k = 0; k < g.rules[rule].output_count; ++k) {
        int const output = g.rule_nodes[g.rules[rule].outputs + k];
        int const known = output >= 0 && output < end ? adjoint[output] : -1;
        any = any || known >= 0;
        cotangents.push(known >= 0 ? ref{&g, known} : output >= 0 ? zeros_like(ref{&g, output}) : ref{});
      }
      if (!any) continue;
      list<ref> const inputs = rule_inputs(g, rule);
      list<ref> const pulled = run_rule(g, rule, inputs, cotangents, true);
      for (int k = 0; k < inputs.size(); ++k)
        if (inputs[k].id >= begin && active[inputs[k].id] && pulled[k].valid() && is_floating(inputs[k].type())) add(inputs[k].id, pulled[k]);
      continue;
    }
    if (adjoint[i] < 0 || !active[i] || is_wanted[i]) continue;
    for (int k = 0; k < arity_of(g.nodes[i].op); ++k) {
      int const operand = g.nodes[i].arg[k];
      if (operand < begin || !active[operand]) continue;
      ref const t = pull_back(ref{&g, i}, k, ref{&g, adjoint[i]});
      if (t.valid()) add(operand, t);
    }
  }
  list<ref> result;
  for (ref const& w : wanted) result.push(adjoint[w.id] >= 0 ? ref{&g, adjoint[w.id]} : zeros_like(w));
  return result;
}
constexpr list<ref> reverse(builder& g, list<ref> const& outputs, list<ref> const& seeds, list<ref> const& wanted) { return reverse(g, outputs, seeds, wanted, list<unsigned char>()); }

}  // namespace DIMITY_NAMESPACE::detail
