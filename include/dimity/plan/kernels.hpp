// Third planning pass: the values of one kernel, in loops.
#pragma once

#include <dimity/plan/needs.hpp>

#include <initializer_list>

namespace DIMITY_NAMESPACE::detail {

/// The growing flat arrays of a plan.
struct plan_builder {
  list<kernel> kernels;
  list<opaque_step> opaques;
  list<step> steps;
  list<buffer> buffers;
  list<value> values;
  list<access> accesses;
  list<store> stores;
  list<std::int16_t> slots;
  list<std::int16_t> lists;
  list<range> list_ranges;
  list<shape_value> shapes;
  list<std::int64_t> pool;
  list<control_step> controls;
  list<port> ports;
  list<block> blocks;
  list<std::int16_t> block_inputs;
  list<region> regions;
  list<std::int16_t> interface;
  int first_step = 0, first_region = 0;
  std::int64_t workspace_bytes = 0;

  constexpr int shape_index(shape_value const& s) {
    if (int const at = find_shape(shapes, s); at >= 0) return at;
    shapes.push(s);
    return shapes.size() - 1;
  }
  /// The slots of a step, and those of the epilogue of a contraction.
  constexpr range slots_of(step const& s) const {
    return s.kind == step_kind::kernel ? kernels[s.index].slots : s.kind == step_kind::primitive ? opaques[s.index].slots : controls[s.index].slots;
  }
  constexpr range epilogue_slots_of(step const& s) const {
    int const e = s.kind == step_kind::primitive ? opaques[s.index].epilogue : -1;
    return e >= 0 ? kernels[e].slots : range{};
  }
};

template <class T>
constexpr range append_to(list<T>& all, list<T> const& more) {
  range r;
  r.begin = all.size();
  for (T const& x : more) all.push(x);
  r.end = all.size();
  return r;
}

/// Ranges per stage in `list_ranges`, after one range of invariant values and one of their stores.
inline constexpr int ranges_before_stages = 2, ranges_per_stage = 5;
enum class stage_list : int { rows, row_stores, lanes, lane_stores, reductions };

struct kernel_builder {
  planner& p;
  plan_builder& out;
  need_finder needs;

  constexpr kernel_builder(planner& planned, plan_builder& result) : p(planned), out(result), needs(planned) {}

  int group = 0;
  bool divides = true;
  kernel k = {};
  list<std::int32_t> memo_value = {};   ///< per node: its value in this kernel ...
  list<std::uint32_t> memo_map = {};    ///< ... under this map
  list<std::int32_t> touched = {};
  list<std::uint32_t> axes_of = {};     ///< per value: the axes it varies along
  list<std::int32_t> slot_node = {};    ///< per slot: the node whose buffer it is, or -1 - access of a row buffer

  constexpr void begin(int group_index) {
    group = group_index;
    if (memo_value.size() < p.g->nodes.size()) {
      memo_value = list<std::int32_t>(p.g->nodes.size(), -1);
      memo_map = list<std::uint32_t>(p.g->nodes.size(), 0);
    }
    for (int t : touched) memo_value[t] = -1;
    touched.clear();
    axes_of.clear();
    slot_node.clear();
    k = {};
    shape_value const& space = p.g->shapes[p.groups[group].space];
    k.axes = static_cast<std::int16_t>(space.rank);
    for (int i = 0; i < space.rank; ++i) k.extent[i] = space.extent[i];
    k.values.begin = out.values.size();
    k.accesses.begin = out.accesses.size();
    k.stores.begin = out.stores.size();
  }

  constexpr int slot_of(int node) {
    for (int i = 0; i < slot_node.size(); ++i)
      if (slot_node[i] == node) return i;
    slot_node.push(node);
    return slot_node.size() - 1;
  }
  constexpr int add_access(place const& pl, int rank, axis_map map, dtype type) {
    access a;
    a.slot = static_cast<std::int16_t>(slot_of(pl.root));
    a.type = type;
    a.offset = pl.offset;
    for (int i = 0; i < rank; ++i)
      if (map[i] >= 0) a.stride[map[i]] = p.g->extents->sum(a.stride[map[i]], pl.stride[i]);
    for (int i = 0; i < k.axes; ++i)
      if (k.extent[i] == 1) a.stride[i] = 0;
    out.accesses.push(a);
    return out.accesses.size() - 1 - k.accesses.begin;
  }
  constexpr int add_value(value const& v, std::uint32_t axes) {
    out.values.push(v);
    axes_of.push(axes);
    return out.values.size() - 1 - k.values.begin;
  }
  constexpr value& val(int i) { return out.values[k.values.begin + i]; }
  constexpr int remember(int id, axis_map map, int v) {
    memo_value[id] = v;
    memo_map[id] = map.bits;
    touched.push(id);
    return v;
  }

  constexpr int local(int id, axis_map map) {
    if (memo_value[id] >= 0 && memo_map[id] == map.bits) return memo_value[id];
    return p.is_read_by(id, group) ? load(id, map) : compute(id, map);
  }
  constexpr int load(int id, axis_map map) {
    place const pl = needs.homes.place_of(id);
    value v;
    v.op = primitive::input;
    v.type = p.g->type(id);
    v.attribute = add_access(pl, p.rank(id), map, v.type);
    access const& a = out.accesses[out.accesses.size() - 1];
    // What another value showed already (a reshaped one, say) is loaded once: of a product in registers there is only one.
    for (int other = 0; other < out.values.size() - k.values.begin; ++other)
      if (val(other).op == primitive::input && same_access(a, out.accesses[k.accesses.begin + static_cast<int>(val(other).attribute)], k.axes)) {
        out.accesses.pop();
        return remember(id, map, other);
      }
    std::uint32_t axes = 0;
    for (int i = 0; i < k.axes; ++i)
      if (a.stride[i] != 0) axes |= 1u << i;
    return remember(id, map, add_value(v, axes));
  }
  constexpr int compute(int id, axis_map map) {
    node const& n = p.g->nodes[id];
    value v;
    v.op = n.op;
    v.type = n.type;
    v.attribute = n.attribute;
    if (n.op == primitive::constant || n.op == primitive::extent) return remember(id, map, add_value(v, 0));
    if (n.op == primitive::iota) {
      int const axis = map[static_cast<int>(n.attribute)];
      v.attribute = axis;
      return remember(id, map, add_value(v, axis < 0 ? 0u : 1u << axis));
    }
    if (family_of(n.op) == family::relabel || family_of(n.op) == family::view) return remember(id, map, local(n.arg[0], needs.operand_map(id, n.arg[0], map)));
    std::uint32_t axes = 0;
    int stage = 0;
    bool const reduces = family_of(n.op) == family::reduction;
    for (int i = 0; i < arity_of(n.op); ++i) {
      int const a = local(n.arg[i], reduces ? needs.reduced_operand_map(n.arg[i], group) : map);
      v.arg[i] = static_cast<std::int16_t>(a);
      axes |= axes_of[a];
      stage = val(a).stage > stage ? val(a).stage : stage;
    }
    if (reduces) {
      ++stage;
      int const split = p.groups[group].split;
      axes &= (1u << split) - 1u;
    }
    v.stage = static_cast<std::int16_t>(stage);
    return remember(id, map, add_value(v, axes));
  }

  /// Adds a value that leaves the kernel.
  constexpr void add_root(int id) {
    node const& n = p.g->nodes[id];
    node_info const& info = p.info[id];
    store s;
    place own;
    own.root = id;
    p.row_major(own, p.g->shape(id));
    if (info.accumulated) {
      s.combine = n.op;
      s.value = static_cast<std::int16_t>(local(n.arg[0], needs.reduced_operand_map(n.arg[0], group)));
      s.fill = p.g->shape(id).size();
    } else {
      s.value = static_cast<std::int16_t>(compute_root(id, info.map));
    }
    s.stage = val(s.value).stage;
    s.access = static_cast<std::int16_t>(add_access(own, p.rank(id), info.map, n.type));
    out.stores.push(s);
  }
  constexpr int compute_root(int id, axis_map map) {
    if (memo_value[id] >= 0 && memo_map[id] == map.bits) return memo_value[id];
    return compute(id, map);
  }

  /// Whether every access runs evenly through axes i and i + 1.
  constexpr bool is_even(int i) const {
    bool even = true;
    for (int a = k.accesses.begin; a < out.accesses.size() && even; ++a) even = out.accesses[a].stride[i] == out.accesses[a].stride[i + 1] * k.extent[i + 1];
    for (int v = k.values.begin; v < out.values.size() && even; ++v)
      even = out.values[v].op != primitive::iota || (out.values[v].attribute != i && out.values[v].attribute != i + 1);
    return even;
  }
  /// Axes i and i + 1 become one.
  constexpr void join(int i) {
    k.extent[i] *= k.extent[i + 1];
    for (int j = i + 1; j + 1 < k.axes; ++j) k.extent[j] = k.extent[j + 1];
    for (int a = k.accesses.begin; a < out.accesses.size(); ++a) {
      auto& stride = out.accesses[a].stride;
      for (int j = i; j + 1 < k.axes; ++j) stride[j] = stride[j + 1];
      stride[k.axes - 1] = 0;
    }
    for (int v = k.values.begin; v < out.values.size(); ++v)
      if (out.values[v].op == primitive::iota && out.values[v].attribute > i) --out.values[v].attribute;
    for (int v = 0; v < axes_of.size(); ++v) {
      std::uint32_t const m = axes_of[v], low = m & ((1u << (i + 1)) - 1u), high = m >> (i + 2);
      axes_of[v] = low | ((m >> (i + 1) & 1u) << i) | high << (i + 1);
    }
    --k.axes;
  }
  /// Axes that every access runs through evenly become one.
  constexpr void collapse(bool has_rows, int split) {
    for (int i = 0; i + 1 < k.axes;) {
      if ((has_rows && i + 1 == split) || !is_even(i)) {
        ++i;
        continue;
      }
      join(i);
      if (i + 1 < split) --split;
    }
    k.outer = static_cast<std::int16_t>(has_rows ? split : k.axes > 0 ? k.axes - 1 : 0);
  }
  /// Axes become those of the step whose elements an epilogue takes, which the caller knows to be possible.
  constexpr void collapse_to(shape_value const& s) {
    for (int i = 0; i < s.rank; ++i)
      while (i + 1 < k.axes && k.extent[i] != s.extent[i]) join(i);
    k.outer = static_cast<std::int16_t>(k.axes > 0 ? k.axes - 1 : 0);
  }

  constexpr void push_range(int begin) { out.list_ranges.push({begin, out.lists.size()}); }

  /// `of`: for an epilogue the shape, without extents of 1, of what it takes.
  constexpr void finish(shape_value const* of = nullptr) {
    bool has_rows = false;
    for (int v = k.values.begin; v < out.values.size(); ++v) has_rows = has_rows || family_of(out.values[v].op) == family::reduction;
    int split = p.groups[group].split;
    if (split < 0) split = k.axes > 0 ? k.axes - 1 : 0;
    if (of != nullptr) collapse_to(*of);
    else collapse(has_rows, split);
    int const count = out.values.size() - k.values.begin;
    k.stages = 1;
    for (int i = 0; i < count; ++i) {
      value& v = val(i);
      bool const inner = (axes_of[i] >> k.outer) != 0, outer = (axes_of[i] & ((1u << k.outer) - 1u)) != 0;
      v.at = inner ? level::lane : outer || v.stage > 0 ? level::row : level::invariant;
      if (v.stage + 1 > k.stages) k.stages = static_cast<std::int16_t>(v.stage + 1);
    }
    for (int s = k.stores.begin; s < out.stores.size(); ++s) raise_to_store(out.stores[s]);
    keep_costly(count);
    make_lists(out.values.size() - k.values.begin);
    if (of == nullptr && divides) divide_rows();
    k.values.end = out.values.size();
    k.accesses.end = out.accesses.size();
    k.stores.end = out.stores.size();
  }
  constexpr void divide_rows() {
    if (most_row_blocks_of(k) == 1) return;
    for (int s = k.stores.begin; s < out.stores.size(); ++s) {
      if (out.stores[s].combine == primitive::copy) continue;
      slot_node.push(-1);
      out.stores[s].partial_slot = static_cast<std::int16_t>(slot_node.size() - 1);
    }
  }
  /// A value is stored once for every element that it stands for, however few axes it depends on; an accumulation also combines it once per element of the inner axes.
  constexpr void raise_to_store(store& s) {
    access const& a = out.accesses[k.accesses.begin + s.access];
    std::uint32_t axes = axes_of[s.value];
    for (int i = 0; i < k.axes; ++i)
      if (a.stride[i] != 0 || s.combine != primitive::copy) axes |= 1u << i;
    level const wanted = (axes >> k.outer) != 0 ? level::lane : axes != 0 ? level::row : level::invariant;
    if (wanted <= val(s.value).at) return;
    value v;
    v.op = primitive::copy;
    v.type = val(s.value).type;
    v.arg[0] = s.value;
    v.stage = val(s.value).stage;
    v.at = wanted;
    s.value = static_cast<std::int16_t>(add_value(v, axes));
  }

  /// Which lane values stage t computes: marks[v] = 1, or 2 where it reads what an earlier stage kept.
  constexpr void mark_stage(int t, int v, list<unsigned char>& marks) {
    value& x = val(v);
    if (x.at != level::lane || marks[v]) return;
    if (x.stage < t && cost_of(x.op) == cost_class::costly) {
      marks[v] = 2;
      if (x.kept < 0) {
        access a;
        a.type = x.type;
        slot_node.push(-1);
        a.slot = static_cast<std::int16_t>(slot_node.size() - 1);
        amount stride = 1;
        for (int i = k.axes - 1; i >= k.outer; --i) {
          a.stride[i] = stride;
          stride *= k.extent[i];
        }
        out.accesses.push(a);
        x.kept = static_cast<std::int16_t>(out.accesses.size() - 1 - k.accesses.begin);
      }
      return;
    }
    marks[v] = 1;
    for (int i = 0; i < arity_of(x.op) && x.op != primitive::input; ++i)
      if (family_of(x.op) != family::reduction) mark_stage(t, x.arg[i], marks);
  }
  constexpr void mark_roots(int t, int count, list<unsigned char>& marks) {
    for (int s = k.stores.begin; s < out.stores.size(); ++s)
      if (out.stores[s].stage == t) mark_stage(t, out.stores[s].value, marks);
    for (int v = 0; v < count; ++v)
      if (family_of(val(v).op) == family::reduction && val(v).stage == t + 1) mark_stage(t, val(v).arg[0], marks);
  }
  constexpr void keep_costly(int count) {
    // From the last stage back: what a later stage wants kept must be computed in its own.
    for (int t = k.stages - 1; t > 0; --t) {
      list<unsigned char> marks(out.values.size() - k.values.begin, 0);
      mark_roots(t, count, marks);
      for (int v = 0; v < count; ++v)
        if (val(v).kept >= 0 && val(v).stage == t) mark_stage(t, v, marks);
    }
  }
  constexpr void make_lists(int count) {
    k.lists.begin = out.list_ranges.size();
    int begin = out.lists.size();
    for (int v = 0; v < count; ++v)
      if (val(v).at == level::invariant) out.lists.push(static_cast<std::int16_t>(v));
    push_range(begin);
    begin = out.lists.size();
    for (int s = k.stores.begin; s < out.stores.size(); ++s)
      if (val(out.stores[s].value).at == level::invariant) out.lists.push(static_cast<std::int16_t>(s - k.stores.begin));
    push_range(begin);
    for (int t = 0; t < k.stages; ++t) {
      list<unsigned char> marks(count, 0);
      mark_roots(t, count, marks);
      for (int v = 0; v < count; ++v)
        if (val(v).kept >= 0 && val(v).stage == t) mark_stage(t, v, marks);
      begin = out.lists.size();
      for (int v = 0; v < count; ++v)
        if (val(v).at == level::row && val(v).stage == t && family_of(val(v).op) != family::reduction) out.lists.push(static_cast<std::int16_t>(v));
      push_range(begin);
      for (level const at : {level::row, level::lane}) {
        begin = out.lists.size();
        if (at == level::lane) {
          for (int v = 0; v < count; ++v)
            if (marks[v]) out.lists.push(static_cast<std::int16_t>(v));
          push_range(begin);
          begin = out.lists.size();
        }
        for (int s = k.stores.begin; s < out.stores.size(); ++s)
          if (val(out.stores[s].value).at == at && out.stores[s].stage == t) out.lists.push(static_cast<std::int16_t>(s - k.stores.begin));
        push_range(begin);
      }
      begin = out.lists.size();
      for (int v = 0; v < count; ++v)
        if (family_of(val(v).op) == family::reduction && val(v).stage == t + 1) out.lists.push(static_cast<std::int16_t>(v));
      push_range(begin);
    }
    k.lists.end = out.list_ranges.size();
  }
};

}  // namespace DIMITY_NAMESPACE::detail
