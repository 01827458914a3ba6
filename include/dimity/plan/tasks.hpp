// Fourth planning pass: kernels and primitives as tasks, and the buffers that they read and write.
#pragma once

#include <dimity/plan/equal.hpp>

namespace DIMITY_NAMESPACE::detail {

struct task_builder {
  builder& g;
  plan_builder& out;
  plan_rules rules;
  planner p = {};
  home_finder homes;
  need_finder needs;
  kernel_builder kernels;
  list<std::int32_t> component = {}, claimed = {}, parent = {};
  list<std::int32_t> buffer_of = {}, node_of_buffer = {};
  bool is_block = false;

  struct task {
    std::int16_t level = 0;
    step_kind kind = step_kind::kernel;
    bool writes_output = false;
    std::int16_t index = 0;
    std::int32_t node = -1;
  };
  list<task> tasks = {};
  struct known_scratch {
    std::int32_t opaque;
    amount bytes;
  };
  list<known_scratch> scratches = {};

  // Constructors here and in the passes: nvcc loses members that default member initialisers of an aggregate refer to.
  constexpr task_builder(builder& program, plan_builder& result, plan_rules const& wanted)
      : g(program), out(result), rules(wanted), homes(p), needs(p), kernels(p, out) {
    kernels.divides = rules.divides_rows;
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
      // A reshaped result has the elements of what it was made of, in their order. (Not where callers ask for shapes.)
      if (g.extents->symbols.size() == 0 && p.is_memory(o) && p.places[o].root != o) {
        int const root = p.places[o].root;
        bool const is_whole = g.shape(root).size() == g.shape(o).size() && p.places[o].offset == 0 && p.is_row_major(p.places[o], g.shape(o));
        if (is_whole && g.nodes[root].op != primitive::input && !taken[root] && g.type(root) == g.type(o)) o = g.outputs[i] = root;
      }
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
    b.bytes = g.shape(node).size() * amount(size);
    if (where == residence::input && !is_block && g.nodes[node].arg[0] >= 0 && !(b.bytes == 0)) {
      extent_table& t = *g.extents;
      b.bytes = size;
      for (int i = 0; i < g.shape(node).rank; ++i) {
        amount const stride = g.pool[g.nodes[node].arg[0] + i], reach = t.difference(g.shape(node).extent[i] * stride * size, stride * size);
        bool const backwards = stride.coefficient() < 0;
        b.bytes = t.sum(b.bytes, backwards ? -reach : reach);
        if (backwards) b.before = t.sum(b.before, -reach);
      }
    }
    out.buffers.push(b);
    buffer_of[node] = out.buffers.size() - 1;
    while (node_of_buffer.size() < out.buffers.size()) node_of_buffer.push(-1);
    node_of_buffer[buffer_of[node]] = node;
    return buffer_of[node];
  }
  constexpr int workspace(amount bytes) {
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
      set_component(source, root);
      return;
    }
    if (component[id] >= 0 && info.state != status::constant) {
      bool const whole = here || g.shape(id).size() == g.shapes[p.groups[group].space].size();
      if (whole) unite(component[id], root);
      if (here) return;
    }
    set_component(id, root);
    for (int k = 0; k < arity_of(g.nodes[id].op); ++k) claim(g.nodes[id].arg[k], group, root);
  }

  constexpr void set_component(int id, int root) {
    component[id] = root;
    claimed.push(id);
  }
  constexpr void make_kernels() {
    int const count = g.nodes.size();
    parent = list<std::int32_t>(count, 0);
    for (int i = 0; i < count; ++i) parent[i] = i;
    component = list<std::int32_t>(count, -1);
    list<std::int32_t> roots, first_root(p.groups.size(), -1), next_root(count, -1);
    for (int i = p.order.size() - 1; i >= 0; --i) {
      int const id = p.order[i];
      node_info const& info = p.info[id];
      if (info.group < 0 || !info.required || !(info.state == status::anchored || info.accumulated)) continue;
      next_root[id] = first_root[info.group];
      first_root[info.group] = id;
    }
    for (int gi = 0; gi < p.groups.size(); ++gi) {
      roots.clear();
      for (int id = first_root[gi]; id >= 0; id = next_root[id]) roots.push(id);
      if (roots.size() == 0) continue;
      for (int const id : claimed) component[id] = -1;
      claimed.clear();
      // Scalars of one level are one kernel, whatever they are.
      if (g.shapes[p.groups[gi].space].size() == 1)
        for (int r : roots) unite(r, roots[0]);
      for (int r : roots) {
        if (component[r] >= 0) unite(component[r], r);
        set_component(r, r);
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
        finish_kernel();
        task t;
        t.level = p.groups[gi].level;
        t.index = static_cast<std::int16_t>(out.kernels.size() - 1);
        t.writes_output = writes_output;
        t.node = roots[i];
        tasks.push(t);
      }
    }
  }

  constexpr void finish_kernel(shape_value const* of = nullptr) {
    kernels.finish(of);
    kernel& k = kernels.k;
    k.slots.begin = out.slots.size();
    for (int i = 0; i < kernels.slot_node.size(); ++i) {
      int const node = kernels.slot_node[i];
      out.slots.push(static_cast<std::int16_t>(node >= 0 ? buffer_for(node) : workspace(own_bytes(k, i))));
    }
    k.slots.end = out.slots.size();
    out.kernels.push(k);
  }
  /// Of a slot that is no node's: a row that is kept for later stages, or what blocks of rows leave.
  constexpr amount own_bytes(kernel const& k, int slot) {
    for (int s = k.stores.begin; s < k.stores.end; ++s)
      if (store const& st = out.stores[s]; st.partial_slot == slot)
        return st.fill * amount(static_cast<std::int64_t>(size_of(out.accesses[k.accesses.begin + st.access].type)));
    for (int a = k.accesses.begin; a < k.accesses.end; ++a)
      if (out.accesses[a].slot == slot) return k.inner() * amount(static_cast<std::int64_t>(size_of(out.accesses[a].type)));
    return 0;
  }

  /// Equal primitives are asked about once: choosing the tile of a product takes long.
  constexpr amount scratch_bytes(opaque_step const& s) {
    for (known_scratch const& k : scratches)
      if (same_primitive(out.opaques[k.opaque], s)) return k.bytes;
    amount const bytes = rules.scratch(s, out.shapes.begin(), out.pool.begin());
    scratches.push({out.opaques.size(), bytes});
    return bytes;
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
        s.attribute = intern_in(out.pool, g.pool.begin() + static_cast<int>(n.attribute), 2 * g.shapes[n.shape].rank);
      }
      if (n.op == primitive::debug_print || n.op == primitive::check_finite || has_geometry(n.op)) {
        int const at = static_cast<int>(n.attribute);
        s.attribute = intern_in(out.pool, g.pool.begin() + at, 1 + static_cast<int>(g.pool[at]));
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
      amount const bytes = scratch_bytes(s);
      if (!(bytes == 0)) {
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
};

}  // namespace DIMITY_NAMESPACE::detail
