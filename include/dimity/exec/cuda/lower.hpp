// A kernel of a plan -> kernels of the GPU. Rows that fit into registers, and long ones of which there are many, stay one kernel; otherwise each stage's reductions are kernels of their own, which leave a number for each row, and sums over outer axes always are.
#pragma once

#include <dimity/exec/cuda/code.hpp>
#include <dimity/exec/cuda/rules.hpp>
#include <dimity/exec/cuda/shapes.hpp>
#include <dimity/plan/facts.hpp>

namespace DIMITY_NAMESPACE::detail {

/// Pointers of launches that are none: an extent that is chosen at run time (which symbol of the plan it is), and scratch memory whose size depends on one (which region, behind the rest of the scratch memory).
inline constexpr std::int64_t symbol_pointer = std::int64_t{1} << 60, region_pointer = -(std::int64_t{1} << 60);
/// One launch: its code and its pointers, in the flat lists of a lowered kernel. A pointer is a slot of the plan's kernel (>= 0), above bit 32 how many bytes of a number that slot is, or scratch memory at byte -1 - p; behind them
/// come symbols.
struct device_launch {
  range words, pointers;
};
struct lowered_size {
  int words, pointers, launches, regions;
};
struct lowering_result {
  list<std::int64_t> words;
  list<std::int64_t> pointers;
  list<device_launch> launches;
  std::int64_t scratch_bytes = 0;
  list<amount> regions;  ///< bytes
  constexpr lowered_size size() const { return {words.size(), pointers.size(), launches.size(), regions.size()}; }
  /// Kernels that precision makes no difference to are one for all of them.
  constexpr void add(device_kernel const& kernel, list<std::int64_t> const& of_slots, cuda_precision wanted) {
    cuda_precision own = cuda_precision::standard;
    for (value const& v : kernel.values)
      if (v.type == dtype::float32 && depends_on_precision(v.op)) own = wanted;
    device_launch l;
    l.words.begin = words.size();
    kernel_symbols symbols;
    encode(kernel, own, symbols, words);
    l.words.end = words.size();
    l.pointers = append_to(pointers, of_slots);
    for (int const s : symbols.of_plan) pointers.push(symbol_pointer | s);
    l.pointers.end = pointers.size();
    launches.push(l);
  }
};

/// Whether what the bodies of loops and branches are given, and leave, begins at multiples of the widest access.
constexpr bool ports_are_aligned(plan_view const& p) {
  for (int i = 0; i < p.size.ports; ++i)
    for (amount const a : {p.ports[i].offset, p.ports[i].stride})
      if (!a.is_known() || a.number() % widest_access != 0) return false;
  return true;
}
constexpr bool is_unaligned(plan_view const& p, int slot) {
  buffer const& b = p.buffers[p.slots[slot]];
  return b.in_block && b.where != residence::workspace && !ports_are_aligned(p);
}

/// What is lowered: a plan, which of its first 64 inputs are numbers of this side that go with the arguments of kernels, and what the executor wants.
struct plan_on_cuda : plan_view {
  std::uint64_t numbers = 0;
  cuda_precision wanted = cuda_precision::standard;
};
/// Bytes of such a number that is behind a slot, or 0.
constexpr std::int64_t number_bytes(plan_on_cuda const& p, int slot) {
  buffer const& b = p.buffers[p.slots[slot]];
  bool const is_number = !b.in_block && b.where == residence::input && b.index < 64 && (p.numbers >> b.index & 1) != 0;
  return is_number ? b.bytes.number() : 0;
}

/// Takes some values of a kernel, and all that they are made of, into another one.
struct kernel_extract {
  struct home {
    std::int64_t pointer = 0;  ///< of what a reduction left
    access where = {};
  };

  plan_on_cuda const& p;
  kernel const& from;
  list<home> const& reductions;  ///< per value of the kernel; only of those that are read
  bool keeps_reductions;
  device_kernel to = {};
  list<std::int64_t> pointers = {};
  list<std::int16_t> taken;

  constexpr kernel_extract(plan_on_cuda const& plan, kernel const& k, list<home> const& left, bool keeps)
      : p(plan), from(k), reductions(left), keeps_reductions(keeps), taken(k.values.size(), -1) {
    to.axes = k.axes;
    to.outer = k.outer;
    for (int i = 0; i < k.axes; ++i) to.extent[i] = k.extent[i];
  }
  constexpr int slot_of(std::int64_t pointer) {
    int const slot = pointer >= 0 ? from.slots.begin + static_cast<int>(pointer) : -1;
    std::int64_t const number = slot >= 0 ? number_bytes(p, slot) : 0;
    pointer |= number << 32;
    for (int i = 0; i < pointers.size(); ++i)
      if (pointers[i] == pointer) return i;
    pointers.push(pointer);
    to.unaligned.push(slot >= 0 && is_unaligned(p, slot));
    to.numbers.push(number > 0);
    return pointers.size() - 1;
  }
  constexpr int width() const {
    return width_of_accesses(to.accesses, to.accesses.size(), to.axes, to.axes > 0 ? to.extent[to.axes - 1] : amount(1), [&](access const& a) { return to.unaligned[a.slot] != 0; });
  }
  constexpr int add_access(access a, std::int64_t pointer) {
    a.slot = static_cast<std::int16_t>(slot_of(pointer));
    for (int i = 0; i < to.accesses.size(); ++i)
      if (same_access(a, to.accesses[i], to.axes)) return i;
    to.accesses.push(a);
    return to.accesses.size() - 1;
  }
  constexpr int take(int v) {
    if (taken[v] >= 0) return taken[v];
    value x = p.values[from.values.begin + v];
    bool const reduces = family_of(x.op) == family::reduction;
    if (reduces && !keeps_reductions) {
      x.op = primitive::input;
      x.attribute = add_access(reductions[v].where, reductions[v].pointer);
      for (std::int16_t& a : x.arg) a = -1;
    } else if (v == from.injected) {
      x.attribute = 0;
    } else if (x.op == primitive::input) {
      access const& a = p.accesses[from.accesses.begin + static_cast<int>(x.attribute)];
      x.attribute = add_access(a, a.slot);
    } else {
      for (int i = 0; i < arity_of(x.op); ++i) x.arg[i] = static_cast<std::int16_t>(take(x.arg[i]));
    }
    if (!keeps_reductions) x.stage = 0;
    if (x.stage + 1 > to.stages) to.stages = x.stage + 1;
    to.values.push(x);
    taken[v] = static_cast<std::int16_t>(to.values.size() - 1);
    if (v == from.injected) to.injected = taken[v];
    return taken[v];
  }
  constexpr void add_store(int v, access const& a, std::int64_t pointer, primitive combine = primitive::copy) {
    store s;
    s.value = static_cast<std::int16_t>(take(v));
    s.access = static_cast<std::int16_t>(add_access(a, pointer));
    s.stage = to.values[s.value].stage;
    s.combine = combine;
    to.stores.push(s);
  }
};

struct device_lowering {
  plan_on_cuda const& p;
  kernel const& k;
  lowering_result& out;
  using home = kernel_extract::home;
  list<home> reductions;
  list<unsigned char> is_left;  ///< per value: a reduction that has been computed

  constexpr device_lowering(plan_on_cuda const& plan, kernel const& from, lowering_result& result)
      : p(plan), k(from), out(result), reductions(from.values.size()), is_left(from.values.size(), 0) {}

  constexpr value const& val(int v) const { return p.values[k.values.begin + v]; }
  constexpr bool is_reduction(int v) const { return family_of(val(v).op) == family::reduction; }
  constexpr access const& target(store const& s) const { return p.accesses[k.accesses.begin + s.access]; }
  constexpr std::uint32_t axes_of(access const& a) const {
    std::uint32_t mask = 0;
    for (int i = 0; i < k.axes; ++i)
      if (!(a.stride[i] == 0)) mask |= 1u << i;
    return mask;
  }
  constexpr std::uint32_t all_axes() const { return (1u << k.axes) - 1u; }
  constexpr std::uint32_t outer_axes() const { return (1u << k.outer) - 1u; }
  constexpr amount size_of_axes(std::uint32_t mask) const {
    amount n = 1;
    for (int i = 0; i < k.axes; ++i)
      if (mask >> i & 1u) n *= k.extent[i];
    return n;
  }

  constexpr std::int64_t scratch(amount size) {
    if (!size.is_known()) {
      out.regions.push(size);
      return region_pointer + (out.regions.size() - 1);
    }
    std::int64_t const bytes = size.number();
    std::int64_t const at = out.scratch_bytes;
    out.scratch_bytes += (bytes + 255) / 256 * 256;
    return -1 - at;
  }
  constexpr void launch(device_kernel const& kernel, list<std::int64_t> const& pointers) { out.add(kernel, pointers, p.wanted); }
  /// Row-major over some axes.
  constexpr access contiguous(dtype type, std::uint32_t axes) const {
    access a;
    a.type = type;
    amount stride = 1;
    for (int i = k.axes - 1; i >= 0; --i) {
      if ((axes >> i & 1u) == 0 || k.extent[i] == 1) continue;
      a.stride[i] = stride;
      stride *= k.extent[i];
    }
    return a;
  }

  /// A kernel without the axes along which nothing in it varies.
  static constexpr void trim(device_kernel& d) {
    auto const is_used = [&](int axis) {
      for (access const& a : d.accesses)
        if (!(a.stride[axis] == 0)) return true;
      for (value const& v : d.values)
        if (v.op == primitive::iota && v.attribute == axis) return true;
      return d.extent[axis] == 0;
    };
    for (int axis = d.axes - 1; axis >= 0; --axis) {
      if (is_used(axis)) continue;
      for (int i = axis; i + 1 < d.axes; ++i) d.extent[i] = d.extent[i + 1];
      for (int a = 0; a < d.accesses.size(); ++a)
        for (int i = axis; i + 1 < d.axes; ++i) d.accesses[a].stride[i] = d.accesses[a].stride[i + 1];
      for (int v = 0; v < d.values.size(); ++v)
        if (d.values[v].op == primitive::iota && d.values[v].attribute > axis) --d.values[v].attribute;
      --d.axes;
    }
    d.outer = d.axes > 0 ? d.axes - 1 : 0;
  }

  struct term {
    int value = 0;
    primitive op = primitive::sum;
    access to = {};
    std::int64_t pointer = 0;
  };
  constexpr void reduce(list<term> const& terms, std::uint32_t reduced) {
    std::uint32_t const kept = all_axes() & ~reduced;
    kernel_extract e(p, k, reductions, false);
    e.to.kind = device_family::reduction;
    e.to.outer = 0;
    e.to.reduced = reduced;
    for (term const& t : terms) e.add_store(t.value, t.to, t.pointer, t.op);
    amount const last = k.axes > 0 ? k.extent[k.axes - 1] : amount(1), results = size_of_axes(kept);
    bool const along_lanes = k.axes > 0 && (reduced >> (k.axes - 1) & 1u) != 0;
    int const width = e.width();
    int const splits = shape_of_reduction(last, results, size_of_axes(reduced), along_lanes, width).splits;
    if (splits == 1) return launch(e.to, e.pointers);
    // Parts first, each with results of its own; then the parts are joined.
    kernel_extract parts(p, k, reductions, false);
    parts.to.kind = device_family::reduction;
    parts.to.outer = 0;
    parts.to.reduced = reduced;
    parts.to.splits = splits;
    device_kernel whole;
    list<std::int64_t> pointers;
    whole.kind = device_family::reduction;
    whole.reduced = 1;
    whole.axes = 1;
    whole.extent[0] = splits;
    for (int i = 0; i < k.axes; ++i)
      if (kept >> i & 1u) whole.extent[whole.axes++] = k.extent[i];
    for (term const& t : terms) {
      dtype const type = val(t.value).type;
      std::int64_t const at = scratch(results * amount(splits * static_cast<std::int64_t>(size_of(type))));
      access const part = contiguous(type, kept);
      parts.add_store(t.value, part, at, t.op);
      access from, to = t.to;
      from.type = type;
      from.stride[0] = results;
      for (amount& s : to.stride) s = 0;
      for (int i = 0, j = 1; i < k.axes; ++i)
        if (kept >> i & 1u) {
          from.stride[j] = part.stride[i];
          to.stride[j++] = t.to.stride[i];
        }
      value v;
      v.type = type;
      from.slot = static_cast<std::int16_t>(pointers.size());
      pointers.push(at);
      to.slot = static_cast<std::int16_t>(pointers.size());
      pointers.push(t.pointer);
      whole.unaligned.push(0);
      whole.numbers.push(0);
      whole.numbers.push(0);
      whole.unaligned.push(t.pointer >= 0 && is_unaligned(p, k.slots.begin + static_cast<int>(t.pointer)));
      v.attribute = whole.accesses.size();
      whole.accesses.push(from);
      whole.accesses.push(to);
      whole.values.push(v);
      store s;
      s.value = static_cast<std::int16_t>(whole.values.size() - 1);
      s.access = static_cast<std::int16_t>(whole.accesses.size() - 1);
      s.combine = t.op;
      whole.stores.push(s);
    }
    launch(parts.to, parts.pointers);
    launch(whole, pointers);
  }

  /// Whether the rows of a kernel stay in registers.
  constexpr bool rows_fit(kernel_extract const& e) const {
    if (k.outer == k.axes) return false;
    int const count = e.to.values.size();
    list<std::uint32_t> varies(count + 1, 0);
    find_varying_axes(e.to.values, count, e.to.accesses, e.to.axes, e.to.outer, -1, &varies[0]);
    std::uint32_t const inner = all_axes() & ~outer_axes();
    if (!size_of_axes(inner).is_known()) return false;
    return shape_of_rows(size_of_axes(inner).number() / e.width(), e.width(), live_packets(e.to.values, &varies[0], inner, count), widest_lane(e.to.values, &varies[0], inner, count)).threads > 0;
  }
  /// Whether there is a row for each multiprocessor, or may be. Fewer rows are divided among blocks.
  constexpr bool rows_fill_multiprocessors() const {
    amount const rows = size_of_axes(outer_axes());
    return k.outer < k.axes && (!rows.is_known() || rows.number() >= 132);
  }
  constexpr void need(int v, list<unsigned char>& needed) const {
    if (needed[v]) return;
    needed[v] = 1;
    if (val(v).op == primitive::input) return;
    for (int i = 0; i < arity_of(val(v).op); ++i) need(val(v).arg[i], needed);
  }
  /// Reductions over rows that these values are made of, by stage; each leaves a number for every row.
  constexpr void leave_reductions(list<unsigned char> const& needed) {
    for (int stage = 1; stage < 64; ++stage) {
      list<term> terms;
      bool later = false;
      for (int v = 0; v < k.values.size(); ++v) {
        if (!needed[v] || !is_reduction(v) || is_left[v]) continue;
        if (val(v).stage != stage) {
          later = later || val(v).stage > stage;
          continue;
        }
        term t;
        t.value = val(v).arg[0];
        t.op = val(v).op;
        t.to = contiguous(val(v).type, outer_axes());
        t.pointer = scratch(size_of_axes(outer_axes()) * amount(static_cast<std::int64_t>(size_of(val(v).type))));
        // What is stored as it is needs no second place.
        for (int s = k.stores.begin; s < k.stores.end; ++s)
          if (p.stores[s].value == v && p.stores[s].combine == primitive::copy && axes_of(target(p.stores[s])) == axes_of(t.to)) {
            t.to = target(p.stores[s]);
            t.pointer = t.to.slot;
          }
        reductions[v] = {t.pointer, t.to};
        terms.push(t);
      }
      if (terms.size() > 0) reduce(terms, all_axes() & ~outer_axes());
      for (int v = 0; v < k.values.size(); ++v)
        if (needed[v] && is_reduction(v) && val(v).stage == stage) is_left[v] = 1;
      if (!later) return;
    }
  }
  constexpr void accumulate() {
    list<unsigned char> done(k.stores.size(), 0);
    for (int s = 0; s < k.stores.size(); ++s) {
      store const& first = p.stores[k.stores.begin + s];
      if (done[s] || first.combine == primitive::copy) continue;
      std::uint32_t const kept = axes_of(target(first));
      list<term> terms;
      for (int t = s; t < k.stores.size(); ++t) {
        store const& st = p.stores[k.stores.begin + t];
        if (st.combine == primitive::copy || axes_of(target(st)) != kept) continue;
        done[t] = 1;
        terms.push({st.value, st.combine, target(st), target(st).slot});
      }
      reduce(terms, all_axes() & ~kept);
    }
  }
  /// Plain stores without reductions on the way: those with fewer axes first, because the others may overwrite what both read.
  constexpr void store_elements() {
    for (bool const whole : {false, true}) {
      list<unsigned char> done(k.stores.size(), 0);
      for (int s = 0; s < k.stores.size(); ++s) {
        store const& first = p.stores[k.stores.begin + s];
        std::uint32_t const axes = axes_of(target(first));
        if (done[s] || first.combine != primitive::copy || (axes == axes_of_extents()) != whole) continue;
        kernel_extract e(p, k, reductions, false);
        for (int t = s; t < k.stores.size(); ++t) {
          store const& st = p.stores[k.stores.begin + t];
          if (st.combine != primitive::copy || axes_of(target(st)) != axes) continue;
          done[t] = 1;
          if (is_reduction(st.value) && is_left[st.value] && reductions[st.value].pointer == target(st).slot) continue;  // has been written
          e.add_store(st.value, target(st), target(st).slot);
        }
        if (e.to.stores.size() == 0) continue;
        trim(e.to);
        launch(e.to, e.pointers);
      }
    }
  }
  constexpr std::uint32_t axes_of_extents() const {
    std::uint32_t mask = 0;
    for (int i = 0; i < k.axes; ++i)
      if (!(k.extent[i] == 1)) mask |= 1u << i;
    return mask;
  }
  constexpr void run() {
    bool accumulates = false, reduces_first = false, has_plain = false, has_rows = false;
    list<unsigned char> needed(k.values.size(), 0), needed_by_sums(k.values.size(), 0);
    for (int s = k.stores.begin; s < k.stores.end; ++s) {
      store const& st = p.stores[s];
      bool const plain = st.combine == primitive::copy;
      accumulates = accumulates || !plain;
      has_plain = has_plain || plain;
      need(st.value, plain ? needed : needed_by_sums);
    }
    for (int v = 0; v < k.values.size(); ++v) {
      has_rows = has_rows || (needed[v] && is_reduction(v));
      reduces_first = reduces_first || (needed_by_sums[v] && is_reduction(v));
    }
    if (reduces_first) leave_reductions(needed_by_sums);
    if (accumulates) accumulate();
    if (!has_plain) return;
    if (has_rows) {
      kernel_extract e(p, k, reductions, true);
      e.to.kind = device_family::rows;
      for (int s = k.stores.begin; s < k.stores.end; ++s)
        if (p.stores[s].combine == primitive::copy) e.add_store(p.stores[s].value, target(p.stores[s]), target(p.stores[s]).slot);
      if (rows_fit(e)) return launch(e.to, e.pointers);
      if (rows_fill_multiprocessors()) {
        e.to.kind = device_family::long_rows;
        return launch(e.to, e.pointers);
      }
      leave_reductions(needed);
    }
    store_elements();
  }
};

/// An elementwise kernel that runs on the results of a product while they are in registers.
constexpr void lower_epilogue(plan_on_cuda const& p, kernel const& k, lowering_result& out) {
  list<kernel_extract::home> none(k.values.size());
  kernel_extract e(p, k, none, false);
  for (int s = k.stores.begin; s < k.stores.end; ++s) {
    access const& to = p.accesses[k.accesses.begin + p.stores[s].access];
    e.add_store(p.stores[s].value, to, to.slot);
  }
  out.add(e.to, e.pointers, p.wanted);
}
/// A kernel of a plan, lowered: an epilogue is one launch that is part of another.
constexpr void lower_kernel(plan_on_cuda const& p, kernel const& k, lowering_result& out) {
  if (k.injected >= 0) lower_epilogue(p, k, out);
  else device_lowering(p, k, out).run();
}

// The source of a program says so.
template <class Plan>
inline constexpr std::uint64_t numbers_of = 0;
template <class Plan>
inline constexpr cuda_precision precision_of = cuda_precision::standard;

/// A lowered kernel as a constant. An everyday one stays in a draft with spare room, as plans do, and for the same reason (exec/planned.hpp).
template <lowered_size N>
struct lowered_kernel {
  lowered_size used = {};
  std::int64_t words[N.words + 1] = {};
  std::int64_t pointers[N.pointers + 1] = {};
  device_launch launches[N.launches + 1] = {};
  std::int64_t scratch_bytes = 0;
  amount regions[N.regions + 1] = {};
};
template <class Plan, int Kernel, lowered_size N>
constexpr lowered_kernel<N> make_lowered() {
  plan_on_cuda const p{view_plan(Plan::value), numbers_of<Plan>, precision_of<Plan>};
  lowering_result r;
  lower_kernel(p, Plan::value.kernels[Kernel], r);
  lowered_kernel<N> k;
  k.used = r.size();
  if (k.used.words > N.words || k.used.pointers > N.pointers || k.used.launches > N.launches || k.used.regions > N.regions) return k;
  for (int i = 0; i < k.used.words; ++i) k.words[i] = r.words[i];
  for (int i = 0; i < k.used.pointers; ++i) k.pointers[i] = r.pointers[i];
  for (int i = 0; i < k.used.launches; ++i) k.launches[i] = r.launches[i];
  k.scratch_bytes = r.scratch_bytes;
  for (int i = 0; i < k.used.regions; ++i) k.regions[i] = r.regions[i];
  return k;
}
template <class Plan, int Kernel, lowered_size N>
inline constexpr lowered_kernel<N> lowered_as = make_lowered<Plan, Kernel, N>();
template <class Plan, int Kernel>
struct lowered {
  static constexpr lowered_size room{512, 48, 6, 0};
  static constexpr lowered_size size = lowered_as<Plan, Kernel, room>.used;
  static constexpr auto const& choose() {
    if constexpr (size.words <= room.words && size.pointers <= room.pointers && size.launches <= room.launches && size.regions == 0) return lowered_as<Plan, Kernel, room>;
    else return lowered_as<Plan, Kernel, size>;
  }
  static constexpr auto const& value = choose();
};

}  // namespace DIMITY_NAMESPACE::detail
