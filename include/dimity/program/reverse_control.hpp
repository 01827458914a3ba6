// Reverse mode through loops and branches. A loop runs backwards over what it saved; a branch is taken again.
#pragma once

#include <dimity/program/control.hpp>
#include <dimity/program/derivative.hpp>
#include <dimity/program/emit_layout.hpp>

#include <initializer_list>

namespace DIMITY_NAMESPACE::detail {

constexpr list<ref> reverse(builder& g, list<ref> const& outputs, list<ref> const& seeds, list<ref> const& wanted, list<unsigned char> const& given);

/// What a control's cotangents add to the value `to`, which is outside of it.
struct contribution {
  std::int32_t to;
  ref value;
};

/// Which inputs of a control pass derivatives on to outputs: those whose operand is `active`, and those that such an output takes the place of. `flags` is left
/// with every node of the bodies that depends on one of them or on an active node outside.
constexpr list<unsigned char> active_inputs(builder const& g, control const& c, list<unsigned char> const& active, list<unsigned char>& flags) {
  list<unsigned char> on(c.input_count, 0);
  for (int j = 0; j < c.input_count; ++j) {
    control_input const& i = g.control_inputs[c.inputs + j];
    on[j] = is_floating(g.type(i.inner)) && active[i.operand];
  }
  list<unsigned char> const inner = inner_nodes(g, c);
  for (bool changed = true; changed;) {
    changed = false;
    flags = list<unsigned char>(g.nodes.size(), 0);
    int first = first_inner(g, c);
    for (int j = 0; j < c.free_count; ++j)
      if (int const f = g.control_nodes[c.frees + j]; active[f]) flags[f] = 1;
    for (int j = 0; j < c.input_count; ++j)
      if (on[j]) flags[g.control_inputs[c.inputs + j].inner] = 1;
    propagate(g, flags, inner, first, g.nodes.size());
    for (int j = 0; j < c.input_count; ++j) {
      control_input const& i = g.control_inputs[c.inputs + j];
      if (on[j] || i.carried < 0 || !is_floating(g.type(i.inner)) || !flags[output_node(g, c, 0, i.carried)]) continue;
      on[j] = 1;
      changed = true;
    }
  }
  return on;
}

/// The loop that runs backwards. Its bodies are those nodes that depend on a cotangent; of the others it uses, those that change from iteration to iteration are saved.
struct backward_scan {
  builder& g;
  int index;
  ref own;                             ///< the node of the loop
  control c;
  list<unsigned char> on = {}, changes = {}, from_cotangent = {}, seen = {};
  list<signed char> saved_below = {};
  list<std::int32_t> residuals = {};   ///< nodes to be saved, beyond the loop's own outputs
  list<control_input> inputs = {};
  list<std::int32_t> outputs = {};
  ref saving = {};                     ///< the loop that also saves

  constexpr int carried_cotangent(int k) const {
    for (int j = 0; j < c.input_count; ++j)
      if (g.control_inputs[c.inputs + j].carried == k) return on[j] ? 1 : 0;
    return -1;
  }
  constexpr int entry_of(int id) const {
    for (int j = 0; j < c.input_count; ++j)
      if (control_input const& i = g.control_inputs[c.inputs + j]; i.inner == id && i.carried < 0) return j;
    return -1;
  }
  constexpr int saved_output(int id) const {
    for (int k = 0; k < c.output_count; ++k)
      if (output_node(g, c, 0, k) == id && !is_carried(g, c, k)) return k;
    for (int k = 0; k < residuals.size(); ++k)
      if (residuals[k] == id) return c.output_count + k;
    return -1;
  }
  constexpr bool is_given(int id) const {
    for (int j = 0; j < c.input_count; ++j)
      if (g.control_inputs[c.inputs + j].inner == id) return true;
    return false;
  }
  /// Computed again rather than saved, as long as that does not take more saved values than it replaces (the rule of DESIGN section 6).
  constexpr bool is_cheap(int id) const {
    primitive const op = g.nodes[id].op;
    family const f = family_of(op);
    return !is_given(id) && rule_of(g.nodes[id]) < 0 && (f == family::relabel || (f == family::view && op != primitive::after) || (f == family::elementwise && cost_of(op) == cost_class::cheap));
  }
  constexpr int values_below(int id) {
    if (!changes[id] || saved_output(id) >= 0 || entry_of(id) >= 0) return 0;
    if (saved_below[id] >= 0) return saved_below[id];
    int n = 1;
    if (is_cheap(id)) {
      n = 0;
      for (int k = 0; k < arity_of(g.nodes[id].op); ++k) n += values_below(g.nodes[id].arg[k]);
    }
    saved_below[id] = static_cast<signed char>(n > 2 ? 2 : n);
    return saved_below[id];
  }
  constexpr void keep(int id) {
    if (!changes[id] || entry_of(id) >= 0 || saved_output(id) >= 0) return;
    if (is_cheap(id) && values_below(id) <= 1) {
      for (int k = 0; k < arity_of(g.nodes[id].op); ++k) keep(g.nodes[id].arg[k]);
    } else {
      residuals.push(id);
      if (saved_below[id] > 0) saved_below[id] = 0;
    }
  }
  constexpr void find_residuals(int id) {
    list<std::int32_t> work;
    work.push(id);
    while (work.size() > 0) {
      int const next = work.back();
      work.pop();
      if (seen[next]) continue;
      seen[next] = 1;
      if (from_cotangent[next]) for_each_dependency(g, g.nodes[next], [&](int d) { work.push(d); });
      else keep(next);
    }
  }
  /// What the backward body reads of the forward loop becomes its operands; the rest of what it uses is computed there or outside.
  constexpr void bind() {
    list<unsigned char> bound(g.nodes.size(), 0);
    for (control_input const& i : inputs) bound[i.inner] = 1;
    list<std::int32_t> work;
    for (std::int32_t const o : outputs) work.push(o);
    while (work.size() > 0) {
      int const id = work.back();
      work.pop();
      if (bound[id]) continue;
      bound[id] = 1;
      if (!from_cotangent[id] && !changes[id]) continue;
      int const j = from_cotangent[id] ? -1 : entry_of(id), k = from_cotangent[id] ? -1 : saved_output(id);
      if (j >= 0) inputs.push({id, g.control_inputs[c.inputs + j].operand, -1});
      else if (k >= 0) inputs.push({id, stack(k).id, -1});
      else for_each_dependency(g, g.nodes[id], [&](int d) { work.push(d); });
    }
  }
  constexpr ref stack(int k) { return control_result(k < c.output_count ? own : saving, k); }

  /// Whether stack_of() can give the values of a node in all iterations, [trips, ...]: its own, or those of what it only rearranges.
  constexpr bool can_stack(int id) const {
    primitive const op = g.nodes[id].op;
    if (from_cotangent[id] || entry_of(id) >= 0 || saved_output(id) >= 0) return true;
    return !is_given(id) && changes[id] && (op == primitive::reshape || op == primitive::transpose) && can_stack(g.nodes[id].arg[0]);
  }
  constexpr ref stack_of(int id, ref backward, list<std::int32_t> const& stacked, int first_stacked) {
    if (int const j = entry_of(id); j >= 0) return {&g, g.control_inputs[c.inputs + j].operand};
    if (int const k = saved_output(id); k >= 0) return stack(k);
    for (int k = 0; k < stacked.size(); ++k)
      if (stacked[k] == id) return control_result(backward, first_stacked + k);
    node const n = g.nodes[id];
    ref const below = stack_of(n.arg[0], backward, stacked, first_stacked);
    shape_value s;
    s.push(c.trips);
    for (int i = 0; i < g.shape(id).rank; ++i) s.push(g.shape(id).extent[i]);
    if (n.op == primitive::reshape) return reshape(below, s);
    axis_map const p{static_cast<std::uint32_t>(n.attribute)};
    axis_map wide;
    wide.set(0, 0);
    for (int i = 0; i < g.shape(id).rank; ++i) wide.set(i + 1, p[i] + 1);
    return transpose(below, wide);
  }
  /// The part of a matrix product's operand that becomes an output: what reshape and transpose only rearrange does not.
  constexpr int stacked_part(int id) const {
    while (!is_given(id) && (g.nodes[id].op == primitive::reshape || g.nodes[id].op == primitive::transpose) && entry_of(id) < 0 && saved_output(id) < 0) id = g.nodes[id].arg[0];
    return id;
  }

  struct product {
    std::int32_t to, left, right;
  };
  /// Sums of products a @ b, one an iteration, are one product of everything side by side (DESIGN section 6); what else there is adds up as it comes.
  constexpr void split(int to, ref t, list<product>& products, ref& rest) {
    if (node const stored = t.get(); stored.op == primitive::cast && stored.attribute == rounds_if_stored) t.id = stored.arg[0];  // not rounded before it is added up
    node const n = t.get();
    if (from_cotangent[t.id] && n.op == primitive::add && g.shape(n.arg[0]) == t.shape() && g.shape(n.arg[1]) == t.shape()) {
      split(to, {&g, n.arg[0]}, products, rest);
      split(to, {&g, n.arg[1]}, products, rest);
    } else if (from_cotangent[t.id] && n.op == primitive::dot && t.rank() == 2) {
      products.push({to, n.arg[0], n.arg[1]});
    } else {
      rest = rest.valid() ? rest + widened(t) : widened(t);
    }
  }
  constexpr ref side_by_side(ref a, ref b) {
    // [T, m, k], [T, k, n]: the sums over k and over the iterations are one.
    amount const m = a.extent(1), k = a.extent(2), n = b.extent(2);
    axis_map order = axis_map::identity(3);
    order.set(0, 1);
    order.set(1, 0);
    shape_value left, right;
    right.push(c.trips * k);
    right.push(n);
    ref wide;
    if (k == 1 || a.get().op == primitive::transpose) {
      // Through [T, k, m], whose first two axes join without a copy.
      shape_value joined;
      joined.push(c.trips * k);
      joined.push(m);
      wide = swap_last_two(reshape(swap_last_two(a), joined));
    } else {
      left.push(m);
      left.push(c.trips * k);
      wide = reshape(transpose(a, order), left);
    }
    return dot(wide, reshape(b, right));
  }

  /// Outputs whose cotangent is not zero in all iterations: those that have one, and those that such an output depends on in an earlier iteration.
  constexpr list<unsigned char> reached_outputs(list<std::int32_t> const& cotangents, list<unsigned char> const& inner) const {
    list<unsigned char> reached(c.output_count, 0);
    for (int k = 0; k < c.output_count; ++k) reached[k] = cotangents[k] >= 0;
    for (bool changed = true; changed;) {
      changed = false;
      list<ref> outs;
      int last = 0;
      for (int k = 0; k < c.output_count; ++k)
        if (int const of = output_node(g, c, 0, k); reached[k]) {
          outs.push({&g, of});
          if (of >= last) last = of + 1;
        }
      list<unsigned char> const needed = needed_nodes(g, outs, inner, first_inner(g, c), last);
      for (int j = 0; j < c.input_count; ++j) {
        control_input const& i = g.control_inputs[c.inputs + j];
        if (i.carried < 0 || reached[i.carried] || i.inner >= last || !needed[i.inner]) continue;
        reached[i.carried] = 1;
        changed = true;
      }
    }
    return reached;
  }

  constexpr list<contribution> run(list<std::int32_t> const& cotangents, list<unsigned char> const& active) {
    list<contribution> result;
    if (c.trips == 0) return result;
    list<unsigned char> flags;
    on = active_inputs(g, c, active, flags);
    int const before = g.nodes.size();
    list<unsigned char> const inner = inner_nodes(g, c);

    list<ref> outs, seeds, wanted;
    list<std::int32_t> seeded, wanted_inputs, wanted_frees;
    list<unsigned char> const reached = reached_outputs(cotangents, inner);
    for (int k = 0; k < c.output_count; ++k) {
      int const of = output_node(g, c, 0, k), carried = carried_cotangent(k);
      if (!is_floating(g.type(of)) || carried == 0 || !reached[k] || (carried < 0 && (cotangents[k] < 0 || !flags[of]))) continue;
      ref const t = block_input(g, g.type(of), g.shape(of));
      int const operand = cotangents[k] >= 0 ? cotangents[k] : full(g, g.type(of), g.shape(of), 0).id;
      outs.push({&g, of});
      seeds.push(t);
      seeded.push(k);
      inputs.push({t.id, operand, -1});
    }
    for (int j = 0; j < c.input_count; ++j)
      if (int const k = g.control_inputs[c.inputs + j].carried; on[j] && (k < 0 || reached[k])) {
        wanted.push({&g, g.control_inputs[c.inputs + j].inner});
        // This cotangent takes the place of that of the output which the input was before.
        for (int i = 0; i < seeded.size(); ++i)
          if (seeded[i] == g.control_inputs[c.inputs + j].carried) inputs[i].carried = wanted_inputs.size();
        wanted_inputs.push(j);
      }
    for (int j = 0; j < c.free_count; ++j)
      if (int const f = g.control_nodes[c.frees + j]; active[f] && is_floating(g.type(f))) {
        wanted.push({&g, f});
        wanted_frees.push(f);
      }
    if (outs.size() == 0 || wanted.size() == 0) return result;
    list<ref> const pulled = reverse(g, outs, seeds, wanted, inner);
    mark(before);

    // Outputs: cotangents of inputs, sums over the iterations, what products need of all iterations.
    for (int i = 0; i < wanted_inputs.size(); ++i) outputs.push(pulled[i].id);
    list<product> products;
    list<ref> sums;
    list<std::int32_t> summed;
    for (int i = 0; i < wanted_frees.size(); ++i) {
      ref rest;
      ref const t = pulled[wanted_inputs.size() + i];
      if (is_constant_of(t, 0)) continue;
      list<product> own_products;
      split(wanted_frees[i], t, own_products, rest);
      bool stackable = own_products.size() > 0;
      for (product const& p : own_products)
        for (std::int32_t const side : {p.left, p.right}) {
          find_residuals(side);
          stackable = stackable && can_stack(side);
        }
      if (!stackable) rest = widened(t);
      else
        for (product const& p : own_products) products.push(p);
      if (rest.valid()) {
        summed.push(wanted_frees[i]);
        sums.push(rest);
      }
    }
    for (ref const& t : sums) {
      ref const total = block_input(g, t.type(), t.shape());
      inputs.push({total.id, full(g, t.type(), t.shape(), 0).id, outputs.size()});
      outputs.push((total + t).id);
    }
    int const first_stacked = outputs.size();
    list<std::int32_t> stacked;
    for (product const& p : products)
      for (std::int32_t const side : {p.left, p.right}) {
        int const part = stacked_part(side);
        bool known = !from_cotangent[part];
        for (std::int32_t const s : stacked) known = known || s == part;
        if (known) continue;
        stacked.push(part);
        outputs.push(part);
      }
    mark_appended();
    for (std::int32_t const o : outputs) find_residuals(o);
    if (residuals.size() > 0) saving = loop_that_saves();
    mark_appended();
    bind();

    control b;
    b.from_end = !c.from_end;
    b.trips = c.trips;
    ref const backward = add_control(g, b, inputs, outputs);
    for (int i = 0; i < wanted_inputs.size(); ++i) result.push({g.control_inputs[c.inputs + wanted_inputs[i]].operand, control_result(backward, i)});
    for (int i = 0; i < sums.size(); ++i) result.push({summed[i], cast(control_result(backward, wanted_inputs.size() + i), g.type(summed[i]))});
    for (product const& p : products)
      result.push({p.to, cast(side_by_side(stack_of(p.left, backward, stacked, first_stacked), stack_of(p.right, backward, stacked, first_stacked)), g.type(p.to))});
    return result;
  }
  constexpr void mark(int before) {
    int const count = g.nodes.size();
    from_cotangent = list<unsigned char>(count, 0);
    for (control_input const& i : inputs) from_cotangent[i.inner] = 1;
    list<unsigned char> const none(count, 0), inner = inner_nodes(g, c);
    propagate(g, from_cotangent, none, before, count);
    changes = inner_nodes(g, c);
    propagate(g, changes, inner, first_inner(g, c), count);
    seen = list<unsigned char>(count, 0);
    saved_below = list<signed char>(count, -1);
  }
  /// For sums of cotangents that were appended since; what else was is outside of the loop.
  constexpr void mark_appended() {
    while (seen.size() < g.nodes.size()) {
      int const id = seen.size();
      bool any = g.nodes[id].op == primitive::block_input, varies = any;
      for_each_dependency(g, g.nodes[id], [&](int d) {
        any = any || from_cotangent[d];
        varies = varies || (changes[d] && g.nodes[id].op != primitive::control);
      });
      from_cotangent.push(any);
      changes.push(varies);
      seen.push(0);
      saved_below.push(-1);
    }
  }
  constexpr ref loop_that_saves() {
    control with = c;
    with.extends = index;
    list<std::int32_t> more;
    for (int k = 0; k < c.output_count; ++k) more.push(output_node(g, c, 0, k));
    for (std::int32_t const r : residuals) more.push(r);
    return add_control(g, with, inputs_of(g, c), more);
  }
};

/// The same branch of a control whose bodies are the reverse of these. Nothing is saved: a branch computes again what its reverse needs.
constexpr list<contribution> reverse_branches(builder& g, int index, list<std::int32_t> const& cotangents, list<unsigned char> const& active) {
  control const c = g.controls[index];
  list<contribution> result;
  list<unsigned char> flags;
  list<unsigned char> const on = active_inputs(g, c, active, flags), inner = inner_nodes(g, c);
  list<control_input> inputs = inputs_of(g, c);
  list<ref> seeds, wanted;
  list<std::int32_t> seeded, to;
  for (int k = 0; k < c.output_count; ++k) {
    int const of = output_node(g, c, 0, k);
    if (cotangents[k] < 0 || !is_floating(g.type(of))) continue;
    ref const t = block_input(g, g.type(of), g.shape(of));
    seeds.push(t);
    seeded.push(k);
    inputs.push({t.id, cotangents[k], -1});
  }
  for (int j = 0; j < c.input_count; ++j)
    if (on[j]) {
      wanted.push({&g, inputs[j].inner});
      to.push(inputs[j].operand);
    }
  for (int j = 0; j < c.free_count; ++j)
    if (int const f = g.control_nodes[c.frees + j]; active[f] && is_floating(g.type(f))) {
      wanted.push({&g, f});
      to.push(f);
    }
  if (seeds.size() == 0 || wanted.size() == 0) return result;
  list<std::int32_t> outputs;
  for (int b = 0; b < c.bodies; ++b) {
    list<ref> outs;
    for (std::int32_t const k : seeded) outs.push({&g, output_node(g, c, b, k)});
    list<ref> const pulled = reverse(g, outs, seeds, wanted, inner);
    for (ref const& t : pulled) outputs.push(t.id);
  }
  control back;
  back.kind = control_kind::branches;
  back.bodies = c.bodies;
  back.head = c.head;
  ref const made = add_control(g, back, inputs, outputs);
  for (int i = 0; i < to.size(); ++i) result.push({to[i], control_result(made, i)});
  return result;
}

/// What a control's operands and the nodes that its bodies use get from the `cotangents` of its outputs (-1: none).
constexpr list<contribution> reverse_control(builder& g, ref own, list<std::int32_t> const& cotangents, list<unsigned char> const& active) {
  int const index = static_cast<int>(own.get().attribute);
  control const c = g.controls[index];
  if (c.kind == control_kind::branches) return reverse_branches(g, index, cotangents, active);
  if (c.kind == control_kind::while_loop) {
    g.error = program_error::reverse_of_while;
    return {};
  }
  return backward_scan{g, index, own, c}.run(cotangents, active);
}

}  // namespace DIMITY_NAMESPACE::detail

// The pass that this one calls for bodies, and that calls it.
#include <dimity/program/reverse.hpp>
