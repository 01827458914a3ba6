// Batching: a pass over the program that computes values for many inputs at once. The batch is a new axis 0 of everything that depends on them.
#pragma once

#include <dimity/program/batching_control.hpp>
#include <dimity/program/emit_convolution.hpp>
#include <dimity/program/emit_linalg.hpp>
#include <dimity/program/emit_pooling.hpp>
#include <dimity/program/rules.hpp>

namespace DIMITY_NAMESPACE::detail {

/// The operand with the batch as axis 0, repeated if it does not depend on it.
constexpr ref with_batch(ref x, bool has_batch, amount n) {
  if (has_batch) return x;
  shape_value s;
  axis_map map;
  s.push(n);
  for (int i = 0; i < x.rank(); ++i) {
    map.set(i + 1, i);
    s.push(x.extent(i));
  }
  return broadcast(x, s, map);
}
constexpr shape_value batched_shape(shape_value const& s, amount n) {
  shape_value r;
  r.push(n);
  for (int i = 0; i < s.rank; ++i) r.push(s.extent[i]);
  return r;
}
constexpr axis_map shifted(axis_map m, int rank) {
  axis_map r;
  r.set(0, 0);
  for (int i = 0; i < rank; ++i) r.set(i + 1, m[i] < 0 ? -1 : m[i] + 1);
  return r;
}
/// Indices [b, k] into an axis of extent m that is repeated for each batch entry: made to point into the joined axis [b * m].
constexpr ref joined_indices(ref indices, amount m) {
  builder& g = *indices.g;
  ref const i = cast(indices, dtype::int64);
  ref const count = broadcast_to(count_of(g, dtype::int64, m), i.shape()), zero = full(g, dtype::int64, i.shape(), 0);
  ref const wrapped = select(less(i, zero), binary(primitive::add, i, count), i);
  ref const last = broadcast_to(count_of(g, dtype::int64, g.extents->difference(m, 1)), i.shape());
  ref const inside = binary(primitive::minimum, binary(primitive::maximum, wrapped, zero), last);
  ref const joined = binary(primitive::add, inside, binary(primitive::multiply, iota(g, dtype::int64, i.shape(), 0), count));
  shape_value flat;
  flat.push(i.shape().size());
  return reshape(joined, flat);
}
/// [b, p, m, k] -> [p, b * m, k] and back
constexpr ref batch_into_middle(ref x) {
  axis_map order = axis_map::identity(4);
  order.set(0, 1);
  order.set(1, 0);
  shape_value s;
  s.push(x.extent(1));
  s.push(x.extent(0) * x.extent(2));
  s.push(x.extent(3));
  return reshape(transpose(x, order), s);
}
constexpr ref batch_out_of_middle(ref x, amount n) {
  amount m = 0;
  divide(x.extent(1), n, m);  // a batch that was put there
  axis_map order = axis_map::identity(4);
  order.set(0, 1);
  order.set(1, 0);
  shape_value s;
  s.push(x.extent(0));
  s.push(n);
  s.push(n == 0 ? amount(0) : m);
  s.push(x.extent(2));
  return transpose(reshape(x, s), order);
}

/// One node on batched operands `x[k]`, where has[k] says whether operand k has the batch.
constexpr ref batch_node(builder& g, node const& n, ref const* given, bool const* has, amount size) {
  shape_value const s = batched_shape(g.shapes[n.shape], size);
  int const rank = s.rank - 1, arity = arity_of(n.op);
  ref x[3];
  for (int k = 0; k < arity; ++k) x[k] = with_batch(given[k], has[k], size);
  switch (n.op) {
    case primitive::cast: return cast(x[0], n.type, n.attribute);
    case primitive::copy: return append(g, n.op, n.type, s, x[0].id, -1, -1, n.attribute);
    case primitive::select: return select(x[0], x[1], x[2]);
    case primitive::broadcast: return broadcast(x[0], s, shifted(axis_map{static_cast<std::uint32_t>(n.attribute)}, rank));
    case primitive::transpose: return transpose(x[0], shifted(axis_map{static_cast<std::uint32_t>(n.attribute)}, rank));
    case primitive::reshape: return reshape(x[0], s);
    case primitive::after: return append(g, n.op, n.type, s, x[0].id, is_stand_in(n) ? x[1].id : given[1].id, -1, n.attribute);
    case primitive::slice:
    case primitive::pad: {
      std::int64_t start[max_rank] = {}, step[max_rank] = {1};
      for (int i = 0; i < rank; ++i) {
        start[i + 1] = g.pool[static_cast<int>(n.attribute) + i];
        step[i + 1] = g.pool[static_cast<int>(n.attribute) + rank + i];
      }
      return n.op == primitive::slice ? slice(x[0], start, step, s.extent) : pad(x[0], s, start, step);
    }
    case primitive::concat: return concat(x[0], x[1], static_cast<int>(n.attribute) + 1);
    case primitive::argmax:
    case primitive::argmin:
    case primitive::cumulative_sum:
    case primitive::cumulative_prod: return append(g, n.op, n.type, s, x[0].id, -1, -1, n.attribute + 1);
    case primitive::argsort: return append(g, n.op, n.type, s, x[0].id, -1, -1, n.attribute);
    case primitive::dot: {
      auto const product = [&](ref a, ref b) { return is_integer(n.type) ? integer_dot(a, b, n.type) : cast(dot(a, b), n.type); };
      if (has[0] && !has[1] && rank == 2) {
        shape_value flat;
        flat.push(size * x[0].extent(1));
        flat.push(x[0].extent(2));
        return reshape(product(reshape(x[0], flat), given[1]), s);
      }
      return product(x[0], x[1]);
    }
    case primitive::solve: {
      if (has[0] || rank != 2) return solve(x[0], x[1]);
      // One matrix for all: the columns of all entries side by side.
      axis_map order = axis_map::identity(3);
      order.set(0, 1);
      order.set(1, 0);
      shape_value flat, apart;
      flat.push(s.extent[1]);
      flat.push(size * s.extent[2]);
      apart.push(s.extent[1]);
      apart.push(size);
      apart.push(s.extent[2]);
      return transpose(reshape(solve(given[0], reshape(transpose(x[1], order), flat)), apart), order);
    }
    case primitive::convolution:
    case primitive::convolution_input_gradient:
    case primitive::convolution_kernel_gradient: return batch_convolution(g, n, x, given, has, s);
    case primitive::window_max:
    case primitive::select_and_gather:
    case primitive::select_and_scatter: return batch_window(g, n, x, s);
    case primitive::gather: {
      amount const p = x[0].extent(1), m = x[0].extent(2);
      if (!has[1]) {
        shape_value flat;
        flat.push(size * p);
        flat.push(m);
        flat.push(x[0].extent(3));
        return reshape(gather(reshape(x[0], flat), given[1]), s);
      }
      return batch_out_of_middle(gather(batch_into_middle(x[0]), joined_indices(x[1], m)), size);
    }
    case primitive::scatter_add: {
      amount const m = x[0].extent(2);
      return batch_out_of_middle(scatter_add(batch_into_middle(x[0]), joined_indices(x[1], m), batch_into_middle(x[2])), size);
    }
    case primitive::dynamic_slice:
    case primitive::dynamic_update_slice: {
      // A start of its own for each entry is a row of starts; otherwise the batch is one more axis, of which all is taken.
      shape_value one;
      one.push(1);
      ref const start = has[1] || given[1].rank() > 1 ? x[1] : concat(full(g, given[1].type(), one, 0), given[1], 0);
      return n.op == primitive::dynamic_slice ? dynamic_slice(x[0], start, s) : dynamic_update_slice(x[0], start, x[2]);
    }
    case primitive::random_bits:
    case primitive::cholesky:
    case primitive::slogdet:
    case primitive::qr:
    case primitive::eigh:
    case primitive::svd:
    case primitive::expm:
    case primitive::fft:
    case primitive::rfft:
    case primitive::irfft:
    case primitive::debug_print:
    case primitive::check_finite: return append(g, n.op, n.type, s, x[0].id, -1, -1, n.attribute);
    case primitive::triangular_solve: return triangular_solve(x[0], x[1], n.attribute != 0);
    case primitive::attention:
    case primitive::attention_sums:
    case primitive::attention_query_gradient:
    case primitive::attention_key_gradient:
    case primitive::masked_attention:
    case primitive::masked_attention_sums:
    case primitive::masked_attention_query_gradient:
    case primitive::masked_attention_key_gradient: {
      // Their own leading axis is a batch.
      auto const joined = [](shape_value whole) {
        whole.extent[1] = whole.extent[0] * whole.extent[1];
        return without_axes(whole, 1);
      };
      ref flat[3];
      for (int k = 0; k < arity; ++k) {
        if (k == 2 && is_masked_attention(n.op) && given[k].extent(has[k] ? 1 : 0) == 1) {
          // One mask for all entries stays one, or has one for each entry of each batch.
          if (!has[k]) {
            flat[k] = given[k];
            continue;
          }
          shape_value all = x[k].shape();
          all.extent[1] = x[0].extent(1);
          x[k] = broadcast_to(x[k], all);
        }
        flat[k] = reshape(x[k], joined(x[k].shape()));
      }
      return reshape(append(g, n.op, n.type, joined(s), flat[0].id, flat[1].id, arity == 3 ? flat[2].id : -1, n.attribute), s);
    }
    default: break;
  }
  if (family_of(n.op) == family::reduction) return reduce(n.op, x[0], static_cast<std::uint32_t>(n.attribute) << 1);
  return arity == 1 ? unary(n.op, x[0]) : binary(n.op, x[0], x[1]);
}

constexpr bool depends_on_batch(builder const& g, int rule, list<std::int32_t> const& moved) {
  for (int k = 0; k < g.rules[rule].input_count; ++k)
    if (moved[g.rule_nodes[g.rules[rule].inputs + k]] >= 0) return true;
  return false;
}
/// The rule of a batched function: that of one entry, to be batched when it is run.
constexpr int batch_rule(builder& g, int rule, list<std::int32_t> const& moved, amount size) {
  list<std::int32_t> inputs;
  for (int k = 0; k < g.rules[rule].input_count; ++k) {
    int const id = g.rule_nodes[g.rules[rule].inputs + k];
    inputs.push(with_batch(ref{&g, moved[id] >= 0 ? moved[id] : id}, moved[id] >= 0, size).id);
  }
  custom_rule r;
  r.parent = rule;
  r.batch = size;
  return add_rule(g, r, inputs, g.rules[rule].output_count);
}

/// `outputs` computed for every batch entry of `inputs`, whose batched forms are given. Outputs that do not depend on them are repeated; values that are `given`
/// (the inputs of a loop's body; empty: none) and not among the inputs do not.
constexpr list<ref> batch(builder& g, list<ref> const& inputs, list<ref> const& batched, list<ref> const& outputs, amount size, list<unsigned char> const& given_values) {
  auto const [begin, end] = span_between(g, inputs, outputs);
  list<std::int32_t> moved(end, -1), of_output(g.control_nodes.size(), -1);
  list<unsigned char> is_input(end, 0);
  for (int i = 0; i < given_values.size() && i < end; ++i) is_input[i] = given_values[i];
  for (int i = 0; i < inputs.size(); ++i) {
    moved[inputs[i].id] = batched[i].id;
    is_input[inputs[i].id] = 1;
  }
  list<unsigned char> const needed = needed_nodes(g, outputs, is_input, begin, end);
  list<std::int32_t> batched_rules(g.rules.size(), -1);
  for (int i = begin; i < end; ++i) {
    if (!needed[i] || is_input[i]) continue;
    node const n = g.nodes[i];
    if (n.op == primitive::control) {
      bool any = false;
      for_each_dependency(g, n, [&](int d) { any = any || moved[d] >= 0; });
      if (!any) continue;
      list<ref> const values = batch_control(g, static_cast<int>(n.attribute), moved, size);
      for (int k = 0; k < values.size(); ++k) of_output[g.controls[static_cast<int>(n.attribute)].outputs + k] = values[k].id;
      continue;
    }
    if (n.op == primitive::control_result) {
      moved[i] = of_output[g.controls[static_cast<int>(g.nodes[n.arg[0]].attribute)].outputs + static_cast<int>(n.attribute)];
      continue;
    }
    ref given[3];
    bool has[3] = {}, any = false;
    for (int k = 0; k < arity_of(n.op); ++k) {
      has[k] = n.arg[k] >= begin && moved[n.arg[k]] >= 0;
      given[k] = ref{&g, has[k] ? moved[n.arg[k]] : n.arg[k]};
      any = any || has[k];
    }
    int const rule = rule_of(n);
    if (rule >= 0) any = any || depends_on_batch(g, rule, moved);
    if (!any) continue;
    if (rule < 0) {
      moved[i] = batch_node(g, n, given, has, size).id;
    } else {
      if (batched_rules[rule] < 0) batched_rules[rule] = batch_rule(g, rule, moved, size);
      moved[i] = with_rule(g, with_batch(given[0], has[0], size), batched_rules[rule], output_of_rule(g, rule, i)).id;
    }
  }
  list<ref> result;
  for (ref const& o : outputs) result.push(moved[o.id] >= 0 ? ref{&g, moved[o.id]} : with_batch(o, false, size));
  return result;
}
constexpr list<ref> batch(builder& g, list<ref> const& inputs, list<ref> const& batched, list<ref> const& outputs, amount size) {
  return batch(g, inputs, batched, outputs, size, list<unsigned char>());
}

}  // namespace DIMITY_NAMESPACE::detail
