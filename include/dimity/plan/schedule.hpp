// Program -> plan: runs the planning passes and puts kernels and opaque primitives in order.
#pragma once

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

  struct task {
    std::int16_t level = 0;
    bool is_kernel = true, writes_output = false;
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
    fuse_epilogues();
    order_tasks();
    find_equal();
    assign_workspace(out);
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
      for (int k = 0; k < arity_of(g.nodes[i].op); ++k) live[g.nodes[i].arg[k]] = 1;
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
      s.shape = n.shape;
      s.attribute = n.attribute;
      s.slots.begin = out.slots.size();
      int slot = 0;
      for (int k = 0; k < arity_of(n.op); ++k) {
        place const pl = homes.place_of(n.arg[k]);
        s.operand_shape[k] = g.nodes[n.arg[k]].shape;
        s.operand_type[k] = g.type(n.arg[k]);
        s.operand_slot[k] = static_cast<std::int16_t>(slot++);
        s.operand_offset[k] = pl.offset;
        for (int i = 0; i < p.rank(n.arg[k]); ++i) s.operand_stride[k][i] = pl.stride[i];
        out.slots.push(static_cast<std::int16_t>(buffer_for(pl.root)));
      }
      s.result_slot = static_cast<std::int16_t>(slot++);
      out.slots.push(static_cast<std::int16_t>(buffer_for(id)));
      std::int64_t const bytes = scratch(s, &g.shapes[0]);
      if (bytes > 0) {
        s.scratch_slot = static_cast<std::int16_t>(slot++);
        out.slots.push(static_cast<std::int16_t>(workspace(bytes)));
      }
      s.slots.end = out.slots.size();
      out.opaques.push(s);
      task t;
      t.is_kernel = false;
      t.level = static_cast<std::int16_t>(p.info[id].ready - 1);
      t.index = static_cast<std::int16_t>(out.opaques.size() - 1);
      t.node = id;
      t.writes_output = buffer_of[id] >= 0 && out.buffers[buffer_of[id]].where == residence::output;
      tasks.push(t);
    }
  }

  /// An elementwise kernel over the results of one matrix product runs on them while they are in registers.
  constexpr void fuse_epilogues() {
    for (int d = 0; d < tasks.size(); ++d) {
      if (tasks[d].is_kernel || out.opaques[tasks[d].index].op != primitive::dot) continue;
      int const node = tasks[d].node, own_buffer = buffer_of[node];
      if (g.shape(node).size() == 1 || is_dual_number(g.type(node))) continue;
      int fused = -1;
      for (int t = 0; t < tasks.size() && fused < 0; ++t)
        if (tasks[t].is_kernel && tasks[t].level == tasks[d].level + 1 && tasks[t].index >= 0 && fits_epilogue(tasks[t].index, node, tasks[d].level)) fused = t;
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
    for (int t = 0; t < tasks.size(); ++t) {
      if (tasks[t].index < 0) continue;
      if (!tasks[t].is_kernel && tasks[t].index == opaque_index) continue;
      range const r = tasks[t].is_kernel ? out.kernels[tasks[t].index].slots : out.opaques[tasks[t].index].slots;
      for (int i = r.begin; i < r.end; ++i)
        if (out.slots[i] == buffer) return true;
      if (!tasks[t].is_kernel && out.opaques[tasks[t].index].epilogue >= 0 && out.opaques[tasks[t].index].epilogue != kernel_index) {
        range const e = out.kernels[out.opaques[tasks[t].index].epilogue].slots;
        for (int i = e.begin; i < e.end; ++i)
          if (out.slots[i] == buffer) return true;
      }
    }
    return false;
  }
  /// Level at which a buffer is written, -1 for inputs.
  constexpr int written_at(int buffer) {
    int at = -1;
    for (int t = 0; t < tasks.size(); ++t) {
      if (tasks[t].index < 0) continue;
      if (tasks[t].is_kernel) {
        kernel const& k = out.kernels[tasks[t].index];
        for (int s = k.stores.begin; s < k.stores.end; ++s)
          if (out.slots[k.slots.begin + out.accesses[k.accesses.begin + out.stores[s].access].slot] == buffer && tasks[t].level > at) at = tasks[t].level;
      } else {
        opaque_step const& o = out.opaques[tasks[t].index];
        if (o.result_slot >= 0 && out.slots[o.slots.begin + o.result_slot] == buffer && tasks[t].level > at) at = tasks[t].level;
        if (o.epilogue >= 0) {
          kernel const& k = out.kernels[o.epilogue];
          for (int s = k.stores.begin; s < k.stores.end; ++s)
            if (out.slots[k.slots.begin + out.accesses[k.accesses.begin + out.stores[s].access].slot] == buffer && tasks[t].level > at) at = tasks[t].level;
        }
      }
    }
    return at;
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
      if (tasks[t].is_kernel && tasks[t].index == kernel_index) return g.shapes[p.groups[p.info[tasks[t].node].group].space] == squeezed;
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
          if (t.index >= 0 && t.level == l && t.writes_output == (pass == 1)) out.steps.push({t.is_kernel, t.index});
  }

  constexpr bool equal_kernels(kernel const& a, kernel const& b) {
    if (a.axes != b.axes || a.outer != b.outer || a.stages != b.stages || a.injected != b.injected || a.values.size() != b.values.size() ||
        a.accesses.size() != b.accesses.size() || a.stores.size() != b.stores.size() || a.slots.size() != b.slots.size())
      return false;
    for (int i = 0; i < a.axes; ++i)
      if (a.extent[i] != b.extent[i]) return false;
    for (int i = 0; i < a.values.size(); ++i) {
      value const &x = out.values[a.values.begin + i], &y = out.values[b.values.begin + i];
      if (x.op != y.op || x.type != y.type || x.at != y.at || x.stage != y.stage || x.kept != y.kept || x.attribute != y.attribute) return false;
      for (int j = 0; j < 3; ++j)
        if (x.arg[j] != y.arg[j]) return false;
    }
    for (int i = 0; i < a.accesses.size(); ++i) {
      access const &x = out.accesses[a.accesses.begin + i], &y = out.accesses[b.accesses.begin + i];
      if (x.slot != y.slot || x.type != y.type || x.offset != y.offset) return false;
      for (int j = 0; j < a.axes; ++j)
        if (x.stride[j] != y.stride[j]) return false;
    }
    for (int i = 0; i < a.stores.size(); ++i) {
      store const &x = out.stores[a.stores.begin + i], &y = out.stores[b.stores.begin + i];
      if (x.value != y.value || x.access != y.access || x.stage != y.stage || x.combine != y.combine || x.fill != y.fill) return false;
    }
    return true;
  }
  constexpr bool equal_opaques(opaque_step const& a, opaque_step const& b) {
    if (a.op != b.op || a.type != b.type || a.shape != b.shape || a.attribute != b.attribute || a.result_slot != b.result_slot || a.scratch_slot != b.scratch_slot)
      return false;
    if ((a.epilogue < 0) != (b.epilogue < 0)) return false;
    if (a.epilogue >= 0 && !equal_kernels(out.kernels[a.epilogue], out.kernels[b.epilogue])) return false;
    for (int k = 0; k < arity_of(a.op); ++k) {
      if (a.operand_shape[k] != b.operand_shape[k] || a.operand_type[k] != b.operand_type[k] || a.operand_offset[k] != b.operand_offset[k] ||
          a.operand_slot[k] != b.operand_slot[k])
        return false;
      for (int i = 0; i < max_rank; ++i)
        if (a.operand_stride[k][i] != b.operand_stride[k][i]) return false;
    }
    return true;
  }
  /// Equal kernels (the layers of a tower) are one function in the binary.
  constexpr void find_equal() {
    for (int i = 0; i < out.kernels.size(); ++i)
      for (int j = 0; j < i && out.kernels[i].same_as < 0; ++j)
        if (out.kernels[j].same_as < 0 && equal_kernels(out.kernels[i], out.kernels[j])) out.kernels[i].same_as = static_cast<std::int16_t>(j);
    for (int i = 0; i < out.opaques.size(); ++i)
      for (int j = 0; j < i && out.opaques[i].same_as < 0; ++j)
        if (out.opaques[j].same_as < 0 && equal_opaques(out.opaques[i], out.opaques[j])) out.opaques[i].same_as = static_cast<std::int16_t>(j);
  }

  constexpr plan_size size() const {
    return {out.kernels.size(), out.opaques.size(), out.steps.size(), out.buffers.size(), out.values.size(), out.accesses.size(),
            out.stores.size(),  out.slots.size(),   out.lists.size(), out.list_ranges.size(), g.shapes.size(), g.pool.size()};
  }
};

template <plan_size N>
constexpr plan<N> to_plan(builder const& g, plan_builder const& from) {
  plan<N> to;
  for (int i = 0; i < from.kernels.size(); ++i) to.kernels[i] = from.kernels[i];
  for (int i = 0; i < from.opaques.size(); ++i) to.opaques[i] = from.opaques[i];
  for (int i = 0; i < from.steps.size(); ++i) to.steps[i] = from.steps[i];
  for (int i = 0; i < from.buffers.size(); ++i) to.buffers[i] = from.buffers[i];
  for (int i = 0; i < from.values.size(); ++i) to.values[i] = from.values[i];
  for (int i = 0; i < from.accesses.size(); ++i) to.accesses[i] = from.accesses[i];
  for (int i = 0; i < from.stores.size(); ++i) to.stores[i] = from.stores[i];
  for (int i = 0; i < from.slots.size(); ++i) to.slots[i] = from.slots[i];
  for (int i = 0; i < from.lists.size(); ++i) to.lists[i] = from.lists[i];
  for (int i = 0; i < from.list_ranges.size(); ++i) to.list_ranges[i] = from.list_ranges[i];
  for (int i = 0; i < g.shapes.size(); ++i) to.shapes[i] = g.shapes[i];
  for (int i = 0; i < g.pool.size(); ++i) to.pool[i] = g.pool[i];
  to.workspace_bytes = from.workspace_bytes;
  return to;
}

constexpr bool fits(plan_size const& a, plan_size const& b) {
  return a.kernels <= b.kernels && a.opaques <= b.opaques && a.steps <= b.steps && a.buffers <= b.buffers && a.values <= b.values && a.accesses <= b.accesses &&
         a.stores <= b.stores && a.slots <= b.slots && a.lists <= b.lists && a.list_ranges <= b.list_ranges && a.shapes <= b.shapes && a.pool <= b.pool;
}
/// The same plan in arrays of exactly its size.
template <plan_size N, plan_size M>
constexpr plan<N> shrink(plan<M> const& from) {
  plan<N> to;
  for (int i = 0; i < N.kernels; ++i) to.kernels[i] = from.kernels[i];
  for (int i = 0; i < N.opaques; ++i) to.opaques[i] = from.opaques[i];
  for (int i = 0; i < N.steps; ++i) to.steps[i] = from.steps[i];
  for (int i = 0; i < N.buffers; ++i) to.buffers[i] = from.buffers[i];
  for (int i = 0; i < N.values; ++i) to.values[i] = from.values[i];
  for (int i = 0; i < N.accesses; ++i) to.accesses[i] = from.accesses[i];
  for (int i = 0; i < N.stores; ++i) to.stores[i] = from.stores[i];
  for (int i = 0; i < N.slots; ++i) to.slots[i] = from.slots[i];
  for (int i = 0; i < N.lists; ++i) to.lists[i] = from.lists[i];
  for (int i = 0; i < N.list_ranges; ++i) to.list_ranges[i] = from.list_ranges[i];
  for (int i = 0; i < N.shapes; ++i) to.shapes[i] = from.shapes[i];
  for (int i = 0; i < N.pool; ++i) to.pool[i] = from.pool[i];
  to.workspace_bytes = from.workspace_bytes;
  return to;
}

}  // namespace dimity::detail
