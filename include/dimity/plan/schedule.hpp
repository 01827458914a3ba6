// Program -> plan: runs the planning passes and puts kernels and opaque primitives in order.
#pragma once

#include <dimity/plan/alias.hpp>
#include <dimity/plan/equal.hpp>
#include <dimity/plan/freeze.hpp>
#include <dimity/plan/memory.hpp>

namespace dimity::detail {

/// How much scratch memory a primitive's own kernel needs; the executor says so (exec/cpu), the plan reserves it.
using scratch_rule = std::int64_t (*)(opaque_step const&, shape_value const* shapes);

struct scheduler {
  builder& g;
  plan_builder& out;
  scratch_rule scratch;
  planner p = {};
  home_finder homes;
  need_finder needs;
  kernel_builder kernels;
  list<std::int32_t> component = {}, parent = {};
  list<std::int32_t> buffer_of = {};
  bool is_block = false;
  int first_step = 0;
  std::int64_t workspace_bytes = 0;

  struct task {
    std::int16_t level = 0;
    step_kind kind = step_kind::kernel;
    bool writes_output = false;
    std::int16_t index = 0;
    std::int32_t node = -1;
  };
  list<task> tasks = {};

  // Constructors here and in the passes: nvcc loses members that default member initialisers of an aggregate refer to.
  constexpr scheduler(builder& program, plan_builder& result, scratch_rule rule)
      : g(program), out(result), scratch(rule), homes(p), needs(p), kernels(p, out) {}

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
    order_tasks();
    workspace_bytes = assign_workspace(out, first_step);
  }
  /// The whole program: blocks come before the steps that are not in one.
  constexpr void run_program() {
    run();
    out.first_step = first_step;
    out.workspace_bytes = workspace_bytes;
    find_equal(out);
  }

  constexpr void find_homes() {
    p.g = &g;
    int const count = g.nodes.size();
    for (int i = 0; i < count; ++i) {
      p.info.push({});
      p.places.push({});
    }
    list<unsigned char> live(count, 0);
    for (int o : g.outputs) live[o] = 1;
    for (int i = count - 1; i >= 0; --i) {
      if (g.nodes[i].op == primitive::input) live[i] = 1;
      if (!live[i]) continue;
      for_each_operand(g, g.nodes[i], [&](int o) { live[o] = 1; });
    }
    for (int i = 0; i < count; ++i)
      if (live[i]) homes.visit(i);
    list<unsigned char> taken(g.nodes.size(), 0);
    for (int i = 0; i < g.outputs.size(); ++i) {
      int o = g.outputs[i];
      bool const own_memory = !p.is_memory(o) || (p.places[o].root == o && g.nodes[o].op != primitive::input);
      if (!own_memory || taken[o]) {
        // A program output is memory of its own: views, inputs and repeated outputs are copied.
        node n = g.nodes[o];
        n.op = primitive::copy;
        n.arg[0] = o;
        n.arg[1] = n.arg[2] = -1;
        n.attribute = 0;
        o = g.append(n);
        p.info.push({});
        p.places.push({});
        taken.push(0);
        if (!p.is_memory(n.arg[0])) homes.require(n.arg[0]);
        p.info[o].ready = static_cast<std::int16_t>(p.is_memory(n.arg[0]) ? p.info[n.arg[0]].ready : p.groups[p.info[n.arg[0]].group].level + 1);
        p.order.push(o);
        g.outputs[i] = o;
      }
      taken[o] = 1;
      homes.require(o);
    }
  }

  constexpr int add_buffer(int node, residence where, int index) {
    buffer b;
    b.in_block = is_block;
    b.where = where;
    b.index = index;
    auto const size = static_cast<std::int64_t>(size_of(g.type(node)));
    b.bytes = g.shape(node).size() * size;
    if (where == residence::input && g.nodes[node].arg[0] >= 0 && b.bytes > 0) {
      b.bytes = size;
      for (int i = 0; i < g.shape(node).rank; ++i) {
        std::int64_t const reach = (g.shape(node).extent[i] - 1) * g.pool[g.nodes[node].arg[0] + i] * size;
        b.bytes += reach < 0 ? -reach : reach;
        if (reach < 0) b.before -= reach;
      }
    }
    out.buffers.push(b);
    buffer_of[node] = out.buffers.size() - 1;
    return buffer_of[node];
  }
  constexpr int workspace(std::int64_t bytes) {
    buffer b;
    b.bytes = bytes;
    out.buffers.push(b);
    return out.buffers.size() - 1;
  }
  constexpr int buffer_for(int node) { return buffer_of[node] >= 0 ? buffer_of[node] : add_buffer(node, residence::workspace, 0); }

  constexpr int find(int x) {
    while (parent[x] != x) x = parent[x] = parent[parent[x]];
    return x;
  }
  constexpr void unite(int a, int b) {
    a = find(a);
    b = find(b);
    if (a != b) parent[a > b ? a : b] = a > b ? b : a;
  }
  /// Everything that a root's kernel computes or reads whole belongs to the root; roots that meet there are one kernel.
  constexpr void claim(int id, int group, int root) {
    node_info const& info = p.info[id];
    bool const here = info.state == status::anchored && info.group == group;
    if (p.is_read_by(id, group)) {
      int const source = p.is_memory(id) ? p.places[id].root : id;
      if (g.shape(id).size() != g.shapes[p.groups[group].space].size() || g.shape(id).size() == 1) return;
      if (component[source] >= 0) unite(component[source], root);
      component[source] = root;
      return;
    }
    if (component[id] >= 0 && info.state != status::constant) {
      bool const whole = here || g.shape(id).size() == g.shapes[p.groups[group].space].size();
      if (whole) unite(component[id], root);
      if (here) return;
    }
    component[id] = root;
    for (int k = 0; k < arity_of(g.nodes[id].op); ++k) claim(g.nodes[id].arg[k], group, root);
  }

  constexpr void make_kernels() {
    int const count = g.nodes.size();
    parent = list<std::int32_t>(count, 0);
    for (int i = 0; i < count; ++i) parent[i] = i;
    list<std::int32_t> roots;
    for (int gi = 0; gi < p.groups.size(); ++gi) {
      roots.clear();
      for (int id : p.order)
        if (p.info[id].group == gi && p.info[id].required && (p.is_anchored(id) || p.info[id].accumulated)) roots.push(id);
      if (roots.size() == 0) continue;
      component = list<std::int32_t>(count, -1);
      // Scalars of one level are one kernel, whatever they are.
      if (g.shapes[p.groups[gi].space].size() == 1)
        for (int r : roots) unite(r, roots[0]);
      for (int r : roots) {
        if (component[r] >= 0) unite(component[r], r);
        component[r] = r;
        for (int k = 0; k < arity_of(g.nodes[r].op); ++k) claim(g.nodes[r].arg[k], gi, r);
      }
      for (int i = 0; i < roots.size(); ++i) {
        if (find(roots[i]) != roots[i]) continue;
        bool writes_output = false;
        kernels.begin(gi);
        // From the first: a value that a pass appended has a higher number than roots that come after it.
        for (int j = 0; j < roots.size(); ++j) {
          if (find(roots[j]) != roots[i]) continue;
          kernels.add_root(roots[j]);
          writes_output = writes_output || (buffer_of[roots[j]] >= 0 && out.buffers[buffer_of[roots[j]]].where == residence::output);
        }
        finish_kernel(false);
        task t;
        t.level = p.groups[gi].level;
        t.index = static_cast<std::int16_t>(out.kernels.size() - 1);
        t.writes_output = writes_output;
        t.node = roots[i];
        tasks.push(t);
      }
    }
  }

  constexpr void finish_kernel(bool epilogue) {
    kernels.finish(epilogue);
    kernel& k = kernels.k;
    k.slots.begin = out.slots.size();
    for (int i = 0; i < kernels.slot_node.size(); ++i) {
      int const node = kernels.slot_node[i];
      out.slots.push(static_cast<std::int16_t>(node >= 0 ? buffer_for(node) : workspace(row_bytes(k, i))));
    }
    k.slots.end = out.slots.size();
    out.kernels.push(k);
  }
  constexpr std::int64_t row_bytes(kernel const& k, int slot) {
    for (int a = k.accesses.begin; a < k.accesses.end; ++a)
      if (out.accesses[a].slot == slot) return k.inner() * static_cast<std::int64_t>(size_of(out.accesses[a].type));
    return 0;
  }

  constexpr void make_opaques() {
    for (int id : p.order) {
      node const n = g.nodes[id];
      if (family_of(n.op) != family::opaque) continue;
      opaque_step s;
      s.op = n.op;
      s.type = n.type;
      s.shape = static_cast<std::int16_t>(out.shape_index(g.shapes[n.shape]));
      s.attribute = n.attribute;
      if (n.op == primitive::pad) {
        s.attribute = out.pool.size();
        for (int i = 0; i < 2 * g.shapes[n.shape].rank; ++i) out.pool.push(g.pool[static_cast<int>(n.attribute) + i]);
      }
      s.slots.begin = out.slots.size();
      int slot = 0;
      for (int k = 0; k < arity_of(n.op); ++k) {
        place const pl = homes.place_of(n.arg[k]);
        s.operand_shape[k] = static_cast<std::int16_t>(out.shape_index(g.shape(n.arg[k])));
        s.operand_type[k] = g.type(n.arg[k]);
        s.operand_slot[k] = static_cast<std::int16_t>(slot++);
        s.operand_offset[k] = pl.offset;
        for (int i = 0; i < p.rank(n.arg[k]); ++i) s.operand_stride[k][i] = pl.stride[i];
        out.slots.push(static_cast<std::int16_t>(buffer_for(pl.root)));
      }
      s.result_slot = static_cast<std::int16_t>(slot++);
      out.slots.push(static_cast<std::int16_t>(buffer_for(id)));
      std::int64_t const bytes = scratch(s, out.shapes.begin());
      if (bytes > 0) {
        s.scratch_slot = static_cast<std::int16_t>(slot++);
        out.slots.push(static_cast<std::int16_t>(workspace(bytes)));
      }
      s.slots.end = out.slots.size();
      out.opaques.push(s);
      task t;
      t.kind = step_kind::primitive;
      t.level = static_cast<std::int16_t>(p.info[id].ready - 1);
      t.index = static_cast<std::int16_t>(out.opaques.size() - 1);
      t.node = id;
      t.writes_output = buffer_of[id] >= 0 && out.buffers[buffer_of[id]].where == residence::output;
      tasks.push(t);
    }
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
      for (int b = 0; b < c.body_count; ++b) blocks.push(make_block(c, c.bodies + b));
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
        x.offset = pl.offset * size;
        x.stride = o.entry ? pl.stride[0] * size : 0;
        operands.push(x);
      }
      for (int k = 0; k < c.output_count; ++k) {
        int const of = body.outputs[k];
        port x;
        x.bytes = body.shape(of).size() * static_cast<std::int64_t>(size_of(body.type(of)));
        int input = -1;
        for (int i = 0; i < c.operand_count; ++i)
          if (operands[i].carried == k) input = i;
        bool const stacked = c.kind == control_kind::scan && input < 0;
        x.stride = stacked ? x.bytes : 0;
        x.slot = slot_of(result_buffer(id, k, stacked ? x.bytes * c.trips : x.bytes));
        if (input >= 0 && !may_overwrite(out, blocks[c.body_count - 1].steps, k, input)) x.spare = slot_of(workspace(x.bytes));
        outputs.push(x);
      }
      std::int64_t bytes = 0;
      for (block const& b : blocks) bytes = b.workspace_bytes > bytes ? b.workspace_bytes : bytes;
      if (bytes > 0) s.scratch_slot = slot_of(workspace(bytes));
      bool writes_output = false;
      for (port const& x : outputs) writes_output = writes_output || out.buffers[slots[x.slot]].where == residence::output;
      if (c.kind == control_kind::while_loop) s.head_slot = slot_of(workspace(1));
      if (c.kind == control_kind::branches) {
        place const pl = homes.place_of(c.head);
        s.head_slot = slot_of(buffer_for(pl.root));
        s.head_type = g.type(c.head);
        s.head_offset = pl.offset * static_cast<std::int64_t>(size_of(g.type(c.head)));
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
  constexpr int result_buffer(int control, int k, std::int64_t bytes) {
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
      if (!p.is_row_major(own, body.shape(id))) body.nodes[id].arg[0] = static_cast<std::int32_t>(body.intern(own.stride, body.shape(id).rank));
    }
    for (int i = 0; i < body.inputs; ++i) out.block_inputs.push(static_cast<std::int16_t>(g.bodies.inputs[begin + i]));
    b.inputs.end = out.block_inputs.size();
    scheduler own(body, out, scratch);
    own.is_block = true;
    own.run();
    b.steps = {own.first_step, out.steps.size()};
    b.workspace_bytes = own.workspace_bytes;
    return b;
  }

  /// An elementwise kernel over the results of one matrix product runs on them while they are in registers.
  constexpr void fuse_epilogues() {
    for (int d = 0; d < tasks.size(); ++d) {
      if (tasks[d].kind != step_kind::primitive || out.opaques[tasks[d].index].op != primitive::dot) continue;
      int const node = tasks[d].node, own_buffer = buffer_of[node];
      if (g.shape(node).size() == 1 || is_dual_number(g.type(node))) continue;
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
  /// Level at which a buffer is written, -1 for inputs.
  constexpr int written_at(int buffer) {
    int at = -1;
    for (task const& t : tasks)
      if (t.index >= 0 && t.level > at && writes(step{t.kind, t.index}, buffer)) at = t.level;
    return at;
  }
  constexpr bool writes(step const& s, int buffer) {
    if (s.kind == step_kind::control) {
      control_step const& c = out.controls[s.index];
      for (int i = c.outputs.begin; i < c.outputs.end; ++i)
        if (out.slots[c.slots.begin + out.ports[i].slot] == buffer) return true;
      return false;
    }
    int e = s.index;
    if (s.kind == step_kind::primitive) {
      opaque_step const& o = out.opaques[s.index];
      if (o.result_slot >= 0 && out.slots[o.slots.begin + o.result_slot] == buffer) return true;
      e = o.epilogue;
    }
    if (e < 0) return false;
    kernel const& k = out.kernels[e];
    for (int st = k.stores.begin; st < k.stores.end; ++st)
      if (out.slots[k.slots.begin + out.accesses[k.accesses.begin + out.stores[st].access].slot] == buffer) return true;
    return false;
  }
  constexpr bool fits_epilogue(int kernel_index, int node, int level) {
    kernel const& k = out.kernels[kernel_index];
    if (k.stages != 1) return false;
    shape_value squeezed;
    shape_value const s = g.shape(node);
    for (int i = 0; i < s.rank; ++i)
      if (s.extent[i] != 1) squeezed.push(s.extent[i]);
    std::int64_t size = 1;
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
        std::int64_t stride = 1;
        for (int i = k.axes - 1; i >= 0; --i) {
          if (a.stride[i] != stride) return false;
          stride *= k.extent[i];
        }
        reads = true;
      } else if (written_at(b) >= level) {
        return false;
      }
    }
    return reads && same_space(kernel_index, squeezed);
  }
  constexpr bool same_space(int kernel_index, shape_value const& squeezed) {
    for (int t = 0; t < tasks.size(); ++t)
      if (tasks[t].kind == step_kind::kernel && tasks[t].index == kernel_index) return g.shapes[p.groups[p.info[tasks[t].node].group].space] == squeezed;
    return false;
  }
  constexpr void rebuild_as_epilogue(int kernel_index, int root, int node) {
    int const gi = p.info[root].group;
    kernels.begin(gi);
    kernel const old = out.kernels[kernel_index];
    for (int st = old.stores.begin; st < old.stores.end; ++st) {
      int const b = out.slots[old.slots.begin + out.accesses[old.accesses.begin + out.stores[st].access].slot];
      for (int id : p.order)
        if (buffer_of[id] == b && p.info[id].group == gi) {
          kernels.add_root(id);
          break;
        }
    }
    finish_kernel(true);
    kernel k = out.kernels.back();
    for (int v = k.values.begin; v < k.values.end; ++v)
      if (out.values[v].op == primitive::input &&
          out.slots[k.slots.begin + out.accesses[k.accesses.begin + out.values[v].attribute].slot] == buffer_of[node])
        k.injected = static_cast<std::int16_t>(v - k.values.begin);
    out.kernels[kernel_index] = k;
    pop_kernel();
  }
  constexpr void pop_kernel() {
    list<kernel> shorter;
    for (int i = 0; i + 1 < out.kernels.size(); ++i) shorter.push(out.kernels[i]);
    out.kernels = static_cast<list<kernel>&&>(shorter);
  }

  /// By level; within one, what overwrites a donated argument comes after everything that may still read it.
  constexpr void order_tasks() {
    int levels = 0;
    for (task const& t : tasks) levels = t.level + 1 > levels ? t.level + 1 : levels;
    for (int l = 0; l < levels; ++l)
      for (int pass = 0; pass < 2; ++pass)
        for (task const& t : tasks)
          if (t.index >= 0 && t.level == l && t.writes_output == (pass == 1)) out.steps.push({t.kind, t.index});
  }

  constexpr plan_size size() const {
    return {out.kernels.size(), out.opaques.size(), out.steps.size(), out.buffers.size(), out.values.size(), out.accesses.size(),
            out.stores.size(), out.slots.size(), out.lists.size(), out.list_ranges.size(), out.shapes.size(), out.pool.size(),
            out.controls.size(), out.ports.size(), out.blocks.size(), out.block_inputs.size(), out.first_step, g.error};
  }
};

}  // namespace dimity::detail
