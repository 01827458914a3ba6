// Program -> plan: runs the planning passes, plans the bodies of loops and branches, and puts everything in order.
#pragma once

#include <dimity/plan/alias.hpp>
#include <dimity/plan/freeze.hpp>
#include <dimity/plan/memory.hpp>
#include <dimity/plan/tasks.hpp>

namespace DIMITY_NAMESPACE::detail {

struct scheduler : task_builder {
  list<std::int32_t> written_level = {};  ///< per buffer, -1 for inputs
  int first_step = 0, first_region = 0;
  std::int64_t workspace_bytes = 0;

  using task_builder::task_builder;

  constexpr void run() {
    find_homes();
    needs.collect_users();
    needs.sink();
    needs.mark();
    buffer_of = list<std::int32_t>(g.nodes.size(), -1);
    for (int id : p.order)
      if (g.nodes[id].op == primitive::input) add_buffer(id, residence::input, static_cast<int>(g.nodes[id].attribute));
    for (int i = 0; i < g.outputs.size(); ++i) add_buffer(g.outputs[i], residence::output, i);
    make_kernels();
    make_opaques();
    make_controls();
    fuse_epilogues();
    first_step = out.steps.size();
    first_region = out.regions.size();
    order_tasks();
    workspace_bytes = assign_workspace(out, first_step);
  }
  /// The whole program: blocks come before the steps that are not in one.
  constexpr void run_program() {
    run();
    out.first_step = first_step;
    out.first_region = first_region;
    note_interface();
    if (depends_on_unknown()) g.error = program_error::unknown_extent;
    out.workspace_bytes = workspace_bytes;
    find_equal(out);
  }

  /// Whether anything that runs, in bodies too, depends on an extent that was asked for and is nowhere.
  constexpr bool depends_on_unknown() const {
    extent_table const& t = *g.extents;
    bool any = false;
    for (extent_symbol const& s : t.symbols) any = any || s.kind == symbol_kind::unknown;
    if (!any) return false;
    for (shape_value const& s : out.shapes)
      for (int i = 0; i < s.rank; ++i)
        if (t.is_unknown(s.extent[i])) return true;
    for (kernel const& k : out.kernels)
      for (int i = 0; i < k.axes; ++i)
        if (t.is_unknown(k.extent[i])) return true;
    for (value const& v : out.values)
      if (v.op == primitive::extent && t.is_unknown(v.attribute)) return true;
    for (control_step const& c : out.controls)
      if (t.is_unknown(c.trips)) return true;
    for (extent_condition const& c : t.conditions)
      if (t.is_unknown(c.a) || t.is_unknown(c.b)) return true;
    return false;
  }
  /// The shapes that a caller must know when they are not all in types.
  constexpr void note_interface() {
    if (g.extents->symbols.size() == 0) return;
    for (int i = 0; i < g.inputs; ++i) out.interface.push(-1);
    for (int i = 0; i < g.nodes.size(); ++i)
      if (g.nodes[i].op == primitive::input) out.interface[static_cast<int>(g.nodes[i].attribute)] = static_cast<std::int16_t>(out.shape_index(g.shape(i)));
    for (std::int32_t const o : g.outputs) out.interface.push(static_cast<std::int16_t>(out.shape_index(g.shape(o))));
  }

  /// Each body is planned by itself, on inputs that lie where the control's operands do, and its steps come before those of this program.
  constexpr void make_controls() {
    for (int id : p.order) {
      if (g.nodes[id].op != primitive::control) continue;
      closed_control const& c = g.closed[static_cast<int>(g.nodes[id].attribute)];
      control_step s;
      s.kind = c.kind;
      s.from_end = c.from_end;
      s.trips = c.trips;
      list<block> blocks;
      list<amount> scratch_of_blocks;
      for (int b = 0; b < c.body_count; ++b) {
        blocks.push(make_block(c, c.bodies + b));
        scratch_of_blocks.push(workspace_amount(*g.extents, blocks[b].workspace_bytes, out.regions, blocks[b].regions.begin));
      }
      builder const& body = *g.bodies.programs[c.bodies + c.body_count - 1];

      list<std::int16_t> slots;
      list<port> operands, outputs;
      auto const slot_of = [&](int buffer) {
        slots.push(static_cast<std::int16_t>(buffer));
        return static_cast<std::int16_t>(slots.size() - 1);
      };
      for (int i = 0; i < c.operand_count; ++i) {
        closed_operand const& o = g.closed_operands[c.operands + i];
        place const pl = homes.place_of(o.node);
        auto const size = static_cast<std::int64_t>(size_of(g.type(o.node)));
        port x;
        x.slot = slot_of(buffer_for(pl.root));
        x.carried = static_cast<std::int16_t>(o.carried);
        x.offset = pl.offset * amount(size);
        x.stride = o.entry ? pl.stride[0] * amount(size) : amount(0);
        operands.push(x);
      }
      for (int k = 0; k < c.output_count; ++k) {
        int const of = body.outputs[k];
        port x;
        x.bytes = body.shape(of).size() * amount(static_cast<std::int64_t>(size_of(body.type(of))));
        int input = -1;
        for (int i = 0; i < c.operand_count; ++i)
          if (operands[i].carried == k) input = i;
        bool const stacked = c.kind == control_kind::scan && input < 0;
        x.stride = stacked ? x.bytes : amount(0);
        x.slot = slot_of(result_buffer(id, k, stacked ? x.bytes * c.trips : x.bytes));
        if (input >= 0 && !may_overwrite(out, blocks[c.body_count - 1].steps, k, input)) x.spare = slot_of(workspace(x.bytes));
        outputs.push(x);
      }
      amount bytes = 0;
      for (amount const needed : scratch_of_blocks) bytes = g.extents->maximum(bytes, needed);
      if (!(bytes == 0)) s.scratch_slot = slot_of(workspace(bytes));
      bool writes_output = false;
      for (port const& x : outputs) writes_output = writes_output || out.buffers[slots[x.slot]].where == residence::output;
      if (c.kind == control_kind::while_loop) s.head_slot = slot_of(workspace(1));
      if (c.kind == control_kind::branches) {
        place const pl = homes.place_of(c.head);
        s.head_slot = slot_of(buffer_for(pl.root));
        s.head_type = g.type(c.head);
        s.head_offset = pl.offset * amount(static_cast<std::int64_t>(size_of(g.type(c.head))));
      }
      s.operands = append_to(out.ports, operands);
      s.outputs = append_to(out.ports, outputs);
      s.blocks = append_to(out.blocks, blocks);
      s.slots = append_to(out.slots, slots);
      out.controls.push(s);
      task t;
      t.kind = step_kind::control;
      t.level = static_cast<std::int16_t>(p.info[id].ready - 1);
      t.index = static_cast<std::int16_t>(out.controls.size() - 1);
      t.node = id;
      t.writes_output = writes_output;
      tasks.push(t);
    }
  }
  constexpr int result_buffer(int control, int k, amount bytes) {
    for (int id : p.order)
      if (g.nodes[id].op == primitive::control_result && g.nodes[id].arg[0] == control && g.nodes[id].attribute == k) return buffer_for(id);
    return workspace(bytes);
  }
  constexpr block make_block(closed_control const& c, int number) {
    builder& body = *g.bodies.programs[number];
    int const begin = g.bodies.begin[number];
    block b;
    b.inputs.begin = out.block_inputs.size();
    for (int id = 0; id < body.nodes.size(); ++id) {
      if (body.nodes[id].op != primitive::input) continue;
      closed_operand const& o = g.closed_operands[c.operands + g.bodies.inputs[begin + static_cast<int>(body.nodes[id].attribute)]];
      place const pl = homes.place_of(o.node);
      place own;
      for (int i = 0; i < body.shape(id).rank; ++i) own.stride[i] = pl.stride[i + o.entry];
      if (p.is_row_major(own, body.shape(id))) continue;
      std::int64_t strides[max_rank] = {};
      for (int i = 0; i < max_rank; ++i) strides[i] = own.stride[i].code;
      body.nodes[id].arg[0] = static_cast<std::int32_t>(body.intern(strides, body.shape(id).rank));
    }
    for (int i = 0; i < body.inputs; ++i) out.block_inputs.push(static_cast<std::int16_t>(g.bodies.inputs[begin + i]));
    b.inputs.end = out.block_inputs.size();
    scheduler own(body, out, rules);
    own.is_block = true;
    own.run();
    b.steps = {own.first_step, out.steps.size()};
    b.regions = {own.first_region, out.regions.size()};
    b.workspace_bytes = own.workspace_bytes;
    return b;
  }

  /// An elementwise kernel over the results of one product or convolution runs on them while they are in registers.
  constexpr void fuse_epilogues() {
    for (task const& t : tasks) note_written(step{t.kind, t.index}, t.level);
    for (int d = 0; d < tasks.size(); ++d) {
      if (tasks[d].kind != step_kind::primitive || !is_contraction(out.opaques[tasks[d].index].op)) continue;
      if (is_convolution(out.opaques[tasks[d].index].op) && !rules.fuses_into_convolutions) continue;
      int const node = tasks[d].node, own_buffer = buffer_of[node];
      shape_value const result = g.shape(node);
      // Of products with one element each only the batch is left as an axis, which their kernels do not run along.
      if ((result.extent[result.rank - 1] == 1 && result.extent[result.rank - 2] == 1) || is_dual_number(g.type(node))) continue;
      int fused = -1;
      for (int t = 0; t < tasks.size() && fused < 0; ++t)
        if (tasks[t].kind == step_kind::kernel && tasks[t].level == tasks[d].level + 1 && tasks[t].index >= 0 && fits_epilogue(tasks[t].index, node, tasks[d].level)) fused = t;
      if (fused < 0) continue;
      int const ki = tasks[fused].index;
      // Rebuilt without collapsed axes, so that its indices are those of the product.
      rebuild_as_epilogue(ki, tasks[fused].node, node);
      out.opaques[tasks[d].index].epilogue = static_cast<std::int16_t>(ki);
      tasks[d].writes_output = tasks[d].writes_output || tasks[fused].writes_output;
      tasks[fused].index = -1;
      kernel const& k = out.kernels[ki];
      for (int st = k.stores.begin; st < k.stores.end; ++st) written_level[out.slots[k.slots.begin + out.accesses[k.accesses.begin + out.stores[st].access].slot]] = tasks[d].level;
      if (out.buffers[own_buffer].where == residence::workspace && !read_elsewhere(own_buffer, ki, tasks[d].index)) {
        out.buffers[own_buffer].bytes = 0;
        out.opaques[tasks[d].index].result_slot = -1;
      }
    }
  }
  constexpr bool read_elsewhere(int buffer, int kernel_index, int opaque_index) {
    for (task const& t : tasks) {
      if (t.index < 0 || (t.kind == step_kind::primitive && t.index == opaque_index)) continue;
      step const s{t.kind, t.index};
      bool const own = t.kind == step_kind::primitive && out.opaques[t.index].epilogue == kernel_index;
      for (range const r : {out.slots_of(s), own ? range{} : out.epilogue_slots_of(s)})
        for (int i = r.begin; i < r.end; ++i)
          if (out.slots[i] == buffer) return true;
    }
    return false;
  }
  /// Notes the level at which a step's results are there.
  constexpr void note_written(step const& s, int level) {
    auto const note = [&](int slot) {
      int const b = out.slots[slot];
      while (written_level.size() <= b) written_level.push(-1);
      if (level > written_level[b]) written_level[b] = level;
    };
    if (s.kind == step_kind::control) {
      control_step const& c = out.controls[s.index];
      for (int i = c.outputs.begin; i < c.outputs.end; ++i) note(c.slots.begin + out.ports[i].slot);
      return;
    }
    int e = s.index;
    if (s.kind == step_kind::primitive) {
      opaque_step const& o = out.opaques[s.index];
      if (o.result_slot >= 0) note(o.slots.begin + o.result_slot);
      e = o.epilogue;
    }
    if (e < 0) return;
    kernel const& k = out.kernels[e];
    for (int st = k.stores.begin; st < k.stores.end; ++st) note(k.slots.begin + out.accesses[k.accesses.begin + out.stores[st].access].slot);
  }
  constexpr bool fits_epilogue(int kernel_index, int node, int level) {
    kernel const& k = out.kernels[kernel_index];
    if (k.stages != 1) return false;
    shape_value const s = g.shape(node);
    amount size = 1;
    for (int i = 0; i < k.axes; ++i) size *= k.extent[i];
    if (size != s.size()) return false;
    for (int st = k.stores.begin; st < k.stores.end; ++st) {
      if (out.stores[st].combine != primitive::copy) return false;
      if (out.values[k.values.begin + out.stores[st].value].at != level::lane && k.axes > 0) return false;
    }
    bool reads = false;
    for (int v = k.values.begin; v < k.values.end; ++v) {
      if (out.values[v].op != primitive::input) continue;
      access const& a = out.accesses[k.accesses.begin + out.values[v].attribute];
      int const b = out.slots[k.slots.begin + a.slot];
      if (b == buffer_of[node]) {
        amount stride = 1;
        for (int i = k.axes - 1; i >= 0; --i) {
          if (a.stride[i] != stride) return false;
          stride *= k.extent[i];
        }
        reads = true;
      } else if (b < written_level.size() && written_level[b] >= level) {
        return false;
      }
    }
    return reads && can_run_in(kernel_index, squeezed(s));
  }
  static constexpr shape_value squeezed(shape_value const& s) {
    shape_value r;
    for (int i = 0; i < s.rank; ++i)
      if (s.extent[i] != 1) r.push(s.extent[i]);
    return r;
  }
  /// Whether joining neighbours among `axes` can give extents of which `joined` are some joined further.
  static constexpr bool is_refined(amount const* joined, int joined_count, amount const* axes, int count) {
    amount outer = 1, inner = 1;
    int j = count;
    for (int i = joined_count; i-- > 0;) {
      outer *= joined[i];
      while (j > 0 && inner != outer) inner *= axes[--j];
      if (inner != outer) return false;
    }
    return true;
  }
  /// Whether a kernel's loops can be those over `result`: it joined its axes wherever it could, so result's must lie between what it has and what it had.
  constexpr bool can_run_in(int kernel_index, shape_value const& result) {
    kernel const& k = out.kernels[kernel_index];
    for (int t = 0; t < tasks.size(); ++t) {
      if (tasks[t].kind != step_kind::kernel || tasks[t].index != kernel_index) continue;
      shape_value const& space = g.shapes[p.groups[p.info[tasks[t].node].group].space];
      return is_refined(k.extent, k.axes, result.extent, result.rank) && is_refined(result.extent, result.rank, space.extent, space.rank);
    }
    return false;
  }
  constexpr void rebuild_as_epilogue(int kernel_index, int root, int node) {
    int const gi = p.info[root].group;
    kernels.begin(gi);
    kernel const old = out.kernels[kernel_index];
    for (int st = old.stores.begin; st < old.stores.end; ++st) {
      int const b = out.slots[old.slots.begin + out.accesses[old.accesses.begin + out.stores[st].access].slot];
      if (int const stored = node_of_buffer[b]; p.info[stored].group == gi) kernels.add_root(stored);
    }
    shape_value const of = squeezed(g.shape(node));
    finish_kernel(&of);
    kernel k = out.kernels.back();
    for (int v = k.values.begin; v < k.values.end; ++v)
      if (out.values[v].op == primitive::input &&
          out.slots[k.slots.begin + out.accesses[k.accesses.begin + out.values[v].attribute].slot] == buffer_of[node])
        k.injected = static_cast<std::int16_t>(v - k.values.begin);
    out.kernels[kernel_index] = k;
    out.kernels.pop();
  }
  /// By level; within one, what overwrites a donated argument comes after everything that may still read it.
  constexpr void order_tasks() {
    int levels = 0;
    for (task const& t : tasks) levels = t.level + 1 > levels ? t.level + 1 : levels;
    list<std::int32_t> first(2 * levels, -1), next(tasks.size(), -1);
    for (int i = tasks.size() - 1; i >= 0; --i) {
      if (tasks[i].index < 0) continue;
      int& head = first[2 * tasks[i].level + tasks[i].writes_output];
      next[i] = head;
      head = i;
    }
    for (int const head : first)
      for (int i = head; i >= 0; i = next[i]) out.steps.push({tasks[i].kind, tasks[i].index});
  }

  constexpr plan_size size() const {
    return {out.kernels.size(), out.opaques.size(), out.steps.size(), out.buffers.size(), out.values.size(), out.accesses.size(),
            out.stores.size(), out.slots.size(), out.lists.size(), out.list_ranges.size(), out.shapes.size(), out.pool.size(),
            out.controls.size(), out.ports.size(), out.blocks.size(), out.block_inputs.size(), out.regions.size(), g.extents->symbols.size(), g.extents->conditions.size(), out.interface.size(),
            out.first_region, out.first_step, g.error};
  }
};

}  // namespace DIMITY_NAMESPACE::detail
